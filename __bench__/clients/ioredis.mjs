// Adapter for ioredis's Cluster, and for iovalkey, which has the same interface.
import { once } from 'node:events';

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
