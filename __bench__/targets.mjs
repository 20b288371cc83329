// The figures this package promises, and the comparison of a run with them (`--check`).

/**
 * @typedef {object} Target ours / peer must be `>=` or `<=` the bound
 * @property {string} workload a workload's id, or `import`
 * @property {string} metric
 * @property {string} peer
 * @property {'>=' | '<='} relation
 * @property {number} bound
 */

/** @type {Target[]} */
export const TARGETS = [
  { workload: '64b-1', metric: 'p50Us', peer: 'node-redis', relation: '<=', bound: 0.75 },
  { workload: '64b-1', metric: 'p50Us', peer: 'ioredis', relation: '<=', bound: 1 },
  { workload: '64b-50', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 4.5 },
  { workload: '64b-1000', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 12 },
  { workload: '64b-1000', metric: 'opsPerSec', peer: 'ioredis-auto', relation: '>=', bound: 5 },
  { workload: '64b-1000', metric: 'opsPerSec', peer: 'glide', relation: '>=', bound: 9 },
  { workload: '64b-1000', metric: 'cpuUsPerOp', peer: 'node-redis', relation: '<=', bound: 1 / 20 },
  { workload: '64b-1000', metric: 'rssMb', peer: 'node-redis', relation: '<=', bound: 1 },
  { workload: '1kb-100', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 4 },
  { workload: '16kb-50', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 2 },
  { workload: '1mb-8', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 1 },
  { workload: '1mb-8', metric: 'holdMaxMs', peer: 'node-redis', relation: '<=', bound: 1 },
  { workload: 'hgetall-100', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 2.3 },
  {
    workload: 'hgetall-100',
    metric: 'cpuUsPerOp',
    peer: 'node-redis',
    relation: '<=',
    bound: 1 / 2.7,
  },
  { workload: 'lrange-1000', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 2.1 },
  {
    workload: 'lrange-1000',
    metric: 'cpuUsPerOp',
    peer: 'node-redis',
    relation: '<=',
    bound: 1 / 2.8,
  },
  { workload: 'mget-100', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 15 },
  { workload: 'mget-100', metric: 'opsPerSec', peer: 'glide', relation: '>=', bound: 4 },
  { workload: 'mset-100', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 10 },
  { workload: 'del-100', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 10 },
  { workload: 'multi-10', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 4 },
  { workload: 'scan-all', metric: 'opsPerSec', peer: 'node-redis', relation: '>=', bound: 1 },
  { workload: 'import', metric: 'aboveBareMs', peer: 'node-redis', relation: '<=', bound: 0.5 },
];

export const METRIC_NAMES = {
  opsPerSec: 'throughput',
  p50Us: 'p50 latency',
  cpuUsPerOp: 'CPU per operation',
  rssMb: 'RSS',
  holdMaxMs: 'longest hold of the event loop',
  aboveBareMs: 'time above bare Node',
};

/**
 * @param {ReturnType<typeof import('./summary.mjs').summarise>} summary
 * @returns {{ target: Target, ratio: number, verdict: 'pass' | 'miss' | 'no figures' }[]}
 */
export function checkTargets(summary) {
  return TARGETS.map((target) => {
    const { workload, metric, peer, relation, bound } = target;
    const ratio =
      workload === 'import'
        ? summary.importRatio('ours', peer)
        : summary.ratio(metric, workload, 'ours', peer);
    if (!Number.isFinite(ratio)) return { target, ratio, verdict: 'no figures' };
    const met = relation === '>=' ? ratio >= bound : ratio <= bound;
    return { target, ratio, verdict: met ? 'pass' : 'miss' };
  });
}

/** @returns {string} the pass/miss list, one line per target */
export function formatTargets(results) {
  const lines = results.map(({ target, ratio, verdict }) => {
    const { workload, metric, peer, relation, bound } = target;
    const got = Number.isFinite(ratio) ? `${ratio.toFixed(3)}x` : '-';
    return (
      `${verdict.padEnd(10)}  ${workload.padEnd(12)} ${METRIC_NAMES[metric].padEnd(31)}` +
      ` ${got.padStart(9)} of ${peer.padEnd(12)}  wanted ${relation} ${Number(bound.toFixed(3))}x`
    );
  });
  const passed = results.filter(({ verdict }) => verdict === 'pass').length;
  return [...lines, `${passed} of ${results.length} targets reached`].join('\n');
}
