// The clients under test, under one set of names. Each has its own defaults: what its users get.

import { createRequire } from 'node:module';
import { clientById, versionOf } from '../__bench__/clients/index.mjs';

// The benchmark's table says what to require, seen from its own folder.
const require = createRequire(new URL('../__bench__/clients/index.mjs', import.meta.url));

/**
 * @typedef {object} FaultClient
 * @property {() => Promise<unknown>} connect
 * @property {(key: string) => Promise<any>} get
 * @property {(key: string, value: string) => Promise<any>} set
 * @property {(key: string) => Promise<any>} incr
 * @property {(key: string, element: string) => Promise<any>} push RPUSH
 * @property {(keys: string[]) => Promise<any>} mget
 * @property {(keys: string[], value: string) => Promise<any>} mset the same value for all keys
 * @property {(keys: string[], value: string) => Promise<any>} transaction SETs inside MULTI
 * @property {() => Promise<unknown>} close lets commands finish
 * @property {() => unknown} destroy does not
 */

const ADAPTERS = { ours: nodeRedisLike, 'node-redis': nodeRedisLike, ioredis: ioredisLike };

export const CLIENTS = Object.keys(ADAPTERS).map((id) => {
  const { title, specifier } = clientById(id);
  return { id, title, version: () => versionOf({ specifier }) };
});

/**
 * Makes a client that is not connected yet.
 *
 * @param {string} id
 * @param {{ host: string, port: number }[]} seeds
 * @returns {FaultClient}
 */
export function createFaultClient(id, seeds) {
  return ADAPTERS[id](require(clientById(id).specifier), seeds);
}

function nodeRedisLike({ createCluster }, seeds) {
  const cluster = createCluster({
    rootNodes: seeds.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
  });
  // Faults are what this is about; commands that fail are counted where they fail.
  cluster.on('error', () => {});
  return {
    connect: () => cluster.connect(),
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    incr: (key) => cluster.incr(key),
    push: (key, element) => cluster.rPush(key, element),
    mget: (keys) => cluster.mGet(keys),
    mset: (keys, value) => cluster.mSet(keys.map((key) => [key, value])),
    async transaction(keys, value) {
      const multi = cluster.multi();
      for (const key of keys) multi.set(key, value);
      await multi.exec();
    },
    close: () => cluster.close(),
    destroy: () => cluster.destroy(),
  };
}

function ioredisLike({ Cluster }, seeds) {
  const cluster = new Cluster(seeds, { lazyConnect: true });
  cluster.on('error', () => {});
  return {
    connect: () => cluster.connect(),
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    incr: (key) => cluster.incr(key),
    push: (key, element) => cluster.rpush(key, element),
    mget: (keys) => cluster.mget(keys),
    mset: (keys, value) => cluster.mset(keys.flatMap((key) => [key, value])),
    async transaction(keys, value) {
      const multi = cluster.multi();
      for (const key of keys) multi.set(key, value);
      const failed = (await multi.exec()).find(([error]) => error);
      if (failed) throw failed[0];
    },
    close: () => cluster.quit(),
    destroy: () => cluster.disconnect(),
  };
}
