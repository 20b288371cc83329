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
    countKeys: (pattern, count) => countKeys(cluster, { MATCH: pattern, COUNT: count }),
    hashOf: (reply) => reply,
    close: async () => {
      await cluster.close();
    },
  };
}

/** With the cluster's own iterator if it has one, else as node-redis's documentation has it. */
async function countKeys(cluster, options) {
  let total = 0;
  if (cluster.scanIterator !== undefined) {
    for await (const keys of cluster.scanIterator(options)) total += keys.length;
    return total;
  }
  for (const master of cluster.masters) {
    const node = await cluster.nodeClient(master);
    for await (const keys of node.scanIterator(options)) total += keys.length;
  }
  return total;
}
