// A program that ends: close() with commands in flight, or destroy() while it connects.

import { createFaultClient } from '../clients.mjs';
import { now } from '../clock.mjs';
import { describeError, histogram } from '../ledger.mjs';

/**
 * @param {{ client: string, seeds: object[], how: 'close' | 'destroy', keys: string[], afterMs: number }} order
 * @param {import('../child.mjs').Channel} channel
 */
export async function ending(order, channel) {
  const client = createFaultClient(order.client, order.seeds);
  await channel.send('ready');
  const result = await (order.how === 'close' ? close(client, order) : destroy(client, order));
  // After this there is nothing of ours that keeps the process alive.
  await channel.send('result', result);
}

/** One command per key, and close() in the same tick. */
async function close(client, { keys }) {
  await client.connect();
  const outcomes = Promise.allSettled(keys.map((key) => client.set(key, 'value')));
  const calledAt = now();
  await client.close();
  const endedAt = now();
  const settled = await outcomes;
  const failed = settled.filter(({ status }) => status === 'rejected');
  return {
    calledAt,
    endedAt,
    done: settled.length - failed.length,
    failed: failed.length,
    errors: histogram(failed.map(({ reason }) => describeError(reason))),
  };
}

async function destroy(client, { afterMs }) {
  let connected = 'never settled';
  client.connect().then(
    () => (connected = 'resolved'),
    (error) => (connected = describeError(error)),
  );
  if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
  const calledAt = now();
  let thrown;
  try {
    await client.destroy();
  } catch (error) {
    thrown = describeError(error);
  }
  const endedAt = now();
  // A rejection that destroy() caused arrives in one of the next turns.
  await new Promise((resolve) => setTimeout(resolve, 1));
  return { calledAt, endedAt, connected, thrown };
}
