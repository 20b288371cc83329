// What is promised in each scenario: figures and their bounds. Only this package is held to them.

/**
 * @typedef {object} Target
 * @property {string} what
 * @property {(figures: any) => number} figure
 * @property {(figures: any) => number} bound
 * @property {'<=' | '>='} relation
 *
 * @typedef {{ what: string, value: number, bound: number, relation: string, isMet: boolean }} Verdict
 */

/**
 * @param {string} what
 * @param {string | ((figures: any) => number)} figure its name, or how to get it
 * @param {number | ((figures: any) => number)} bound
 * @returns {Target}
 */
export function atMost(what, figure, bound) {
  return {
    what,
    relation: '<=',
    figure: typeof figure === 'string' ? (figures) => figures[figure] : figure,
    bound: typeof bound === 'number' ? () => bound : bound,
  };
}

export const atLeast = (what, figure, bound) => ({
  ...atMost(what, figure, bound),
  relation: /** @type {const} */ ('>='),
});

export const none = (what, figure) => atMost(what, figure, 0);

/** No fault excuses these. */
export const INTEGRITY = [
  none('promises that never settle', 'hung'),
  none('acknowledged writes lost', 'lost'),
  none('writes applied twice', 'twice'),
  none('pushes out of order', 'reordered'),
  none('stale reads', 'stale'),
  none('wrong replies', 'wrong'),
];

export const NOTHING_FAILS = [
  none('failed reads', 'failedReads'),
  none('failed writes', 'failedWrites'),
];

/** Reads can be repeated; of the writes, only those may fail of which nobody knows whether they ran. */
export const ONLY_WRITES_IN_FLIGHT_FAIL = [
  none('failed reads', 'failedReads'),
  atMost('failed writes, at most those in flight', 'failedWrites', (f) => f.writeCapacity),
  none('failed writes that were not in flight during the fault', 'strayFailures'),
];

export const OTHER_SHARDS_UNTOUCHED = [
  none('failed commands of other shards', 'failedElsewhere'),
  atMost('longest stall of other shards, ms', 'stallElsewhereMs', 100),
];

export const backWithin = (ms) => [atMost('back after, ms', 'backMs', ms)];

/** The servers' own outage is what the probe saw; it is not the client's. */
export const STALL_BEYOND_SERVERS = [
  atMost('longest stall beyond the servers, ms', (f) => f.stallMs - f.outageMs, 100),
];

/** @param {Target[]} targets @returns {Verdict[]} a figure that is missing is not met */
export function checkTargets(targets, figures) {
  return targets.map(({ what, figure, bound: boundOf, relation }) => {
    const value = figure(figures);
    const bound = boundOf(figures);
    return {
      what,
      value,
      bound,
      relation,
      isMet: relation === '<=' ? value <= bound : value >= bound,
    };
  });
}

/** @param {{ verdicts?: Verdict[] }} outcome */
export const missed = ({ verdicts = [] }) => verdicts.filter(({ isMet }) => !isMet);

/** @param {Verdict} verdict */
export function formatVerdict({ what, value, bound, relation }) {
  const got = Number.isInteger(value) ? value : Number(value).toFixed(1);
  return `${what}: ${got}, wanted ${relation} ${Number(bound.toFixed(1))}`;
}
