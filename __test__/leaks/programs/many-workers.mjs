// Starts and ends worker threads, a few at a time, in the middle of what they do.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { countIoThreads } from './proc.mjs';
import { input, print } from './run.mjs';

const AT_ONCE = 4;
const LONGEST_LIFE_MS = 60;

/** When a worker is ended: it ends by itself; while it connects; in full traffic; at any time. */
const ENDS = ['by itself', 'connecting', 'traffic', 'any time'];

let started = 0;
let mostIoThreads = 0;
const ends = {};
const errors = [];

async function oneLife(end) {
  const endsByItself = end === 'by itself';
  const workerData = { rootNodes: input.rootNodes, endsByItself };
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData });
  worker.on('error', (error) => errors.push(String(error)));
  const exited = once(worker, 'exit');
  if (!endsByItself) {
    if (end !== 'any time') await once(worker, 'message');
    if (end === 'traffic') await once(worker, 'message');
    await sleep(Math.random() * (end === 'connecting' ? 10 : LONGEST_LIFE_MS));
    mostIoThreads = Math.max(mostIoThreads, countIoThreads());
    await worker.terminate();
  }
  await exited;
  ends[end] = (ends[end] ?? 0) + 1;
}

async function lives() {
  while (started < input.workers) await oneLife(ENDS[started++ % ENDS.length]);
}

await Promise.all(Array.from({ length: AT_ONCE }, lives));
print({ ends, errors, mostIoThreads, ioThreadsLeft: countIoThreads() });
