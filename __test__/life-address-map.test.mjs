// nodeAddressMap: nodes behind a relay announce addresses that nobody can reach, as behind NAT.

import assert from 'node:assert/strict';
import { after, before, describe as suite, test } from 'node:test';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { Relay } from './support/relay.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';

/** Nothing listens on these, and 240.0.0.0/4 goes nowhere: a client that tries them fails at once. */
const INSIDE = '240.0.0.1';
const FIRST_INSIDE_PORT = 7000;
/** Slots 3300, 7365 and 15495: of the first, the second and the third node. */
const KEYS = ['b', 'c', 'a'];

suite('nodes behind a relay', () => {
  let servers;
  let relays;
  let redirect;
  before(async () => {
    servers = await startScriptedCluster({
      primaries: 3,
      script: ([name, key], { node }) => {
        if (name !== 'GET') return undefined;
        return redirect?.(key, node) ?? resp.bulk(`node ${node}`);
      },
    });
    servers.announce = (node) => [INSIDE, FIRST_INSIDE_PORT + node];
    relays = servers.nodes.map(() => new Relay());
    await Promise.all(relays.map((relay, node) => relay.listen(servers.nodes[node].port)));
  });
  after(async () => {
    await Promise.all(relays.map((relay) => relay.close()));
    await servers.close();
  });

  const outside = (node) => ({ host: '127.0.0.1', port: relays[node].port });
  const announced = (node) => `${INSIDE}:${FIRST_INSIDE_PORT + node}`;
  const table = () => Object.fromEntries([0, 1, 2].map((node) => [announced(node), outside(node)]));
  const byFunction = (address) => table()[address];
  const rootNodes = () => [{ socket: outside(0) }];

  for (const [label, nodeAddressMap] of [
    ['an object', table],
    ['a function', () => byFunction],
  ]) {
    test(`${label}: every connection goes by the relay, events carry its address`, async () => {
      const seen = [];
      for (const side of SIDES) {
        redirect = undefined;
        const before = relays.map(({ accepted }) => accepted);
        const cluster = side.package.createCluster({
          rootNodes: rootNodes(),
          nodeAddressMap: nodeAddressMap(),
        });
        const events = collectEvents(cluster);
        await cluster.connect();
        const replies = await Promise.all(KEYS.map((key) => cluster.get(key)));
        const addresses = [...cluster.nodeByAddress.keys()].sort();
        cluster.destroy();
        const ports = new Set(
          events.flatMap(([, node]) => (node === undefined ? [] : [`${node.host}:${node.port}`])),
        );
        seen.push({
          replies,
          addresses,
          ports: [...ports].sort(),
          names: events.map(([name]) => name).sort(),
          connections: relays.map(({ accepted }, node) => accepted - before[node]),
        });
      }
      const [theirs, ours] = seen;
      assert.deepEqual(ours, theirs);
      assert.deepEqual(ours.replies, ['node 0', 'node 1', 'node 2']);
      assert.deepEqual(ours.connections, [2, 1, 1], 'the root node once more, for its question');
      assert.deepEqual(
        ours.addresses,
        [0, 1, 2].map(announced),
        'nodes are named as they name themselves',
      );
    });
  }

  for (const [label, nodeAddressMap] of [
    ['an object', table],
    ['a function', () => byFunction],
  ]) {
    test(`${label}: the addresses in MOVED and ASK are mapped too`, async () => {
      redirect = undefined;
      // The third node owns nothing at first: only redirects lead to it.
      const { layout } = servers;
      servers.layout = [
        { first: 0, last: 8_191, nodes: [0] },
        { first: 8_192, last: 16_383, nodes: [1] },
      ];
      const cluster = subject.package.createCluster({
        rootNodes: rootNodes(),
        nodeAddressMap: nodeAddressMap(),
      });
      const events = collectEvents(cluster);
      try {
        await cluster.connect();
        const before = relays[2].accepted;
        redirect = (key, node) => (node === 0 ? resp.error(`ASK 3300 ${announced(2)}`) : undefined);
        assert.equal(await cluster.get('b'), 'node 2');
        redirect = (key, node) =>
          node === 0 ? resp.error(`MOVED 3300 ${announced(2)}`) : undefined;
        assert.equal(await cluster.get('b'), 'node 2');
        assert.equal(relays[2].accepted, before + 1);
        assert.deepEqual(cluster.redirects(), { moved: 1, ask: 1 });
        const ready = events.filter(([name]) => name === 'node-ready').map(([, node]) => node.port);
        assert.deepEqual(ready.at(-1), relays[2].port);
        assert.ok(!events.some(([name]) => name.includes('error')), JSON.stringify(events));
      } finally {
        cluster.destroy();
        servers.layout = layout;
      }
    });
  }

  test('what the map does not know is taken as announced', async () => {
    redirect = undefined;
    const { announce } = servers;
    servers.announce = (node) =>
      node === 2 ? ['127.0.0.1', servers.nodes[2].port] : announce(node);
    try {
      for (const side of SIDES) {
        for (const nodeAddressMap of [table(), byFunction]) {
          const cluster = side.package.createCluster({ rootNodes: rootNodes(), nodeAddressMap });
          await cluster.connect();
          assert.equal(await cluster.get('a'), 'node 2', side.name);
          cluster.destroy();
        }
      }
    } finally {
      servers.announce = announce;
    }
  });
});
