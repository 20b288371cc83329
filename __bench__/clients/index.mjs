// The clients that are compared. Each opens with its own defaults; only what a comparison needs is
// set.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { openIoredis } from './ioredis.mjs';
import { openNodeRedis } from './node-redis.mjs';
import { openGlide } from './valkey-glide.mjs';

const require = createRequire(import.meta.url);

/**
 * @typedef {{ host: string, port: number }} Seed
 *
 * @typedef {object} BenchClient what the workloads need, under one set of names
 * @property {(key: string) => Promise<any>} get
 * @property {(key: string, value: string) => Promise<any>} set
 * @property {(key: string) => Promise<any>} hgetall
 * @property {(key: string, start: number, stop: number) => Promise<any>} lrange
 * @property {(keys: string[]) => Promise<any>} [mget] over several slots, like the next two; ioredis has none
 * @property {(pairs: Record<string, string>) => Promise<any>} [mset]
 * @property {(keys: string[]) => Promise<any>} [del]
 * @property {(key: string, value: string) => Promise<any>} transaction MULTI with the SETs and GETs of `TRANSACTION`
 * @property {(reply: any) => any[]} repliesOf what EXEC answered (for checks only)
 * @property {(pattern: string, count: number) => Promise<number>} [countKeys] by SCAN of all primaries
 * @property {(reply: any) => Record<string, string>} hashOf a hash reply as a plain object (for checks only)
 * @property {() => Promise<void>} close
 *
 * @typedef {object} ClientEntry
 * @property {string} id as given to --clients
 * @property {string} title as printed
 * @property {string} specifier what is required, from this folder
 * @property {(library: any, seeds: Seed[]) => Promise<BenchClient>} open connected and ready
 */

/** @type {ClientEntry[]} */
export const CLIENTS = [
  { id: 'ours', title: 'redis-cluster-native', specifier: '../../index.js', open: openNodeRedis },
  { id: 'node-redis', title: 'node-redis', specifier: 'redis', open: openNodeRedis },
  {
    id: 'ioredis',
    title: 'ioredis',
    specifier: 'ioredis',
    open: (library, seeds) => openIoredis(library, seeds, false),
  },
  {
    id: 'ioredis-auto',
    title: 'ioredis, auto-pipelining',
    specifier: 'ioredis',
    open: (library, seeds) => openIoredis(library, seeds, true),
  },
  {
    id: 'iovalkey',
    title: 'iovalkey, auto-pipelining',
    specifier: 'iovalkey',
    open: (library, seeds) => openIoredis(library, seeds, true),
  },
  { id: 'glide', title: 'valkey-glide', specifier: '@valkey/valkey-glide', open: openGlide },
];

/** @returns {ClientEntry} */
export function clientById(id) {
  const found = CLIENTS.find((client) => client.id === id);
  if (!found)
    throw new Error(
      `no client "${id}"; there are: ${CLIENTS.map((client) => client.id).join(', ')}`,
    );
  return found;
}

/** Loads the library and connects. Called in the child process only. */
export async function openClient(id, seeds) {
  const client = clientById(id);
  return client.open(require(client.specifier), seeds);
}

/**
 * The installed version of a client that can be loaded. Its package.json is looked for upwards from
 * its entry file: a package may hide it from `require`.
 * @returns {string}
 */
export function versionOf(client) {
  let folder = path.dirname(require.resolve(client.specifier));
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version;
}
