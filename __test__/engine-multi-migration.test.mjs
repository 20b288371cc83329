// Transactions while their slots move between real nodes: never half of one, none lost, none twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, SLOTS } from './support/engine-client.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';

const TAGS = Object.keys(SLOTS);
const PAIRS = 12;
const ROUNDS = 3;
const pairOf = (tag, index) => [`{${tag}}left${index}`, `{${tag}}right${index}`];

/** Counts both keys of a pair up, again and again; returns how often. */
async function countUp(client, [left, right], state) {
  let count = 0;
  while (!state.isOver) {
    const [one, other] = await client.multi().incr(left).incr(right).exec();
    count += 1;
    assert.deepEqual([one, other], [count, count], `${left} and ${right}`);
    // Reads in the middle of it see both or none.
    const [before, after] = await client.multi().get(left).get(right).exec();
    assert.deepEqual([before, after], [`${count}`, `${count}`]);
  }
  return count;
}

forEachServer((server) => {
  const getServers = sharedCluster(server);

  test('pairs of counters stay equal while their slots move back and forth', async () => {
    const servers = getServers();
    const client = createCluster({ rootNodes: servers.seeds });
    client.on('error', () => {});
    await client.connect();
    try {
      const state = { isOver: false };
      const pairs = TAGS.flatMap((tag) => Array.from({ length: PAIRS }, (_, i) => pairOf(tag, i)));
      const writers = pairs.map((pair) => countUp(client, pair, state));
      const failure = Promise.all(writers).then(() => undefined, (error) => error);
      for (let round = 0; round < ROUNDS; round++) {
        for (const tag of TAGS) {
          const from = servers.primaryOf(SLOTS[tag]);
          const to = servers.primaries.find((node) => node !== from);
          // One key at a time: in between, the two keys of a pair are on different nodes.
          const onPhase = () => sleep(3);
          await servers.migrateSlot(SLOTS[tag], to.port, { keysPerCall: 1, onPhase });
        }
      }
      state.isOver = true;
      assert.equal(await failure, undefined);
      const counts = await Promise.all(writers);
      const values = await Promise.all(pairs.map(([left, right]) => client.mGet([left, right])));
      assert.deepEqual(values, counts.map((count) => [`${count}`, `${count}`]));
      const { moved, ask } = client.redirects();
      assert.ok(moved > 0 && ask > 0, `${moved} times MOVED, ${ask} times ASK`);
      assert.ok(counts.every((count) => count > ROUNDS), `${counts}`);
    } finally {
      client.destroy();
    }
  });
});
