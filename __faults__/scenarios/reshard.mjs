// 2000 slots move live to another primary, key by key, under commands with several keys.

import { setTimeout as sleep } from 'node:timers/promises';
import { errorCounts, membersOf } from '../servers.mjs';
import * as targets from '../targets.mjs';
import { underLoad } from '../under-load.mjs';

const SLOTS = 2_000;
const TAGS = 24;
const PACE_MS = 6;
/** A slot that has keys is half moved for a while, so that commands meet it. */
const SINGLE_KEYS = 10;
const PAUSE_PER_KEY_MS = 8;
/** The others follow in one go: how long a slot takes must not depend on what the client wrote. */
const REST_KEYS = 10_000;

async function reshard({ cluster, story, log }) {
  const { primary: target } = await membersOf(cluster, 1);
  story.fault({ name: 'resharding', shards: [0] });
  let keys = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    if (slot % 500 === 0) log(`  slot ${slot} of ${SLOTS}`);
    await cluster.beginMigration(slot, target.port);
    keys += await moveHalfway(cluster, slot, target);
    keys += await cluster.moveKeys(slot, target.port, REST_KEYS);
    // What commands created meanwhile went to the target; the source gets no new keys.
    await cluster.finishMigration(slot, target.port);
  }
  const { ASK, MOVED, TRYAGAIN } = await errorCounts(cluster, 'ASK', 'MOVED', 'TRYAGAIN');
  if (!(ASK > 0 && MOVED > 0 && TRYAGAIN > 0)) throw new Error('no command met a moving slot');
  const answers = `servers answered ASK ${ASK}, MOVED ${MOVED}, TRYAGAIN ${TRYAGAIN} times`;
  story.prove(`${SLOTS} slots with ${keys} keys moved; ${answers}`);
}

/** @returns {Promise<number>} how many keys were moved, one by one */
async function moveHalfway(cluster, slot, target) {
  for (let moved = 0; moved < SINGLE_KEYS; moved++) {
    if ((await cluster.moveKeys(slot, target.port, 1)) === 0) return moved;
    await sleep(PAUSE_PER_KEY_MS);
  }
  return SINGLE_KEYS;
}

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'reshard',
    title: `${SLOTS} slots move live, with MSET, MGET and MULTI`,
    run: underLoad({
      load: {
        kinds: ['incr', 'set', 'push', 'get', 'mset', 'mget', 'multi'],
        paceMs: PACE_MS,
        tags: TAGS,
        ranges: [{ first: 0, last: SLOTS - 1 }],
      },
      act: reshard,
    }),
    targets: [...targets.NOTHING_FAILS, ...targets.INTEGRITY],
  },
];
