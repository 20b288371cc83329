// slots, masters, replicas and nodeByAddress after the cluster has changed, and the ways to hear of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIDES, oracle, subject } from './parity/harness/clients.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { until } from './support/engine-client.mjs';

/** Slot of the key "b". */
const SLOT = 3300;

/** What the cluster shows, with indexes of nodes instead of ports. */
function shown(cluster, servers) {
  const index = ({ port }) => servers.nodes.findIndex((node) => node.port === port);
  const shard = ({ master, replicas }) => [index(master), replicas?.map(index)];
  return {
    slots: [0, SLOT, SLOT + 1, 16_383].map((slot) => shard(cluster.slots[slot])),
    masters: cluster.masters.map(index).sort(),
    replicas: cluster.replicas.map(index).sort(),
    nodeByAddress: [...cluster.nodeByAddress.values()].map(index).sort(),
  };
}

/** Nodes that answer MOVED for slots which the layout gives to others. */
function startWithOwners(options) {
  return startScriptedCluster({
    ...options,
    script: ([name], { node, cluster }) => {
      if (name !== 'GET') return undefined;
      const owner = cluster.layout.find(({ first, last }) => first <= SLOT && SLOT <= last);
      if (owner.nodes.includes(node)) return resp.bulk(`node ${node}`);
      return resp.error(`MOVED ${SLOT} ${cluster.address(owner.nodes[0])}`);
    },
  });
}

test('after a MOVED everything shows the new layout, like node-redis', async () => {
  const seen = [];
  for (const side of SIDES) {
    const servers = await startWithOwners({ primaries: 2, replicasPerPrimary: 1 });
    const cluster = side.package.createCluster({ rootNodes: servers.seeds, useReplicas: true });
    await cluster.connect();
    const steps = [shown(cluster, servers)];
    // The slot and those below it move to the second shard; the first one's replica leaves.
    servers.layout = [
      { first: 0, last: SLOT, nodes: [1, 3] },
      { first: SLOT + 1, last: 8_191, nodes: [0] },
      { first: 8_192, last: 16_383, nodes: [1, 3] },
    ];
    assert.match(await cluster.get('b'), /^node [13]$/);
    const isKnown = () => cluster.replicas.length === 1 && cluster.slots[0] !== undefined;
    await until(isKnown, 'the new layout shows');
    steps.push(shown(cluster, servers));
    cluster.destroy();
    await servers.close();
    seen.push(steps);
  }
  assert.deepStrictEqual(seen[1], seen[0]);
  assert.deepEqual(seen[1][1].slots, [
    [1, [3]],
    [1, [3]],
    [0, []],
    [1, [3]],
  ]);
});

test('the slot of a MOVED shows its new owner at once', async () => {
  const servers = await startWithOwners({ primaries: 2 });
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds });
  await cluster.connect();
  assert.equal(cluster.slots[SLOT].master.port, servers.nodes[0].port);
  const { layout } = servers;
  servers.layout = [{ first: 0, last: 16_383, nodes: [1] }];
  assert.equal(await cluster.get('b'), 'node 1');
  assert.equal(cluster.slots[SLOT].master.port, servers.nodes[1].port);
  // Back again: the view follows each time.
  servers.layout = layout;
  assert.equal(await cluster.get('b'), 'node 0');
  assert.equal(cluster.slots[SLOT].master.port, servers.nodes[0].port);
  cluster.destroy();
  await servers.close();
});

test('a node that leaves is disconnected and forgotten; one that comes is connected to', async () => {
  const servers = await startWithOwners({ primaries: 3 });
  const [, , newcomer] = servers.layout;
  servers.layout = [
    { first: 0, last: 8_191, nodes: [0] },
    { first: 8_192, last: 16_383, nodes: [1] },
  ];
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds.slice(0, 2) });
  const events = collectEvents(cluster);
  await cluster.connect();
  assert.deepEqual(shown(cluster, servers).masters, [0, 1]);
  events.length = 0;
  servers.layout = [
    { first: 0, last: 8_191, nodes: newcomer.nodes },
    { first: 8_192, last: 16_383, nodes: [1] },
  ];
  assert.equal(await cluster.get('b'), 'node 2');
  await until(() => events.some(([name]) => name === 'node-disconnect'), 'the first node is left');
  assert.deepEqual(shown(cluster, servers).nodeByAddress, [1, 2]);
  const told = events.map(([name, { port }]) => [
    name,
    servers.nodes.findIndex((node) => node.port === port),
  ]);
  assert.deepEqual(told, [
    ['node-connect', 2],
    ['node-ready', 2],
    ['node-disconnect', 0],
  ]);
  await until(() => servers.nodes[0].connections.size === 0, 'its connection is closed');
  cluster.destroy();
  await servers.close();
});

