// Commands of very many keys: whether the answers are right, how long each holds the event loop, and
// how much memory all of it takes.

import { createRequire } from 'node:module';
import { input, print } from './run.mjs';

const { createCluster } = createRequire(import.meta.url)(input.module);
const { rootNodes, count, valueLength } = input;

const cluster = createCluster({ rootNodes });
cluster.on('error', () => {});
await cluster.connect();

/** The longest time between two turns of the event loop until it is done, the call itself included. */
async function held(run) {
  globalThis.gc();
  let last = performance.now();
  let longest = 0;
  let isDone = false;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  await new Promise(setImmediate);
  const startedAt = performance.now();
  const value = await run();
  isDone = true;
  await new Promise(setImmediate);
  return { value, longest: Math.round(longest), took: Math.round(last - startedAt), grownKb: process.resourceUsage().maxRSS - before };
}

const keys = Array.from({ length: count }, (_, index) => `many keys:${index}`);
// Through bytes: what is padded is put together only when it is first read.
const flat = (text) => Buffer.from(text).toString();
const pairs = keys.map((key) => [key, flat(key.padEnd(valueLength, '.'))]);
// All paths have been walked once before anything is measured.
await cluster.mSet(pairs.slice(0, 1_000));
await cluster.mGet(keys.slice(0, 1_000));
await cluster.del(keys.slice(0, 1_000));
globalThis.gc();
const before = process.resourceUsage().maxRSS;

const steps = {};
steps.mSet = await held(() => cluster.mSet(pairs));
const read = await held(() => cluster.mGet(keys));
const isRight = read.value.every((value, at) => value === pairs[at][1]);
steps.mGet = { ...read, value: isRight && read.value.length };
steps.exists = await held(() => cluster.exists([...keys, keys[0], 'missing']));
steps.del = await held(() => cluster.del(keys));
steps.gone = await held(() => cluster.exists(keys));
const payload = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
print({ steps, payload });
cluster.destroy();
