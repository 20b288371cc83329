// Which keys the workers use: the load writes them, the audit reads them again.

import { createRequire } from 'node:module';

// A dependency of @redis/client, and found from there.
const require = createRequire(createRequire(import.meta.url).resolve('@redis/client'));
/** @type {(key: string) => number} */
export const slotOf = require('cluster-key-slot');

/** A worker stays with one tag for this many commands of a lane, then takes the next. */
const COMMANDS_PER_TAG = 8;

/**
 * @typedef {object} Worker
 * @property {number} id
 * @property {number} shard the shard that owns all of its slots at the start
 * @property {string[]} tags hash tags, each in another slot; no two workers share one
 */

/**
 * Hash tags whose slots lie in a range.
 *
 * @param {string} prefix
 * @param {{ first: number, last: number }} range
 * @param {number} count
 */
export function tagsIn(prefix, { first, last }, count) {
  const tags = [];
  const used = new Set();
  for (let attempt = 0; tags.length < count; attempt++) {
    const tag = `${prefix}${attempt}`;
    const slot = slotOf(tag);
    if (slot < first || slot > last || used.has(slot)) continue;
    used.add(slot);
    tags.push(tag);
  }
  return tags;
}

/** @param {Worker} worker @param {number} index of the command within its lane */
export const tagIndex = ({ tags }, index) => Math.floor(index / COMMANDS_PER_TAG) % tags.length;

const tagOf = (worker, index) => worker.tags[tagIndex(worker, index)];

export const counterKey = (tag) => `faults:count:{${tag}}`;
export const listKey = (tag) => `faults:list:{${tag}}`;
export const setKey = (worker, index) => `faults:set:{${tagOf(worker, index)}}:${index}`;
export const setValue = (worker, index) => `value ${index} of worker ${worker.id}`;

/** The two keys that one MSET, or one transaction, writes together. */
export const pairKeys = (kind, worker, index) =>
  ['a', 'b'].map((half) => `faults:${kind}:{${tagOf(worker, index)}}:${index}:${half}`);
export const pairValue = (worker, index) => `pair ${index} of worker ${worker.id}`;
