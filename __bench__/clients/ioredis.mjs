// Adapter for ioredis's Cluster, and for iovalkey, which has the same interface.
import { once } from 'node:events';
import { TRANSACTION } from '../dataset.mjs';

/** @returns {Promise<import('./index.mjs').BenchClient>} */
export async function openIoredis(library, seeds, enableAutoPipelining) {
  const cluster = new library.Cluster(seeds, { enableAutoPipelining });
  cluster.on('error', (error) => console.error(error));
  await once(cluster, 'ready');
  return {
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    hgetall: (key) => cluster.hgetall(key),
    lrange: (key, start, stop) => cluster.lrange(key, start, stop),
    transaction(key, value) {
      const multi = cluster.multi();
      for (let i = 0; i < TRANSACTION.sets; i++) multi.set(key, value);
      for (let i = 0; i < TRANSACTION.gets; i++) multi.get(key);
      return multi.exec();
    },
    // It answers a list of pairs of error and reply.
    repliesOf: (reply) => reply.map(([error, value]) => error ?? value),
    countKeys: (pattern, count) => countKeys(cluster, pattern, count),
    hashOf: (reply) => reply,
    close: async () => {
      await cluster.quit();
    },
  };
}

async function countKeys(cluster, pattern, count) {
  let total = 0;
  for (const node of cluster.nodes('master')) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', count);
      total += keys.length;
      cursor = next;
    } while (cursor !== '0');
  }
  return total;
}
