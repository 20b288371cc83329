// Clusters that nobody holds any more, and a thousand that were connected and closed: all memory,
// threads and sockets come back.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sharedCluster, withAnyServer } from '../support/servers.mjs';
import { hasProc } from './programs/proc.mjs';
import { runProgram } from './programs/run.mjs';

const ABANDONED = 50;
const CYCLES = 250;
const ROUNDS = 4;
/** A cluster that is left behind has 2.4 MiB of JavaScript's buffers. */
const FEW_BUFFERS_MIB = 24;
/** It touches about 0.3 MiB in all; memory that allocators keep back has been seen to reach 50 MiB. */
const NOISE_MIB = 100;
/** The last one may still be on some stack. */
const STRAGGLERS = 2;

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const skip = hasProc ? false : 'it counts threads and descriptors in /proc';
  let run;
  before(async () => {
    if (skip) return;
    const rootNodes = getServers().seeds;
    const input = { rootNodes, abandoned: ABANDONED, cycles: CYCLES, rounds: ROUNDS };
    run = await runProgram('cycles.mjs', input, { killAfterMs: 120_000 });
  });

  test('abandoned clusters are collected, and their I/O thread ends', { skip }, () => {
    assert.deepEqual([run.code, run.signal], [0, null], run.stderr);
    const [start] = run.lines;
    assert.ok(start.collected >= ABANDONED - STRAGGLERS, `${start.collected} of ${ABANDONED}`);
    if (start.collected === ABANDONED) assert.equal(start.ioThreads, 0);
  });

  test(`${CYCLES * ROUNDS} cycles of connect and close leave nothing behind`, { skip }, () => {
    const rounds = run.lines.slice(1, 1 + ROUNDS);
    assert.equal(rounds.length, ROUNDS);
    const [first] = rounds;
    for (const round of rounds) {
      assert.ok(round.collected >= CYCLES - STRAGGLERS, `${round.collected} of ${CYCLES}`);
      // The thread and the few descriptors of a straggler.
      assert.ok(round.threads <= first.threads + 1, `${round.threads} threads`);
      assert.ok(round.descriptors <= first.descriptors + 4, `${round.descriptors} descriptors`);
      assert.ok(round.handles <= first.handles + 1, `${round.handles} handles`);
    }
    assert.ok(
      rounds.at(-1).buffersMiB < FEW_BUFFERS_MIB,
      `${rounds.at(-1).buffersMiB} MiB of buffers`,
    );
    const growth = rounds.at(-1).rssMiB - first.rssMiB;
    assert.ok(growth < NOISE_MIB, `${growth} MiB more than after the first round`);
  });

  test('one cluster, connected and closed again and again, does not grow', { skip }, () => {
    const last = run.lines.at(-1);
    const before = run.lines.at(-2);
    assert.ok(last.buffersMiB < FEW_BUFFERS_MIB, `${last.buffersMiB} MiB of buffers`);
    assert.ok(last.threads <= before.threads + 1, `${last.threads} threads`);
    assert.ok(last.descriptors <= before.descriptors + 4, `${last.descriptors} descriptors`);
  });
});
