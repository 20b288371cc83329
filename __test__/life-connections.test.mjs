// When nodes are connected to, and which node gets which command: minimizeConnections, useReplicas,
// nodes that are down.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { SILENCE } from './support/scripted-server.mjs';
import { until } from './support/engine-client.mjs';

/** Keys of the first, the second and the third of three nodes. */
const KEYS = ['b', 'c', 'a'];

/** Servers that answer reads and writes, and what a test wants otherwise. */
function start(options, script = () => undefined) {
  return startScriptedCluster({
    primaries: 3,
    ...options,
    script: (args, context) => {
      const own = script(args, context);
      if (own !== undefined) return own;
      if (args[0] === 'GET') return resp.bulk(`node ${context.node}`);
      if (args[0] === 'SET' || args[0] === 'EVAL') return resp.simple('OK');
      if (args[0] === 'ECHO') return resp.bulk(args[1]);
      return undefined;
    },
  });
}

const openConnections = (servers) => servers.nodes.map(({ connections }) => connections.size);
const countsOf = (servers, name) => servers.nodes.map((node) => node.commands(name).length);

test('minimizeConnections: nodes are connected to when they are first used', async () => {
  const seen = [];
  for (const side of SIDES) {
    const servers = await start();
    const cluster = side.package.createCluster({
      rootNodes: servers.seeds,
      minimizeConnections: true,
    });
    const events = collectEvents(cluster);
    await cluster.connect();
    await until(
      () => openConnections(servers).every((count) => count === 0),
      'the question is over',
    );
    const steps = [['connected', events.splice(0).map(([name]) => name), openConnections(servers)]];
    for (const key of KEYS) {
      // At once, so that a second connection would show.
      const replies = await Promise.all([
        cluster.get(key),
        cluster.get(key),
        cluster.set(key, '1'),
      ]);
      steps.push([replies, events.splice(0).map(([name]) => name), openConnections(servers)]);
    }
    cluster.destroy();
    await servers.close();
    seen.push(steps);
  }
  assert.deepStrictEqual(seen[1], seen[0]);
  assert.deepEqual(
    seen[1].map(([, , open]) => open),
    [
      [0, 0, 0],
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ],
  );
});

test('without it all are connected to, and replicas only with useReplicas', async () => {
  for (const [useReplicas, expected] of [
    [false, [1, 1, 1, 0, 0, 0]],
    [true, [1, 1, 1, 1, 1, 1]],
  ]) {
    for (const side of SIDES) {
      const servers = await start({ replicasPerPrimary: 1 });
      const cluster = side.package.createCluster({ rootNodes: servers.seeds, useReplicas });
      await cluster.connect();
      const settled = () => String(openConnections(servers)) === String(expected);
      await until(settled, `${side.name}: ${expected} connections`);
      const readonly = countsOf(servers, 'READONLY');
      assert.deepEqual(readonly, useReplicas ? [0, 0, 0, 1, 1, 1] : [0, 0, 0, 0, 0, 0], side.name);
      cluster.destroy();
      await servers.close();
    }
  }
});

test('useReplicas: reads take turns among the nodes of the shard, writes go to the primary', async () => {
  for (const side of SIDES) {
    const servers = await start({ replicasPerPrimary: 2 });
    const cluster = side.package.createCluster({ rootNodes: servers.seeds, useReplicas: true });
    await cluster.connect();
    const replies = [];
    for (let i = 0; i < 9; i++) replies.push(await cluster.get('b'));
    for (let i = 0; i < 9; i++) await cluster.set('b', '1');
    cluster.destroy();
    await servers.close();
    assert.deepEqual(countsOf(servers, 'GET'), [3, 0, 0, 3, 0, 0, 3, 0, 0], side.name);
    assert.deepEqual(countsOf(servers, 'SET'), [9, 0, 0, 0, 0, 0, 0, 0, 0], side.name);
    // Strictly in turn: any three in a row are three nodes.
    for (let i = 0; i + 3 <= replies.length; i++) {
      assert.equal(new Set(replies.slice(i, i + 3)).size, 3, `${side.name}: ${replies}`);
    }
  }
});

