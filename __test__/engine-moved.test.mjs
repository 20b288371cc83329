// MOVED: followed at once, remembered at once, and the whole map asked for once, in the background.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assignSlot,
  hideLastNode,
  onScriptedCluster,
  SLOTS,
  slotsAsked,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

/** Longer than the test that it is used in, so that nothing is learnt from CLUSTER SLOTS. */
const SLOW_MS = 400;

/** GETs say which node answered; node 0 says MOVED for keys of `b` once `state.to` is set. */
function movingAway(state) {
  return (args, { node, cluster }) => {
    if (args[0] === 'CLUSTER' && state.slow) return [SLOW_MS, cluster.clusterSlots(node)];
    if (args[0] !== 'GET') return undefined;
    if (node === 0 && state.to !== undefined && args[1].startsWith('{b}')) {
      return resp.error(`MOVED ${SLOTS.b} ${state.to}`);
    }
    return resp.bulk(`${node}:${args[1]}`);
  };
}

test('the slot is patched at once, other slots stay, the map is asked for again', async () => {
  const state = {};
  await onScriptedCluster({ script: movingAway(state) }, async ({ cluster, client }) => {
    assert.equal(await client.get('{b}1'), '0:{b}1');
    Object.assign(state, { to: cluster.address(1), slow: true });
    assignSlot(cluster, SLOTS.b, 1);
    const askedBefore = slotsAsked(cluster);
    assert.equal(await client.get('{b}2'), '1:{b}2');
    assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[1].port);
    assert.equal(client.slots[SLOTS.f].master.port, cluster.nodes[0].port);
    assert.equal(await client.get('{b}3'), '1:{b}3');
    assert.equal(await client.get('f'), '0:f');
    assert.equal(await client.get('a'), '2:a');
    assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    assert.deepEqual(userCommands(cluster.nodes[0]), [
      ['GET', '{b}1'],
      ['GET', '{b}2'],
      ['GET', 'f'],
    ]);
    assert.deepEqual(userCommands(cluster.nodes[1]), [
      ['GET', '{b}2'],
      ['GET', '{b}3'],
    ]);
    await until(() => slotsAsked(cluster) === askedBefore + 1, 'a refresh');
  });
});

test('MOVED without end causes a few refreshes, and then one a second', async () => {
  const state = {};
  await onScriptedCluster({ script: movingAway(state) }, async ({ cluster, client }) => {
    state.to = cluster.address(1);
    // The map never changes: every refresh brings the old owner back, and MOVED goes on.
    const refreshes = () => slotsAsked(cluster);
    const moveFor = async (milliseconds) => {
      const startedAt = performance.now();
      const before = refreshes();
      while (performance.now() - startedAt < milliseconds) {
        const burst = Array.from({ length: 50 }, (_, index) => client.get(`{b}${index}`));
        assert.deepEqual(
          await Promise.all(burst),
          burst.map((_, index) => `1:{b}${index}`),
        );
        await sleep(5);
      }
      return [refreshes() - before, (performance.now() - startedAt) / 1_000];
    };
    // Each may be repeated three times, because a MOVED has overtaken it.
    const LOOKS = 4;
    const [first] = await moveFor(800);
    assert.ok(first >= 1 && first <= (1 + 4) * LOOKS, `${first} looks at first`);
    const [then, seconds] = await moveFor(2_000);
    assert.ok(then >= 1 && then <= (1 + Math.ceil(seconds)) * LOOKS, `${then} in ${seconds} s`);
    assert.ok(client.redirects().moved >= 50 * 4, `${client.redirects().moved} redirects`);
    // What came after the last one still brings one about; nobody has been redirected since.
    await sleep(1_500);
    const last = refreshes();
    await sleep(1_100);
    assert.equal(refreshes(), last);
  });
});

test('MOVED to a node that nobody knew adds it', async () => {
  const state = {};
  const prepare = (cluster) => {
    hideLastNode(cluster);
    state.to = cluster.address(3);
  };
  const setup = { script: movingAway(state), primaries: 4, prepare };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    assert.equal(cluster.nodes[3].accepted, 0);
    assignSlot(cluster, SLOTS.b, 3);
    assert.equal(await client.get('{b}1'), '3:{b}1');
    assert.equal(await client.get('{b}2'), '3:{b}2');
    assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    assert.ok(client.masters.some(({ port }) => port === cluster.nodes[3].port));
    assert.ok(client.nodeByAddress.has(cluster.address(3)));
  });
});

for (const [form, endpoint] of [
  ['no host', (port) => `:${port}`],
  ['an unknown host', (port) => `?:${port}`],
]) {
  test(`${form} means the host of the node that answered`, async () => {
    const state = {};
    await onScriptedCluster({ script: movingAway(state) }, async ({ cluster, client }) => {
      state.to = endpoint(cluster.nodes[1].port);
      assert.equal(await client.get('{b}1'), '1:{b}1');
      assert.equal(client.slots[SLOTS.b].master.address, cluster.address(1));
      // The node that is known already, not another one of the same address.
      assert.equal(client.masters.length, 3);
    });
  });
}

for (const [form, host] of [
  ['bare', '::1'],
  ['in brackets', '[::1]'],
]) {
  test(`an IPv6 endpoint, ${form}`, async () => {
    const state = {};
    const asked = [];
    const nodeAddressMap = (address) => {
      asked.push(address);
      return { host: '127.0.0.1', port: Number(address.split(':').at(-1)) };
    };
    const setup = { script: movingAway(state), options: { nodeAddressMap } };
    await onScriptedCluster(setup, async ({ cluster, client }) => {
      const { port } = cluster.nodes[1];
      state.to = `${host}:${port}`;
      assert.equal(await client.get('{b}1'), '1:{b}1');
      assert.ok(asked.includes(`::1:${port}`), asked.join(' '));
      assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    });
  });
}

test('what only looks like a redirect is the answer', async () => {
  const answers = {
    bulk: (text) => resp.bulk(text),
    simple: (text) => resp.simple(text),
    list: (text) => resp.array([resp.bulk(text), resp.error(text)]),
    error: (text) => resp.error(text),
  };
  const script = ([name, kind, text]) => (name === 'EVAL' ? answers[kind](text) : undefined);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const evaluate = (kind, text) => client.sendCommand('b', false, ['EVAL', kind, text]);
    const exact = `MOVED ${SLOTS.b} ${cluster.address(1)}`;
    assert.equal(await evaluate('bulk', exact), exact);
    assert.equal(await evaluate('simple', exact), exact);
    const [text, error] = await evaluate('list', exact);
    assert.deepEqual([text, error.message], [exact, exact]);
    const lookAlikes = [
      `ERR ${exact}`,
      `MOVED`,
      'MOVED soon',
      `MOVED 16384 ${cluster.address(1)}`,
      `moved 1 h:1`,
      `${exact} for good`,
      'ASK',
      'ASK me another',
      `ASKING 1 ${cluster.address(1)}`,
      'ASK 1 nowhere',
    ];
    for (const message of lookAlikes) await assert.rejects(evaluate('error', message), { message });
    assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
    assert.equal(userCommands(cluster.nodes[0]).length, 3 + lookAlikes.length);
    assert.deepEqual(userCommands(cluster.nodes[1]), []);
  });
});
