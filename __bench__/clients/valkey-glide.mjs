// Adapter for valkey-glide's GlideClusterClient.
import { TRANSACTION } from '../dataset.mjs';

/** @type {import('./index.mjs').ClientEntry['open']} */
export async function openGlide(library, seeds) {
  const cluster = await library.GlideClusterClient.createClient({ addresses: seeds });
  return {
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    hgetall: (key) => cluster.hgetall(key),
    lrange: (key, start, stop) => cluster.lrange(key, start, stop),
    mget: (keys) => cluster.mget(keys),
    mset: (pairs) => cluster.mset(pairs),
    del: (keys) => cluster.del(keys),
    transaction(key, value) {
      const batch = new library.ClusterBatch(true);
      for (let i = 0; i < TRANSACTION.sets; i++) batch.set(key, value);
      for (let i = 0; i < TRANSACTION.gets; i++) batch.get(key);
      return cluster.exec(batch, true);
    },
    repliesOf: (reply) => reply,
    countKeys: (match, count) => countKeys(library, cluster, { match, count }),
    // Glide answers a list of pairs.
    hashOf: (reply) => Object.fromEntries(reply.map(({ field, value }) => [field, value])),
    close: async () => {
      cluster.close();
    },
  };
}

async function countKeys({ ClusterScanCursor }, cluster, options) {
  let total = 0;
  let cursor = new ClusterScanCursor();
  while (!cursor.isFinished()) {
    const [next, keys] = await cluster.scan(cursor, options);
    total += keys.length;
    cursor = next;
  }
  return total;
}
