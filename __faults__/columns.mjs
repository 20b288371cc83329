// The figures that are reported: heading, format, and what each means.

export const formatWhole = (value) => Math.round(value).toLocaleString('en');
const ms = (value) => (value === Infinity ? 'never' : formatWhole(value));
const mb = (value) => value.toFixed(1);

/**
 * @typedef {object} Column
 * @property {string} figure
 * @property {string} heading
 * @property {(value: number) => string} format
 * @property {string} definition
 */

/** @type {Column[]} */
export const COLUMNS = [
  {
    figure: 'done',
    heading: 'done',
    format: formatWhole,
    definition: 'commands that succeeded',
  },
  {
    figure: 'failedReads',
    heading: 'failed reads',
    format: formatWhole,
    definition: 'GET and MGET that were rejected',
  },
  {
    figure: 'failedWrites',
    heading: 'failed writes',
    format: formatWhole,
    definition: 'INCR, SET, RPUSH, MSET and transactions that were rejected',
  },
  {
    figure: 'backMs',
    heading: 'back ms',
    format: ms,
    definition:
      'the longest time from the promotion of a replica (its ROLE, asked every 3 ms), or from the first write that the servers accept again, until every worker of the shard succeeds with every kind of command and none fails any more',
  },
  {
    figure: 'stallMs',
    heading: 'longest stall ms',
    format: ms,
    definition:
      'the longest time that a worker had something to do of one kind and no command of that kind succeeded',
  },
  {
    figure: 'outageMs',
    heading: 'servers out ms',
    format: ms,
    definition:
      "the servers' own part of the stall: the longest time that no node of a shard accepted a write from a probe, which asks all of them every 4 ms, or that a node kept a write of the probe waiting",
  },
  {
    figure: 'stallElsewhereMs',
    heading: 'other shards ms',
    format: ms,
    definition:
      'the longest stall of shards that no fault struck; in floods, their slowest command',
  },
  {
    figure: 'failedElsewhere',
    heading: 'other shards failed',
    format: formatWhole,
    definition: 'rejected commands of shards that no fault struck',
  },
  {
    figure: 'hung',
    heading: 'hung',
    format: formatWhole,
    definition: 'promises that had not settled 12 s after the load ended (floods: 8 s)',
  },
  {
    figure: 'lost',
    heading: 'lost',
    format: formatWhole,
    definition: 'writes that were acknowledged and are not on the servers in the end',
  },
  {
    figure: 'unreplicated',
    heading: 'unreplicated',
    format: formatWhole,
    definition:
      'the same, of a primary that was killed or stopped at most 100 ms after it acknowledged them: replication is asynchronous, and Redis itself loses these',
  },
  {
    figure: 'twice',
    heading: 'twice',
    format: formatWhole,
    definition:
      'writes that were applied more than once: list elements that are there twice, and counters above what was acknowledged plus what was rejected',
  },
  {
    figure: 'reordered',
    heading: 'reordered',
    format: formatWhole,
    definition:
      'acknowledged list elements that stand behind one that was pushed after them (pushes are issued without waiting for the ones before)',
  },
  {
    figure: 'stale',
    heading: 'stale',
    format: formatWhole,
    definition:
      'reads that were older than a write acknowledged before they were issued (unreplicated ones excepted)',
  },
  {
    figure: 'wrong',
    heading: 'wrong',
    format: formatWhole,
    definition:
      'replies or values that were never written, and multi-key writes that are half there',
  },
  {
    figure: 'newClientConnectMs',
    heading: 'new client ms',
    format: ms,
    definition: 'the longest connect() of three clients that come during the fault',
  },
  {
    figure: 'closeMs',
    heading: 'close() ms',
    format: ms,
    definition: 'from the call of close() until it resolves',
  },
  {
    figure: 'exitMs',
    heading: 'exit ms',
    format: ms,
    definition: 'from then, or from destroy(), until the process has ended by itself',
  },
  {
    figure: 'wallMs',
    heading: 'wall ms',
    format: ms,
    definition: 'the time that all cycles took',
  },
  {
    figure: 'handleGrowth',
    heading: 'handles',
    format: formatWhole,
    definition: "how many of Node's active resources there were more at the end",
  },
  {
    figure: 'descriptorGrowth',
    heading: 'descriptors',
    format: formatWhole,
    definition: 'how many file descriptors were open more at the end',
  },
  {
    figure: 'rssGrowthMb',
    heading: 'RSS MB',
    format: mb,
    definition:
      'by how much the resident memory of the process grew at most since the fault began, seen from outside; under the steady load that includes the records of the harness itself. In cycles: during 1000 of them, after 1500 others, with garbage collected; twice the growth of the half that grew less',
  },
  {
    figure: 'holdMaxMs',
    heading: 'hold ms',
    format: ms,
    definition: 'the longest time that the event loop did not turn',
  },
];

/** @returns {string} `-` for what was not measured */
export function formatFigure({ figure, format }, figures) {
  const value = figures?.[figure];
  // NaN comes back from JSON as null.
  return value === undefined || value === null || Number.isNaN(value) ? '-' : format(value);
}
