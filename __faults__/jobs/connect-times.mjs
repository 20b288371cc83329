// How long new clients need until they are connected and have an answer.

import { createFaultClient } from '../clients.mjs';
import { now } from '../clock.mjs';

/**
 * @param {{ client: string, seeds: object[], key: string, clients: number }} order key: of a shard
 *   that answers
 * @param {import('../child.mjs').Channel} channel
 */
export async function connectTimes({ client: id, seeds, key, clients }, channel) {
  await channel.send('ready');
  await channel.received('start');
  const times = [];
  for (let n = 0; n < clients; n++) {
    const startedAt = now();
    const client = createFaultClient(id, seeds);
    await client.connect();
    const connectMs = now() - startedAt;
    await client.get(key);
    times.push({ connectMs, answerMs: now() - startedAt });
    client.destroy();
  }
  await channel.send('result', { times });
}
