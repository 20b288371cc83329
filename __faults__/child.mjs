// The process that a client lives in, so that crashes, hangs and memory can be seen from outside.
// Started by subject.mjs, which passes the order in argv.

import { connectTimes } from './jobs/connect-times.mjs';
import { cycles } from './jobs/cycles.mjs';
import { ending } from './jobs/ending.mjs';
import { flood } from './jobs/flood.mjs';
import { load } from './jobs/load.mjs';

const JOBS = { load, flood, cycles, ending, connectTimes };

/**
 * @typedef {object} Channel to the parent
 * @property {(type: string, body?: object) => Promise<void>} send
 * @property {(type: string) => Promise<any>} received once per type
 */

/** @returns {Channel} */
function openChannel() {
  const slots = new Map();
  const slotFor = (type) => {
    if (!slots.has(type)) slots.set(type, createSlot());
    return slots.get(type);
  };
  process.on('message', ({ type, body }) => slotFor(type).fill(body));
  return {
    send: (type, body) =>
      new Promise((resolve) => {
        process.send({ type, body }, resolve);
      }),
    received: (type) => slotFor(type).filled,
  };
}

function createSlot() {
  let fill;
  const filled = new Promise((resolve) => (fill = resolve));
  return { fill, filled };
}

// A harness that was interrupted must not leave a load behind.
let finished = false;
process.once('disconnect', () => {
  if (!finished) process.exit(1);
});

const order = JSON.parse(process.argv[2]);
await JOBS[order.job](order, openChannel());
finished = true;
// From here on only what the client left open can keep the process alive.
process.disconnect();
