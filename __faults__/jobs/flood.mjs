// 20,000 SETs a second, none of them awaited, over all shards: what a client does with commands
// for a node that does not answer.

import { createFaultClient } from '../clients.mjs';
import { now } from '../clock.mjs';
import { describeError, histogram } from '../ledger.mjs';

const TICK_MS = 1;
/** A client that holds the event loop must not be given seconds of commands in one tick. */
const MAX_PER_TICK = 1000;
const POLL_MS = 20;

/**
 * @typedef {object} FloodOrder
 * @property {string} client
 * @property {{ host: string, port: number }[]} seeds
 * @property {string[][]} keys per shard
 * @property {number[]} turns shard of each command, in turn
 * @property {number} perSecond
 * @property {number} valueBytes
 * @property {number} settleLimitMs
 */

/** @param {FloodOrder} order @param {import('../child.mjs').Channel} channel */
export async function flood(order, channel) {
  const client = createFaultClient(order.client, order.seeds);
  await client.connect();
  const shards = order.keys.map(() => createTally());
  const stopFlood = startFlood(client, shards, order);
  await channel.send('ready');

  await channel.received('fault');
  const faultAt = now();
  for (const shard of shards) shard.begin(faultAt);
  await channel.received('stop');
  stopFlood();
  const stoppedAt = now();
  await channel.send('stopped');
  const deadline = stoppedAt + order.settleLimitMs;
  while (shards.some(({ pending }) => pending() > 0) && now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const seconds = (stoppedAt - faultAt) / 1000;
  await channel.send('result', { seconds, shards: shards.map((shard) => shard.figures()) });
  client.destroy();
}

/** Counts the commands of one shard that were issued since `begin`. */
function createTally() {
  let since = Infinity;
  const counts = { issued: 0, done: 0, failed: 0 };
  let underWay = 0;
  let slowestMs = 0;
  const errors = [];
  const onDone = (issued) => {
    underWay--;
    if (issued < since) return;
    counts.done++;
    slowestMs = Math.max(slowestMs, now() - issued);
  };
  const onFailed = (issued, error) => {
    underWay--;
    if (issued < since) return;
    counts.failed++;
    errors.push(describeError(error));
  };
  return {
    begin: (at) => (since = at),
    pending: () => underWay,
    follow(send) {
      const issued = now();
      if (issued >= since) counts.issued++;
      underWay++;
      send().then(
        () => onDone(issued),
        (error) => onFailed(issued, error),
      );
    },
    figures: () => ({ ...counts, pending: underWay, slowestMs, errors: histogram(errors) }),
  };
}

function startFlood(client, shards, { keys, turns, perSecond, valueBytes }) {
  const filler = Buffer.alloc(valueBytes, 'x');
  const startedAt = now();
  let issued = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((now() - startedAt) * perSecond) / 1000);
    const count = Math.min(due - issued, MAX_PER_TICK);
    for (let n = 0; n < count; n++) {
      const shard = turns[issued % turns.length];
      const key = keys[shard][issued % keys[shard].length];
      // A string of its own for each command: what waits is held, as with a program's values.
      const value = filler.toString('latin1');
      shards[shard].follow(async () => client.set(key, value));
      issued++;
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}
