// Keys of several slots on real servers: in parts, while slots move, too; all or nothing is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, ours, SLOTS } from './support/engine-client.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';
import { slotOf } from './support/split-nodes.mjs';

const { SimpleError } = ours;
const MOVES = 40;
const KEYS = Array.from({ length: 100 }, (_, index) => `moving:${index}`);

async function withClient(running, use) {
  const client = createCluster({ rootNodes: running().seeds });
  await client.connect();
  try {
    await use(client);
  } finally {
    client.destroy();
  }
}

/** Moves slots of some keys from the first primary to the second and back, one after the other. */
async function moveBackAndForth(cluster, keys, state) {
  const [first, second] = cluster.primaries;
  const slots = [...new Set(keys.map(slotOf))].filter((slot) => cluster.primaryOf(slot) === first);
  for (const slot of slots.slice(0, MOVES / 2)) {
    for (const to of [second, first]) {
      await cluster.migrateSlot(slot, to.port, { keysPerCall: 1, onPhase: () => sleep(5) });
      state.moves += 1;
    }
  }
}

forEachServer((server) => {
  const running = sharedCluster(server);

  test('of one node or of several, and of many keys', async () => {
    const cluster = running();
    assert.notEqual(cluster.primaryOf(SLOTS.a).port, cluster.primaryOf(SLOTS.b).port);
    assert.equal(cluster.primaryOf(SLOTS.b).port, cluster.primaryOf(SLOTS.f).port);
    await withClient(running, async (client) => {
      for (const keys of [['a', 'b'], ['b', 'f'], ['a', 'b', 'c', 'f', '{b}2']]) {
        assert.equal(await client.mSet(keys.map((key) => [key, `of ${key}`])), 'OK');
        assert.deepEqual(await client.mGet(keys), keys.map((key) => `of ${key}`));
        assert.equal(await client.exists([...keys, 'missing']), keys.length);
        assert.equal(await client.del([...keys, 'missing']), keys.length);
        assert.deepEqual(await client.mGet(keys), keys.map(() => null));
      }
      assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
    });
  });

  test('MSETNX: CROSSSLOT with the reason, and nothing is changed', async () => {
    await withClient(running, async (client) => {
      for (const run of [
        () => client.mSetNX([['a', '1'], ['b', '1']]),
        () => client.mSetNX({ b: '1', f: '1' }),
        () => client.sendCommand('b', false, ['msetnx', 'b', '1', 'f', '1']),
      ]) {
        await assert.rejects(run(), (error) => {
          assert.ok(error instanceof SimpleError, String(error));
          assert.match(error.message, /^CROSSSLOT MSETNX sets all keys or none, .*hash tag/);
          return true;
        });
      }
      assert.equal(await client.exists(['a', 'b', 'f']), 0);
      assert.equal(await client.mSetNX([['{b}1', '1'], ['{b}2', '2']]), 1, 'one slot is served');
      assert.equal(await client.del(['{b}1', '{b}2']), 2);
    });
  });

  test('slots move back and forth: no error, and every value is right', async () => {
    const cluster = running();
    await withClient(running, async (client) => {
      const state = { moves: 0 };
      const writing = (async () => {
        for (let round = 0; state.moves < MOVES; round++) {
          const values = KEYS.map((key) => `${round} of ${key}`);
          assert.equal(await client.mSet(KEYS.map((key, at) => [key, values[at]])), 'OK');
          assert.deepEqual(await client.mGet(KEYS), values);
          assert.equal(await client.exists(KEYS), KEYS.length);
          if (round % 3 > 0) continue;
          assert.equal(await client.del(KEYS), KEYS.length);
          assert.deepEqual(await client.mGet(KEYS), KEYS.map(() => null));
        }
      })();
      await Promise.all([writing, moveBackAndForth(cluster, KEYS, state)]);
      const { moved, ask } = client.redirects();
      assert.ok(moved > 0 && ask > 0, `${moved} MOVED and ${ask} ASK in ${state.moves} moves`);
      await client.unlink(KEYS);
    });
  });
});
