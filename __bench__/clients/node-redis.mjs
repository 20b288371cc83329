// Adapter for node-redis's createCluster(), and for ours, which has the same interface.
import { TRANSACTION } from '../dataset.mjs';

/** @type {import('./index.mjs').ClientEntry['open']} */
export async function openNodeRedis(library, seeds) {
  const cluster = library.createCluster({
    rootNodes: seeds.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
  });
  cluster.on('error', (error) => console.error(error));
  await cluster.connect();
  return {
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    hgetall: (key) => cluster.hGetAll(key),
    lrange: (key, start, stop) => cluster.lRange(key, start, stop),
    mget: (keys) => cluster.mGet(keys),
    mset: (pairs) => cluster.mSet(pairs),
    del: (keys) => cluster.del(keys),
    transaction(key, value) {
      const multi = cluster.multi();
      for (let i = 0; i < TRANSACTION.sets; i++) multi.set(key, value);
      for (let i = 0; i < TRANSACTION.gets; i++) multi.get(key);
      return multi.exec();
    },
    repliesOf: (reply) => reply,
    hashOf: (reply) => reply,
    close: async () => {
      await cluster.close();
    },
  };
}
