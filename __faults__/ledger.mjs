// What the load knows of its commands: when each was issued and settled, and how it ended.

export const PENDING = 0;
export const DONE = 1;
export const FAILED = 2;

const MESSAGE_KEPT = 200;

/**
 * @typedef {object} Lane the commands of one kind of one worker, in the order in which they were
 *   issued. Plain data: it travels between processes.
 * @property {import('./keys.mjs').Worker} worker
 * @property {string} kind
 * @property {boolean} writes
 * @property {number} window how many may be under way at once
 * @property {number[]} issued when, on the clock of the run
 * @property {number[]} settled when; 0 if never
 * @property {number[]} outcome PENDING, DONE or FAILED
 * @property {number[]} replies what INCR answered
 * @property {Map<number, string>} errors by index
 * @property {BadReply[]} bad replies that cannot be right
 *
 * @typedef {object} BadReply
 * @property {number} index
 * @property {'stale' | 'wrong'} verdict stale: older than an acknowledged write; wrong: never written
 * @property {string} got
 * @property {number} [acknowledged] when the write was that a stale reply misses
 */

/** @returns {Lane} */
export function createLane(worker, { kind, writes, window }) {
  const lists = { issued: [], settled: [], outcome: [], replies: [], bad: [] };
  return { worker, kind, writes, window, ...lists, errors: new Map() };
}

/** Notes that a command is issued. @returns {number} its index */
export function issue(lane, at) {
  lane.settled.push(0);
  lane.outcome.push(PENDING);
  return lane.issued.push(at) - 1;
}

export function settle(lane, index, at, outcome) {
  lane.settled[index] = at;
  lane.outcome[index] = outcome;
}

/** All commands of the lanes, one object each. Slow and readable: for figures and checks. */
export function* commandsOf(lanes) {
  for (const lane of lanes) {
    for (let index = 0; index < lane.issued.length; index++) {
      yield {
        lane,
        index,
        issued: lane.issued[index],
        settled: lane.settled[index],
        outcome: lane.outcome[index],
      };
    }
  }
}

/** An error in few words, with the numbers taken out, so that equal errors count as equal. */
export function describeError(error) {
  const name = error?.constructor?.name ?? typeof error;
  const message = String(error?.message ?? error)
    .split('\n')[0]
    .replace(/\d+(\.\d+)*/g, 'N');
  return `${name}: ${message.slice(0, MESSAGE_KEPT)}`;
}

/** @param {Iterable<string>} labels @returns {Record<string, number>} most frequent first */
export function histogram(labels) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
