// Worker threads that come and go in the middle of traffic: no crash, no hang, nothing left behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster, withAnyServer } from '../support/servers.mjs';
import { hasProc } from './programs/proc.mjs';
import { runProgram } from './programs/run.mjs';

const WORKERS = 200;
/** About 10 s on two quiet cores. */
const KILL_AFTER_MS = 120_000;

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const skip = hasProc ? false : 'it counts threads in /proc';

  test(`${WORKERS} workers, most of them ended at a random moment`, { skip }, async () => {
    const input = { rootNodes: getServers().seeds, workers: WORKERS };
    const run = await runProgram('many-workers.mjs', input, { killAfterMs: KILL_AFTER_MS });
    assert.deepEqual([run.code, run.signal], [0, null], run.stderr);
    const [{ ends, errors, mostIoThreads, ioThreadsLeft }] = run.lines;
    assert.deepEqual(errors, []);
    const quarter = WORKERS / 4;
    assert.deepEqual(ends, {
      'by itself': quarter,
      connecting: quarter,
      traffic: quarter,
      'any time': quarter,
    });
    // One while there are clusters; one more when one begins just as the other ends.
    assert.ok(mostIoThreads === 1 || mostIoThreads === 2, `${mostIoThreads} I/O threads at once`);
    assert.equal(ioThreadsLeft, 0);
  });
});
