// Connects, asks once and closes, again and again: what is left over each time.

import { readdirSync } from 'node:fs';
import { createFaultClient } from '../clients.mjs';
import { now } from '../clock.mjs';

const KEY = 'faults:cycle';
/** After this many, code is compiled, and allocators have what they keep. */
const WARM_UP = 1_500;
const COLLECTIONS = 4;
/** What leaks grows in each part; what an allocator happens to keep, in one of them. */
const PARTS = 2;

/**
 * @param {{ client: string, seeds: object[], cycles: number }} order
 * @param {import('../child.mjs').Channel} channel
 */
export async function cycles({ client: id, seeds, cycles: count }, channel) {
  await channel.send('ready');
  await repeat(WARM_UP, id, seeds);
  const weights = [await weigh()];
  let wallMs = 0;
  for (let part = 0; part < PARTS; part++) {
    const startedAt = now();
    await repeat(count / PARTS, id, seeds);
    wallMs += now() - startedAt;
    weights.push(await weigh());
  }
  await channel.send('result', { wallMs, weights });
}

async function repeat(count, id, seeds) {
  for (let n = 0; n < count; n++) {
    const client = createFaultClient(id, seeds);
    await client.connect();
    await client.get(KEY);
    await client.close();
  }
}

/** What the process holds, after garbage was collected (the child runs with --expose-gc). */
async function weigh() {
  for (let n = 0; n < COLLECTIONS; n++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc();
  }
  return {
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    descriptors: descriptorCount(),
  };
}

function descriptorCount() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return NaN;
  }
}
