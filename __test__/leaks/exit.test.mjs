// How a process ends that has a cluster: by itself once the cluster is closed, never before, and
// without a crash whatever it was doing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster, withAnyServer } from '../support/servers.mjs';
import { runProgram } from './programs/run.mjs';

/** From the last statement of the program to the end of its process. */
const PROMPT_MS = 100;
/** A machine that does other things may be late once; a lingering thread or timer is late each time. */
const ATTEMPTS = 3;
const KILL_AFTER_MS = 20_000;
/** Long enough to show that a process stays: it takes a few milliseconds to end. */
const STAYS_MS = 1_500;

const ENDS_BY_ITSELF = [
  'never connected',
  'never connected, destroyed',
  'close',
  'destroy',
  'close in traffic',
  'destroy in traffic',
  'close while commands block',
  'destroy while commands block',
  'destroy while connecting',
];
const ENDS_BY_FORCE = {
  'exit while connecting': 7,
  'exit in traffic': 7,
  'exit while commands block': 7,
  'exception in traffic': 1,
};

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const run = (way, killAfterMs = KILL_AFTER_MS) =>
    runProgram('ending.mjs', { rootNodes: getServers().seeds, way }, { killAfterMs });

  for (const way of ENDS_BY_ITSELF) {
    test(`the process ends by itself: ${way}`, async () => {
      const delays = [];
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { code, signal, endedAt, lines, stderr } = await run(way);
        assert.deepEqual([code, signal], [0, null], stderr);
        delays.push(endedAt - lines[0].doneAt);
      }
      assert.ok(Math.min(...delays) < PROMPT_MS, `it took ${delays} ms`);
    });
  }

  for (const [way, expected] of Object.entries(ENDS_BY_FORCE)) {
    test(`no crash: ${way}`, async () => {
      const delays = [];
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { code, signal, endedAt, lines, stderr } = await run(way);
        assert.deepEqual([code, signal], [expected, null], stderr);
        delays.push(endedAt - lines.at(-1).exitAt);
      }
      assert.ok(Math.min(...delays) < PROMPT_MS, `it took ${delays} ms`);
    });
  }

  test('a connected cluster keeps the process alive', async () => {
    const { signal, lines } = await run('stays connected', STAYS_MS);
    assert.equal(signal, 'SIGKILL');
    assert.ok(lines[0]?.doneAt > 0 && lines.length === 1, 'it was connected');
  });
});