test('a layout that changed while a node died is found without any MOVED', async () => {
  for (const side of SIDES) {
    const servers = await startWithOwners({ primaries: 2 });
    const cluster = side.package.createCluster({
      rootNodes: servers.seeds.slice(1),
      topologyRefreshOnReconnectionAttemptStrategy: 1,
      defaults: { socket: { reconnectStrategy: 20 } },
    });
    const events = collectEvents(cluster);
    await cluster.connect();
    servers.layout = [{ first: 0, last: 16_383, nodes: [1] }];
    await servers.nodes[0].close();
    await until(
      () => cluster.slots[SLOT].master.port === servers.nodes[1].port,
      `${side.name}: refreshed`,
    );
    assert.equal(await cluster.get('b'), 'node 1', side.name);
    assert.ok(!events.some(([name]) => name === 'error'), side.name);
    cluster.destroy();
    await servers.close();
  }
});

test('topologyRefreshOnReconnectionAttemptStrategy is checked like node-redis checks it', () => {
  const rootNodes = [{ url: 'redis://127.0.0.1:1' }];
  const outcome = ({ package: { createCluster } }, strategy) => {
    try {
      createCluster({ rootNodes, topologyRefreshOnReconnectionAttemptStrategy: strategy });
      return 'accepted';
    } catch (error) {
      return [error.constructor.name, error.message];
    }
  };
  const values = [
    undefined,
    false,
    0,
    1,
    5_000,
    () => 1,
    null,
    true,
    -1,
    1.5,
    NaN,
    Infinity,
    'often',
    {},
    [],
  ];
  const outcomes = values.map((value) => outcome(subject, value));
  assert.deepEqual(
    outcomes,
    values.map((value) => outcome(oracle, value)),
  );
  assert.ok(outcomes.includes('accepted') && outcomes.some(Array.isArray));
});

test('options that cannot be honoured are refused by name when the cluster is made', () => {
  const rootNodes = [{ url: 'redis://127.0.0.1:1' }];
  const cases = [
    ['defaults.socket.tls', { rootNodes, defaults: { socket: { tls: true } } }],
    ['defaults.socket.ca', { rootNodes, defaults: { socket: { ca: 'x' } } }],
    ['rootNodes[0].url', { rootNodes: [{ url: 'rediss://127.0.0.1:1' }] }],
    ['defaults.socket.socketTimeout', { rootNodes, defaults: { socket: { socketTimeout: -1 } } }],
    ['defaults.socket.hangTimeout', { rootNodes, defaults: { socket: { hangTimeout: -1 } } }],
    ['defaults.commandsQueueMaxBytes', { rootNodes, defaults: { commandsQueueMaxBytes: 0.5 } }],
    ['queueMaxBytes', { rootNodes, queueMaxBytes: -1 }],
    ['maxBlockingConnections', { rootNodes, maxBlockingConnections: 0 }],
    ['blockingIdleTimeout', { rootNodes, blockingIdleTimeout: -1 }],
    ['topologyRefreshInterval', { rootNodes, topologyRefreshInterval: NaN }],
    ['defaults.socket.lookup', { rootNodes, defaults: { socket: { lookup() {} } } }],
    ['defaults.credentialsProvider', { rootNodes, defaults: { credentialsProvider: {} } }],
    ['defaults.pingInterval', { rootNodes, defaults: { pingInterval: -1 } }],
    ['clientSideCache', { rootNodes, clientSideCache: { ttl: 1 } }],
    // By the engine's own checks:
    ['defaults.socket.localPort', { rootNodes, defaults: { socket: { localPort: 70_000 } } }],
    [
      'rootNodes[1].socket.connectTimeout',
      { rootNodes: [...rootNodes, { socket: { connectTimeout: -1 } }] },
    ],
    ['maxCommandRedirections', { rootNodes, maxCommandRedirections: -1 }],
    ['RESP', { rootNodes, RESP: 4 }],
  ];
  for (const [name, options] of cases) {
    const pattern = new RegExp(`(^|[\\s\`])${name.replace(/[[\].]/g, '\\$&')}\\b`);
    assert.throws(
      () => subject.package.createCluster(options),
      (error) => {
        assert.match(error.message, pattern);
        return true;
      },
    );
  }
});
