// Runs one cell (one client, one workload, one round) in a process of its own.
//
// A fresh process per cell rather than one that lives through all rounds: its memory is that of
// this workload alone, its code is optimised for this workload alone, and the clients that wait for
// their turn burn nothing at all (a paused client still has heartbeats, timers and native threads).
// The start is paid before the clock runs, and a warm-up follows it.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));
/** Time for loading, connecting, draining and closing, on a busy machine. */
const GRACE_MS = 30_000;
/** How long a client may keep its process alive after it was closed. */
const EXIT_MS = 3_000;
const STDERR_KEPT = 2_000;

/**
 * @param {{ client: string, workload: string, seeds: object[], warmupSeconds: number, seconds: number }} order
 * @returns {Promise<any>} the figures of measure(), or `{ failure }`
 */
export function runCell(order) {
  return new Promise((resolve) => {
    const child = fork(WORKER, [JSON.stringify(order)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    let answer;
    let timer = setTimeout(
      () => {
        answer = { failure: 'gave no figures in time' };
        child.kill('SIGKILL');
      },
      (order.warmupSeconds + order.seconds) * 1000 + GRACE_MS,
    );

    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    child.on('message', (message) => {
      answer = message;
      clearTimeout(timer);
      timer = setTimeout(() => {
        answer = { ...answer, lingered: true };
        child.kill('SIGKILL');
      }, EXIT_MS);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(
        answer ?? {
          failure: `ended without figures (${signal ?? `code ${code}`}): ${stderr.trim()}`,
        },
      );
    });
  });
}
