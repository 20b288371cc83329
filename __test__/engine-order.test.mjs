// Commands of one slot arrive in the order in which they were given, whatever happens to the slot.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assignSlot,
  createCluster,
  hideLastNode,
  onScriptedCluster,
  SLOTS,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';

const numbersTo = (count) => Array.from({ length: count }, (_, index) => String(index));
const numbersAt = (node) =>
  userCommands(node)
    .filter(([name]) => name === 'APPEND')
    .map((args) => args[2]);

/**
 * Nodes in `state.moved` answer MOVED to their successor, each after a while; the others append.
 *
 * @param {{ moved: Map<number, number> }} state from node to its successor
 */
function slowlyMoving(state) {
  return (args, { node, cluster }) => {
    if (args[0] === 'GET') return resp.bulk(String(node));
    if (args[0] !== 'APPEND') return undefined;
    const to = state.moved.get(node);
    return to === undefined
      ? resp.number(1)
      : [4, resp.error(`MOVED ${SLOTS.b} ${cluster.address(to)}`)];
  };
}

/** Appends 0, 1, 2, ... without waiting for answers, in ticks of their own; then waits for all. */
async function appendSlowly(client, count) {
  const appended = [];
  for (const number of numbersTo(count)) {
    appended.push(client.append('b', number));
    if (appended.length % 3 === 0) await sleep(1);
  }
  await Promise.all(appended);
}

for (const [what, to, primaries] of [
  ['a node that is connected', 1, 3],
  ['a node that nobody knew', 3, 4],
]) {
  test(`the old owner takes its time to say MOVED to ${what}; others do not wait`, async () => {
    const COUNT = 120;
    const state = { moved: new Map([[0, to]]) };
    const prepare = primaries === 4 ? hideLastNode : undefined;
    const setup = { script: slowlyMoving(state), primaries, prepare };
    await onScriptedCluster(setup, async ({ cluster, client }) => {
      assignSlot(cluster, SLOTS.b, to);
      const done = appendSlowly(client, COUNT);
      // Of another slot of another node, while the slot of `b` is held.
      await sleep(10);
      const startedAt = performance.now();
      for (let count = 0; count < 10; count++) assert.equal(await client.get('a'), '2');
      const othersTook = performance.now() - startedAt;
      await done;
      assert.deepEqual(numbersAt(cluster.nodes[to]), numbersTo(COUNT));
      const { moved } = client.redirects();
      assert.equal(numbersAt(cluster.nodes[0]).length, moved);
      // Several were on their way when the first MOVED came, the rest went straight to the new owner.
      assert.ok(moved >= 2 && moved <= COUNT / 2, `${moved} redirects`);
      assert.ok(othersTook < 100, `${othersTook} ms`);
    });
  });
}

test('the slot moves on while its commands are still coming from its first owner', async () => {
  const COUNT = 120;
  const state = {
    moved: new Map([
      [0, 1],
      [1, 2],
    ]),
  };
  await onScriptedCluster({ script: slowlyMoving(state) }, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 2);
    await appendSlowly(client, COUNT);
    assert.deepEqual(numbersAt(cluster.nodes[2]), numbersTo(COUNT));
    assert.ok(numbersAt(cluster.nodes[1]).length >= 2);
    const redirected = numbersAt(cluster.nodes[0]).length + numbersAt(cluster.nodes[1]).length;
    assert.equal(client.redirects().moved, redirected);
  });
});

test('sent on to a node that leaves the cluster before it is reached', async () => {
  const script = ([name, , number], { node, cluster }) => {
    if (name === 'HELLO' && node === 3) return SILENCE;
    if (name !== 'APPEND') return undefined;
    if (node === 1) return resp.number(1);
    return number === '0'
      ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(3)}`)
      : [200, resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`)];
  };
  const setup = { script, primaries: 4, prepare: hideLastNode };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 1);
    const older = ['0', '1'].map((number) => client.append('b', number));
    await until(() => client.redirects().moved === 1);
    const younger = ['2', '3'].map((number) => client.append('b', number));
    await Promise.all([...older, ...younger]);
    assert.deepEqual(numbersAt(cluster.nodes[1]), numbersTo(4));
    assert.ok(cluster.nodes[3].accepted > 0);
  });
});

test('commands of other slots pass those that wait, and keep their own order', async () => {
  const state = { moved: new Map([[0, 1]]) };
  await onScriptedCluster({ script: slowlyMoving(state) }, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 1);
    const moving = Array.from({ length: 20 }, () => client.append('b', 'x'));
    await moving[0];
    const inOrder = [];
    const others = numbersTo(30).map((key) =>
      client.get(`{c}${key}`).then(() => inOrder.push(key)),
    );
    await Promise.all(others);
    assert.deepEqual(inOrder, numbersTo(30));
    assert.deepEqual(
      userCommands(cluster.nodes[1])
        .filter(([name]) => name === 'GET')
        .map(([, key]) => key),
      numbersTo(30).map((key) => `{c}${key}`),
    );
    await Promise.all(moving);
  });
});

forEachServer((server) => {
  const running = sharedCluster(server);

  test('slots move back and forth under several writers: nothing lost, doubled or out of order', async () => {
    const cluster = running();
    const keys = ['a', 'b', 'c'];
    const client = createCluster({ rootNodes: cluster.seeds });
    client.on('error', () => {});
    await client.connect();
    try {
      let isMigrating = true;
      const writing = keys.map(async (key) => {
        const pushed = [];
        while (isMigrating) {
          for (let count = 0; count < 20; count++)
            pushed.push(client.rPush(key, String(pushed.length)));
          await new Promise(setImmediate);
          // Not more than this in flight, so that there is always something and never too much.
          if (pushed.length > 400) await pushed[pushed.length - 400];
        }
        await Promise.all(pushed);
        return pushed.length;
      });
      const [first, second] = cluster.primaries;
      for (let round = 0; round < 6; round++) {
        for (const key of keys) {
          const from = cluster.primaryOf(SLOTS[key]);
          const to = from === first ? second : first;
          await cluster.migrateSlot(SLOTS[key], to.port, { onPhase: () => sleep(5) });
        }
      }
      isMigrating = false;
      const counts = await Promise.all(writing);
      for (const [at, key] of keys.entries()) {
        assert.ok(counts[at] > 500, `only ${counts[at]} were written`);
        assert.deepEqual(await client.lRange(key, 0, -1), numbersTo(counts[at]));
      }
      const { moved, ask } = client.redirects();
      assert.ok(moved > 0 && ask > 0, `${moved} MOVED and ${ask} ASK were followed`);
    } finally {
      client.destroy();
    }
  });
});