test('useReplicas: a burst of one tick is spread too', async () => {
  const servers = await start({ replicasPerPrimary: 1 });
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds, useReplicas: true });
  await cluster.connect();
  await Promise.all(Array.from({ length: 100 }, () => cluster.get('c')));
  cluster.destroy();
  await servers.close();
  assert.deepEqual(countsOf(servers, 'GET'), [0, 50, 0, 0, 50, 0]);
});

test('useReplicas: what has no key and may write never goes to a replica', async () => {
  const servers = await start({ replicasPerPrimary: 1 });
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds, useReplicas: true });
  await cluster.connect();
  // node-redis sends these to replicas too, where real servers refuse them.
  for (let i = 0; i < 12; i++) await cluster.sendCommand(undefined, undefined, ['EVAL', 'return 1', '0']);
  for (let i = 0; i < 12; i++) await cluster.echo('text');
  cluster.destroy();
  await servers.close();
  assert.deepEqual(countsOf(servers, 'EVAL'), [4, 4, 4, 0, 0, 0]);
  assert.deepEqual(countsOf(servers, 'ECHO'), [2, 2, 2, 2, 2, 2]);
});

test('a replica that is down holds its share of the reads until they time out, like node-redis', async () => {
  for (const side of SIDES) {
    const servers = await start({ replicasPerPrimary: 1 });
    const cluster = side.package.createCluster({
      rootNodes: servers.seeds.slice(0, 3),
      useReplicas: true,
      commandOptions: { timeout: 200 },
      defaults: { socket: { reconnectStrategy: 50 } },
    });
    const events = collectEvents(cluster);
    await cluster.connect();
    await servers.nodes[3].close();
    await until(() => events.some(([name]) => name === 'node-error'), 'the connection is lost');
    const reads = await Promise.allSettled(Array.from({ length: 10 }, () => cluster.get('b')));
    const failed = reads.filter(({ status }) => status === 'rejected');
    assert.ok(reads.filter(({ value }) => value === 'node 0').length >= 5, side.name);
    for (const { reason } of failed) assert.ok(reason instanceof subject.package.TimeoutError);
    assert.equal(await cluster.set('b', '1'), 'OK');
    cluster.destroy();
    await servers.close();
  }
});

test('connect() is not held by one dead node, and live shards work meanwhile', async () => {
  const servers = await start();
  const [dead] = servers.nodes;
  await dead.close();
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds.slice(1) });
  const events = collectEvents(cluster);
  const begin = performance.now();
  await cluster.connect();
  assert.equal(await cluster.get('c'), 'node 1');
  assert.equal(await cluster.get('a'), 'node 2');
  assert.ok(performance.now() - begin < 1_000, 'at once');
  const errors = events.filter(([name]) => name === 'node-error');
  assert.ok(errors.length > 0 && errors.every(([, , { port }]) => port === dead.port));

  // Its commands wait for it.
  const waiting = cluster.get('b');
  await dead.listen(dead.port);
  assert.equal(await waiting, 'node 0');
  cluster.destroy();
  await servers.close();
});

test('connect() is not held by one silent node', async () => {
  const servers = await start({}, (args, { node }) => (node === 0 ? SILENCE : undefined));
  const defaults = { socket: { connectTimeout: 200 } };
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds.slice(1), defaults });
  const events = collectEvents(cluster);
  const begin = performance.now();
  await cluster.connect();
  const took = performance.now() - begin;
  assert.ok(took < 180, `${took} ms`);
  assert.equal(await cluster.get('c'), 'node 1');
  // Nothing is known of the silent one before its time is over.
  await until(() => events.some(([name]) => name === 'node-error'));
  const [, error] = events.find(([name]) => name === 'node-error');
  assert.equal(error.message, 'Connection timeout');
  cluster.destroy();
  await servers.close();
});
