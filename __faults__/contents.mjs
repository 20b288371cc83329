// Reads everything that the load may have written from the primaries themselves.

import { counterKey, listKey, pairKeys, setKey, slotOf } from './keys.mjs';
import { RawConnection } from './raw-connection.mjs';
import { isRunning, ownersAt } from './servers.mjs';

const BATCH = 1_000;

/** Per kind of lane: the keys of one command that hold text. */
const TEXT_KEYS = {
  set: (lane, index) => [setKey(lane.worker, index)],
  mset: (lane, index) => pairKeys('mset', lane.worker, index),
  multi: (lane, index) => pairKeys('multi', lane.worker, index),
};

/**
 * @param {import('../scripts/local-cluster.mjs').LocalCluster} cluster whose nodes agree
 * @param {import('./ledger.mjs').Lane[]} lanes
 * @returns {Promise<import('./audit.mjs').Contents>}
 */
export async function readContents(cluster, lanes) {
  const tags = new Set(lanes.flatMap(({ worker }) => worker.tags));
  const texts = [...tags].map(counterKey);
  for (const lane of lanes) {
    const keysOf = TEXT_KEYS[lane.kind];
    if (keysOf === undefined) continue;
    for (let index = 0; index < lane.issued.length; index++) texts.push(...keysOf(lane, index));
  }
  const primaries = await openPrimaries(cluster);
  try {
    const text = await readAll(primaries, texts, (key) => ['GET', key]);
    const list = await readAll(primaries, [...tags].map(listKey), (key) => [
      ...['LRANGE', key, '0', '-1'],
    ]);
    return { text: (key) => text.get(key) ?? null, list: (key) => list.get(key) ?? [] };
  } finally {
    primaries.close();
  }
}

async function openPrimaries(cluster) {
  const owners = await ownersAt(cluster.nodes.find(isRunning).port);
  const connections = new Map();
  for (const port of new Set(owners)) connections.set(port, new RawConnection(port));
  return {
    send: (key, command) => connections.get(owners[slotOf(key)]).send(...command),
    close() {
      for (const connection of connections.values()) connection.close();
    },
  };
}

/** @returns {Promise<Map<string, any>>} reply by key */
async function readAll(primaries, keys, commandFor) {
  const found = new Map();
  for (let start = 0; start < keys.length; start += BATCH) {
    const batch = keys.slice(start, start + BATCH);
    const replies = await Promise.all(batch.map((key) => primaries.send(key, commandFor(key))));
    for (const [at, reply] of replies.entries()) found.set(batch[at], reply);
  }
  return found;
}
