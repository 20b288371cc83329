// The figures of one scenario, out of the load's ledger and the story of what was done.

import { commandsOf, DONE, FAILED, histogram, PENDING } from './ledger.mjs';
import { MOMENT_MS } from './story.mjs';

/** The clients' default timeout is 5 s; what fails just before that has failed at its deadline. */
const DEADLINE_MS = 4_900;
const DESCRIBED = 5;

/**
 * @typedef {object} LoadFigures
 * @property {number} done commands that succeeded
 * @property {number} failedReads
 * @property {number} failedWrites
 * @property {number} strayFailures failed writes that were not under way during any fault
 * @property {number} earlyFailures commands that failed long before their deadline, writes that
 *   were under way when the fault began excepted
 * @property {number} hung promises that did not settle
 * @property {number} backMs the longest time from a recovery until every lane of its shards
 *   succeeds; Infinity if one does not
 * @property {number} stallMs the longest time that a lane wanted to go on and nothing succeeded
 * @property {number} stallElsewhereMs the same, of shards that no fault struck
 * @property {number} failedElsewhere failed commands of those shards
 * @property {Record<string, number>} errors how often each kind of error was seen
 */

/**
 * @param {import('./ledger.mjs').Lane[]} lanes
 * @param {import('./story.mjs').Story} story
 * @param {number} stoppedAt when the load ended
 * @returns {LoadFigures}
 */
export function loadFigures(lanes, story, stoppedAt) {
  const commands = [...commandsOf(lanes)];
  const failed = commands.filter(({ outcome }) => outcome === FAILED);
  const failedWrites = failed.filter(({ lane }) => lane.writes);
  const strays = failedWrites.filter((command) => !isDuringFault(command, story));
  const early = failed.filter((command) => isEarly(command, story));
  const struck = new Set(story.faults.flatMap(({ shards }) => shards));
  const elsewhere = lanes.filter(({ worker }) => !struck.has(worker.shard));
  const stallOf = (some) => Math.max(0, ...some.map((lane) => longestStall(lane, stoppedAt).ms));
  return {
    done: commands.filter(({ outcome }) => outcome === DONE).length,
    failedReads: failed.length - failedWrites.length,
    failedWrites: failedWrites.length,
    strayFailures: strays.length,
    earlyFailures: early.length,
    hung: commands.filter(({ outcome }) => outcome === PENDING).length,
    backMs: back(lanes, story, stoppedAt),
    stallMs: stallOf(lanes),
    stallElsewhereMs: stallOf(elsewhere),
    failedElsewhere: failed.filter(({ lane }) => elsewhere.includes(lane)).length,
    errors: histogram(failed.map(({ lane, index }) => lane.errors.get(index))),
  };
}

/** The first failures of a kind that no fault excuses, in words. */
export function describeFailures(lanes, story) {
  const failed = [...commandsOf(lanes)].filter(({ outcome }) => outcome === FAILED);
  return failed
    .filter(({ lane, ...command }) => !lane.writes || !isDuringFault({ lane, ...command }, story))
    .slice(0, DESCRIBED)
    .map(({ lane, index, issued, settled }) => {
      const { id, shard } = lane.worker;
      const waited = Math.round(settled - issued);
      const who = `${lane.kind} ${index} of worker ${id} (shard ${shard})`;
      const since = sinceFault(settled, story);
      return `failed: ${who} after ${waited} ms, ${since}: ${lane.errors.get(index)}`;
    });
}

/** The longest stall, in words. */
export function describeStall(lanes, story, stoppedAt) {
  const stalls = lanes.map((lane) => ({ lane, ...longestStall(lane, stoppedAt) }));
  const { lane, ms, from } = stalls.reduce((one, other) => (other.ms > one.ms ? other : one));
  const { id, shard } = lane.worker;
  const who = `${lane.kind} of worker ${id} (shard ${shard})`;
  return `longest stall: ${who}, ${Math.round(ms)} ms, ${sinceFault(from, story)}`;
}

function sinceFault(time, { faults }) {
  const last = faults.findLast(({ at }) => at <= time);
  if (last === undefined) return 'before any fault';
  return `${Math.round(time - last.at)} ms after ${last.name}`;
}

function isDuringFault({ lane, issued, settled }, { faults }) {
  return faults.some(
    ({ shards, at, until }) =>
      shards.includes(lane.worker.shard) && issued <= until && settled >= at,
  );
}

function isEarly({ lane, issued, settled }, { faults }) {
  const wasUnderWay = faults.some(({ at }) => issued <= at + MOMENT_MS && settled >= at);
  return settled - issued < DEADLINE_MS && !(lane.writes && wasUnderWay);
}

/** @returns {number} NaN when nothing had to come back */
function back(lanes, { faults, recoveries }, stoppedAt) {
  const times = recoveries.flatMap(({ at, shards }) => {
    const nextFault = faults.filter((fault) => fault.at > at).map((fault) => fault.at);
    const end = Math.min(stoppedAt, ...nextFault);
    return lanes
      .filter(({ worker }) => shards.includes(worker.shard))
      .map((lane) => succeedsAgain(lane, at, end) - at);
  });
  return times.length === 0 ? NaN : Math.max(...times);
}

/** When the lane succeeds after `from` without failing any more before `end`. */
function succeedsAgain(lane, from, end) {
  let lastFailure = from;
  for (let index = 0; index < lane.issued.length; index++) {
    const at = lane.settled[index];
    if (lane.outcome[index] === FAILED && at >= from && at < end) {
      lastFailure = Math.max(lastFailure, at);
    }
  }
  let first = Infinity;
  for (let index = 0; index < lane.issued.length; index++) {
    const at = lane.settled[index];
    if (lane.outcome[index] === DONE && at >= lastFailure) first = Math.min(first, at);
  }
  return first < end ? first : Infinity;
}

/** From wanting (a command is issued and nothing has succeeded since) to the next success. */
function longestStall(lane, stoppedAt) {
  const events = [];
  for (let index = 0; index < lane.issued.length; index++) {
    events.push({ at: lane.issued[index], change: 1, isSuccess: false });
    if (lane.outcome[index] !== PENDING) {
      const isSuccess = lane.outcome[index] === DONE;
      events.push({ at: lane.settled[index], change: -1, isSuccess });
    }
  }
  events.sort((one, other) => one.at - other.at);
  let longest = { ms: 0, from: NaN };
  let underWay = 0;
  let since;
  const endAt = (at) => {
    if (since !== undefined && at - since > longest.ms) longest = { ms: at - since, from: since };
  };
  for (const { at, change, isSuccess } of events) {
    underWay += change;
    if (change > 0) since ??= at;
    if (!isSuccess) continue;
    endAt(at);
    since = underWay > 0 ? at : undefined;
  }
  endAt(stoppedAt);
  return longest;
}

/** Writes that may have been under way in the shards of the faults when they began. */
export function writeCapacity(lanes, { faults }) {
  let capacity = 0;
  for (const { shards } of faults) {
    for (const { worker, writes, window } of lanes) {
      if (writes && shards.includes(worker.shard)) capacity += window;
    }
  }
  return capacity;
}
