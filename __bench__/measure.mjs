// Runs one workload on one connected client: warms up, measures for a fixed time, drains.
import { setTimeout as sleep } from 'node:timers/promises';
import { watchProcess } from './meters.mjs';
import { percentile } from './stats.mjs';

/**
 * Latencies kept per cell; the rest of a longer run is not recorded. 8 MB, touched only as far as
 * used.
 */
const MAX_SAMPLES = 1 << 20;
/**
 * A cell with more failed commands than this is given up: it measures error handling, not the
 * workload.
 */
const MAX_ERRORS = 1000;

/**
 * @param {import('./workloads.mjs').Workload} workload
 * @param {import('./clients/index.mjs').BenchClient} client
 * @param {{ warmupSeconds: number, seconds: number }} times
 * @returns {Promise<any>} the figures, or `{ failure }`
 */
export async function measure(workload, client, { warmupSeconds, seconds }) {
  const load = startLoad(workload, workload.driver(client));
  await Promise.race([sleep(warmupSeconds * 1000), load.drained]);

  const cpuBefore = process.cpuUsage();
  const opsBefore = load.begin();
  const startedAt = performance.now();
  const stopWatching = watchProcess();
  await Promise.race([sleep(seconds * 1000), load.drained]);
  const elapsed = (performance.now() - startedAt) / 1000;
  const ops = load.end() - opsBefore;
  const cpu = process.cpuUsage(cpuBefore);
  const watched = stopWatching();

  await load.drained;
  const { samples, errors, firstError, wrong, firstWrong, verified } = load.outcome();
  if (errors >= MAX_ERRORS)
    return { failure: `given up after ${errors} failed commands, the first with ${firstError}` };
  return {
    ops,
    seconds: elapsed,
    opsPerSec: ops / elapsed,
    p50Us: percentile(samples, 0.5) * 1000,
    p99Us: percentile(samples, 0.99) * 1000,
    cpuUsPerOp: (cpu.user + cpu.system) / ops,
    ...watched,
    errors,
    firstError,
    wrong,
    firstWrong,
    verified,
  };
}

/** Keeps `inFlight` commands on their way until `end()`. Counts nothing before `begin()`. */
function startLoad({ inFlight, sampleEvery, verifyEvery }, driver) {
  const samples = new Float64Array(MAX_SAMPLES);
  const outcome = {
    errors: 0,
    firstError: undefined,
    wrong: 0,
    firstWrong: undefined,
    verified: 0,
  };
  let running = true;
  let recording = false;
  let sampled = 0;
  let turns = 0;
  let done = 0;

  async function loop() {
    while (running) {
      const turn = ++turns;
      const timed = turn % sampleEvery === 0;
      const sentAt = timed ? performance.now() : 0;
      try {
        const reply = await driver.start(turn);
        done++;
        if (timed && recording && sampled < MAX_SAMPLES)
          samples[sampled++] = performance.now() - sentAt;
        if (turn % verifyEvery === 0) check(reply, turn);
      } catch (error) {
        outcome.firstError ??= String(error);
        if (++outcome.errors >= MAX_ERRORS) running = false;
      }
    }
  }

  function check(reply, turn) {
    outcome.verified++;
    const problem = driver.verify(reply, turn);
    if (problem === undefined) return;
    outcome.wrong++;
    outcome.firstWrong ??= problem;
  }

  const drained = Promise.all(Array.from({ length: inFlight }, loop));
  return {
    drained,
    begin() {
      recording = true;
      return done;
    },
    end() {
      recording = false;
      running = false;
      return done;
    },
    outcome: () => ({ ...outcome, samples: samples.slice(0, sampled).sort() }),
  };
}
