// ASK: ASKING and the command as one unit to the other node, and nothing is remembered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  hideLastNode,
  onScriptedCluster,
  SLOTS,
  slotsAsked,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

const isMigrating = (key) => key.startsWith('{b}');

/**
 * The slot of `b` is on its way from node 0 to node 1: node 1 serves its keys right behind ASKING only.
 *
 * @param {{ afterAsking?: string }} state what node 1 answers then, instead of serving
 */
function migrating(state = {}) {
  const asking = new WeakSet();
  return (args, { node, connection, cluster }) => {
    const [name, key] = args;
    const isAllowed = asking.delete(connection);
    if (name === 'ASKING') asking.add(connection);
    if (name !== 'GET') return undefined;
    if (!isMigrating(key) || node === 2) return resp.bulk(`${node}:${key}`);
    if (node === 0) return resp.error(`ASK ${SLOTS.b} ${cluster.address(1)}`);
    if (!isAllowed) return resp.error(`MOVED ${SLOTS.b} ${cluster.address(0)}`);
    return state.afterAsking ?? resp.bulk(`${node}:${key}`);
  };
}

/** Fails unless each ASKING is directly followed by a command that needs it, and the other way round. */
function assertUnits(node) {
  const byConnection = new Map();
  for (const { args, connection } of node.received) {
    byConnection.set(connection, [...(byConnection.get(connection) ?? []), args]);
  }
  for (const commands of byConnection.values()) {
    commands.forEach(([name, key], at) => {
      const follower = commands[at + 1];
      if (name === 'ASKING')
        assert.ok(follower?.[0] === 'GET' && isMigrating(follower[1]), String(follower));
      if (name === 'GET' && isMigrating(key)) assert.deepEqual(commands[at - 1], ['ASKING'], key);
    });
  }
}

test('one command: followed, and the map stays as it is', async () => {
  await onScriptedCluster({ script: migrating() }, async ({ cluster, client }) => {
    const askedBefore = slotsAsked(cluster);
    for (const round of [1, 2]) {
      assert.equal(await client.get('{b}1'), '1:{b}1');
      assert.deepEqual(client.redirects(), { moved: 0, ask: round });
      assert.equal(userCommands(cluster.nodes[0]).length, round);
    }
    assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[0].port);
    assertUnits(cluster.nodes[1]);
    await sleep(100);
    assert.equal(slotsAsked(cluster), askedBefore);
  });
});

test('a burst, in between other commands of the node: units stay whole and in order', async () => {
  const COUNT = 2_000;
  await onScriptedCluster({ script: migrating() }, async ({ cluster, client }) => {
    const replies = [];
    for (let index = 0; index < COUNT; index++) {
      replies.push(client.get(`{b}${index}`), client.get(`{c}${index}`));
      // Not one tick: redirected commands come back while others are written.
      if (index % 100 === 99) await new Promise(setImmediate);
    }
    const expected = replies.map((_, at) => `1:{${at % 2 ? 'c' : 'b'}}${at >> 1}`);
    assert.deepEqual(await Promise.all(replies), expected);
    assert.deepEqual(client.redirects(), { moved: 0, ask: COUNT });
    assertUnits(cluster.nodes[1]);
    const migrated = userCommands(cluster.nodes[1]).filter(([, key]) => isMigrating(key));
    assert.deepEqual(
      migrated.map(([, key]) => key),
      Array.from({ length: COUNT }, (_, i) => `{b}${i}`),
    );
    assert.equal(cluster.nodes[1].commands('ASKING').length, COUNT);
  });
});

test('ASK, then MOVED: the last node is not asked, it owns', async () => {
  const state = {};
  await onScriptedCluster({ script: migrating(state) }, async ({ cluster, client }) => {
    state.afterAsking = resp.error(`MOVED ${SLOTS.b} ${cluster.address(2)}`);
    assert.equal(await client.get('{b}1'), '2:{b}1');
    assert.deepEqual(client.redirects(), { moved: 1, ask: 1 });
    assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[2].port);
    assert.deepEqual(cluster.nodes[2].commands('ASKING'), []);
    assertUnits(cluster.nodes[1]);
  });
});

test('ASK to a node that nobody knew', async () => {
  const script = (args, { node, cluster }) => {
    if (args[0] !== 'GET') return undefined;
    return node === 3 ? resp.bulk('3') : resp.error(`ASK ${SLOTS.b} ${cluster.address(3)}`);
  };
  const setup = { script, primaries: 4, prepare: hideLastNode };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    assert.equal(await client.get('{b}1'), '3');
    assertUnits(cluster.nodes[3]);
    assert.equal(client.masters.length, 3);
  });
});

test("the answer to ASKING is nobody's answer, also when it is an error", async () => {
  const script = (args, { node, cluster }) => {
    if (args[0] === 'ASKING') return resp.error('ERR This instance has cluster support disabled');
    if (args[0] !== 'GET') return undefined;
    return node === 0 ? resp.error(`ASK ${SLOTS.b} ${cluster.address(1)}`) : resp.bulk(args[1]);
  };
  await onScriptedCluster({ script }, async ({ client }) => {
    const keys = Array.from({ length: 20 }, (_, index) => `{b}${index}`);
    assert.deepEqual(await Promise.all(keys.map((key) => client.get(key))), keys);
  });
});
