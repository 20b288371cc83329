// Compares what the servers hold in the end with what the load knows to be acknowledged.

import { counterKey, listKey, pairKeys, pairValue, setKey, setValue, tagIndex } from './keys.mjs';
import { DONE } from './ledger.mjs';
import { MOMENT_MS } from './story.mjs';

/**
 * Replication is asynchronous: what a primary acknowledged this long before it was killed or
 * stopped, it may not have told its replica. Redis loses it, whatever the client does.
 */
export const UNREPLICATED_MS = 100;

/**
 * @typedef {object} Contents what the servers hold
 * @property {(key: string) => string | null} text
 * @property {(key: string) => string[]} list
 *
 * @typedef {object} Findings
 * @property {number} lost acknowledged writes that are not there
 * @property {number} unreplicated those of them that Redis itself may lose
 * @property {number} twice writes that were applied more often than they were issued
 * @property {number} reordered acknowledged pushes that stand behind a younger one
 * @property {number} stale reads that were older than an acknowledged write
 * @property {number} wrong replies and values that were never written, and halves of a whole
 * @property {string[]} details the first of each kind, in words
 */

const DETAILS_KEPT = 20;

/**
 * @param {import('./ledger.mjs').Lane[]} lanes
 * @param {Contents} contents
 * @param {import('./story.mjs').Fault[]} faults
 * @returns {Findings}
 */
export function judge(lanes, contents, faults) {
  const findings = { lost: 0, unreplicated: 0, twice: 0, reordered: 0, stale: 0, wrong: 0 };
  const details = [];
  const find = (kind, count, text) => {
    if (count === 0) return;
    findings[kind] += count;
    if (details.length < DETAILS_KEPT)
      details.push(`${kind}: ${count > 1 ? `${count} x ` : ''}${text}`);
  };
  for (const lane of lanes) {
    const { shard } = lane.worker;
    const mayBeUnreplicated = (at) => faults.some((fault) => isUnreplicated(fault, shard, at));
    judgeReplies(lane, mayBeUnreplicated, find);
    const judgeLane = JUDGES[lane.kind];
    if (judgeLane) judgeLane({ lane, contents, mayBeUnreplicated, find });
  }
  return { ...findings, details };
}

function isUnreplicated({ losesUnreplicated, shards, at }, shard, acknowledged) {
  return (
    losesUnreplicated &&
    shards.includes(shard) &&
    // A reply may lie in the client's socket when its server is gone already.
    acknowledged > at - UNREPLICATED_MS &&
    acknowledged < at + MOMENT_MS
  );
}

function judgeReplies(lane, mayBeUnreplicated, find) {
  for (const { index, verdict, got, acknowledged } of lane.bad) {
    if (verdict === 'stale' && mayBeUnreplicated(acknowledged)) continue;
    find(verdict, 1, `${lane.kind} ${index} of worker ${lane.worker.id} got ${got}`);
  }
}

const JUDGES = {
  incr: forEachTag(judgeCounter),
  push: forEachTag(judgeList),
  set: judgeKeys((lane, index) => ({
    keys: [setKey(lane.worker, index)],
    value: setValue(lane.worker, index),
  })),
  mset: judgeKeys(pairOf),
  multi: judgeKeys(pairOf),
};

function pairOf({ kind, worker }, index) {
  return { keys: pairKeys(kind, worker, index), value: pairValue(worker, index) };
}

/** One counter and one list per tag; each is judged with the commands that were meant for it. */
function forEachTag(judgeTag) {
  return ({ lane, ...rest }) => {
    const perTag = lane.worker.tags.map(() => []);
    for (let index = 0; index < lane.issued.length; index++) {
      perTag[tagIndex(lane.worker, index)].push(index);
    }
    for (const [at, indexes] of perTag.entries()) {
      judgeTag({ lane, tag: lane.worker.tags[at], indexes, ...rest });
    }
  };
}

/**
 * Follows a counter from reply to reply. Each acknowledged INCR is one more; each that failed may
 * be one more, once. What exceeds that was applied twice; acknowledged counts that the counter
 * falls behind of were lost.
 */
function judgeCounter({ lane, tag, indexes, contents, mayBeUnreplicated, find }) {
  const key = counterKey(tag);
  /** Acknowledged and, as far as known, still there; counts grow. */
  const acknowledged = [];
  let count = 0;
  let unknown = 0;
  const compare = (found) => {
    while (acknowledged.length > 0 && acknowledged.at(-1).count > found) {
      const { count: lostCount, at } = acknowledged.pop();
      const kind = mayBeUnreplicated(at) ? 'unreplicated' : 'lost';
      find(kind, 1, `increment ${lostCount} of ${key}, which was at ${found} later`);
    }
    const extra = Math.max(0, found - count);
    find('twice', Math.max(0, extra - unknown), `increments of ${key}: ${found}, not ${count}`);
    unknown -= Math.min(extra, unknown);
    count = found;
  };
  for (const index of indexes) {
    if (lane.outcome[index] !== DONE || !Number.isSafeInteger(lane.replies[index])) {
      unknown++;
      continue;
    }
    compare(lane.replies[index] - 1);
    count++;
    acknowledged.push({ count, at: lane.settled[index] });
  }
  compare(Number(contents.text(key) ?? 0));
}

function judgeList({ lane, tag, indexes, contents, mayBeUnreplicated, find }) {
  const key = listKey(tag);
  const elements = contents.list(key).map(Number);
  const times = new Map();
  for (const element of elements) times.set(element, (times.get(element) ?? 0) + 1);
  const known = new Set(indexes);
  let newest = -1;
  for (const element of times.keys()) {
    if (!known.has(element)) find('wrong', 1, `${key} has ${element}`);
    else if (lane.outcome[element] !== DONE) continue;
    else if (element < newest) find('reordered', 1, `${key}: ${element} behind ${newest}`);
    else newest = element;
  }
  for (const index of indexes) {
    const found = times.get(index) ?? 0;
    if (found > 1) find('twice', found - 1, `${key} has ${index} ${found} times`);
    if (found > 0 || lane.outcome[index] !== DONE) continue;
    const kind = mayBeUnreplicated(lane.settled[index]) ? 'unreplicated' : 'lost';
    find(kind, 1, `${key} lacks ${index}`);
  }
}

/** Keys that are written once. Those of one command must all be there, or none. */
function judgeKeys(written) {
  return ({ lane, contents, mayBeUnreplicated, find }) => {
    for (let index = 0; index < lane.issued.length; index++) {
      const { keys, value } = written(lane, index);
      const found = keys.map((key) => contents.text(key));
      const present = found.filter((one) => one !== null);
      if (present.some((one) => one !== value)) find('wrong', 1, `${keys[0]} is ${present[0]}`);
      else if (present.length === keys.length) continue;
      else if (present.length > 0) find('wrong', 1, `only half of ${keys[0]} is there`);
      else if (lane.outcome[index] !== DONE) continue;
      else find(mayBeUnreplicated(lane.settled[index]) ? 'unreplicated' : 'lost', 1, keys[0]);
    }
  };
}
