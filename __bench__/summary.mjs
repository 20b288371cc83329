// Medians and ratios over the rounds of one run.
import { median } from './stats.mjs';

/** The figures of a cell that are summarised. */
export const METRICS = [
  'opsPerSec',
  'p50Us',
  'p99Us',
  'cpuUsPerOp',
  'loopP99Ms',
  'holdMaxMs',
  'longHolds',
  'rssMb',
];

/**
 * @param {{ cells: any[], importCost?: Record<string, any> }} run as written to latest.json
 */
export function summarise(run) {
  const cells = new Map();
  for (const cell of run.cells) {
    if (cell.failure === undefined)
      cells.set(`${cell.workload} ${cell.client} ${cell.round}`, cell);
  }
  const rounds = [...new Set(run.cells.map(({ round }) => round))];
  const figure = (metric, workload, client, round) =>
    cells.get(`${workload} ${client} ${round}`)?.[metric] ?? NaN;

  return {
    /** @returns {number} median over the rounds, NaN where the client has no figures */
    value: (metric, workload, client) =>
      median(rounds.map((round) => figure(metric, workload, client, round))),

    /**
     * Median of the ratios of each round, not ratio of the medians: the two clients of one round
     * saw the same state of the machine.
     */
    ratio: (metric, workload, client, peer) =>
      median(
        rounds.map(
          (round) =>
            figure(metric, workload, client, round) / figure(metric, workload, peer, round),
        ),
      ),

    /** Import cost above bare Node, as a share of the peer's. */
    importRatio: (client, peer) =>
      (run.importCost?.[client]?.aboveBareMs ?? NaN) / (run.importCost?.[peer]?.aboveBareMs ?? NaN),
  };
}

/** @returns {string[]} what went wrong in the run, one sentence each, without repetition */
export function problems(run) {
  const found = new Map();
  for (const {
    client,
    workload,
    failure,
    errors,
    firstError,
    wrong,
    firstWrong,
    lingered,
  } of run.cells) {
    const note = (text) => found.set(`${client}, ${workload}: ${text}`, true);
    if (failure) note(failure);
    if (wrong) note(`WRONG ANSWER: ${firstWrong}`);
    if (errors) note(`${errors} commands failed, the first with ${firstError}`);
    if (lingered) note('the process did not end by itself after close');
  }
  return [...found.keys()];
}

/**
 * A run in which any client answered wrongly is no benchmark, and one in which ours failed is no
 * success. A peer's failed commands are only reported: they may be its timeouts doing what they are
 * for.
 */
export const isSound = (run) =>
  run.cells.every(
    ({ client, failure, errors, wrong }) =>
      !(wrong > 0) && (client !== 'ours' || (failure === undefined && errors === 0)),
  );
