// What loading the package and calling createCluster() costs a program, above bare Node.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { median } from './stats.mjs';

const require = createRequire(import.meta.url);
const OURS = fileURLToPath(new URL('../index.js', import.meta.url));
const TIMEOUT_MS = 20_000;

function program(file) {
  return `require(${JSON.stringify(file)}).createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:7000' }] })`;
}

/** @returns {{ ms: number } | { failure: string }} wall time from start to exit of one process */
function timeProcess(code) {
  const startedAt = performance.now();
  const { status, error, stderr } = spawnSync(process.execPath, ['-e', code], {
    timeout: TIMEOUT_MS,
    encoding: 'utf8',
  });
  const ms = performance.now() - startedAt;
  if (error) return { failure: error.message };
  if (status !== 0)
    return { failure: stderr.match(/^\w*Error: .*$/m)?.[0] ?? `exit code ${status}` };
  return { ms };
}

/**
 * @param {number} rounds each starts every program once, so that a busy moment hits all of them
 * @returns {Record<string, { ms?: number, aboveBareMs?: number, failure?: string }>} by client id, and `bare`
 */
export function importCost(rounds) {
  const programs = {
    bare: '0',
    ours: program(OURS),
    'node-redis': program(require.resolve('redis')),
  };
  const times = { bare: [], ours: [], 'node-redis': [] };
  const failures = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, code] of Object.entries(programs)) {
      if (failures[name]) continue;
      const { ms, failure } = timeProcess(code);
      if (failure) failures[name] = failure;
      else times[name].push(ms);
    }
  }
  const bare = median(times.bare);
  return Object.fromEntries(
    Object.keys(programs).map((name) => {
      if (failures[name]) return [name, { failure: failures[name] }];
      const ms = median(times[name]);
      return [name, { ms, aboveBareMs: ms - bare }];
    }),
  );
}
