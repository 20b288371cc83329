/** What this package adds to node-redis's types, and what it refuses for good. */
import {
  createCluster,
  RESP_TYPES,
  type PartialFailure,
  type RedisArgument,
  type RedisClusterOptions,
  type RedirectCounts,
} from 'redis-cluster-native';
import { exactly } from './assert-types.js';

const seeds: RedisClusterOptions['rootNodes'] = [
  { host: '127.0.0.1', port: 7000 },
  { host: '::1' },
  { host: '127.0.0.1', port: 7001, password: 'secret' },
  { url: 'redis://127.0.0.1:7002' },
  { socket: { host: '127.0.0.1', port: 7003 } },
];

/** The count survives every way of getting at a cluster. */
export async function redirects(): Promise<void> {
  const cluster = createCluster({ rootNodes: seeds });
  exactly<RedirectCounts>()(cluster.redirects());
  exactly<number>()(cluster.redirects().moved + cluster.redirects().ask);
  exactly<RedirectCounts>()((await cluster.connect()).redirects());
  exactly<RedirectCounts>()(cluster.duplicate().redirects());
  exactly<RedirectCounts>()(cluster.withTypeMapping({}).redirects());
  exactly<RedirectCounts>()(cluster.withCommandOptions({ timeout: 1 }).redirects());
}

export async function allKeys(): Promise<void> {
  const cluster = createCluster({ rootNodes: seeds });
  for await (const keys of cluster.scanIterator({ MATCH: 'a*', COUNT: 10, TYPE: 'string' })) {
    exactly<string[]>()(keys);
  }
  const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  for await (const keys of buffers.scanIterator()) exactly<Buffer[]>()(keys);
  // @ts-expect-error cursors belong to single nodes
  cluster.scanIterator({ cursor: '0' });
}

/** Keys of an error can be used for the next attempt. */
export async function again(error: PartialFailure): Promise<void> {
  exactly<RedisArgument[]>()(error.failedKeys);
  exactly<RedisArgument[]>()(error.succeededKeys);
  exactly<Error>()(error.cause);
  await createCluster({ rootNodes: seeds }).del(error.failedKeys);
}

export function refused(): void {
  // @ts-expect-error a port without a host
  createCluster({ rootNodes: [{ port: 7000 }] });
  // @ts-expect-error two addresses for one seed
  createCluster({ rootNodes: [{ host: '127.0.0.1', url: 'redis://127.0.0.1' }] });
  // @ts-expect-error a port is a number
  createCluster({ rootNodes: [{ host: '127.0.0.1', port: '7000' }] });
  // @ts-expect-error defaults are for all nodes, so they have no address
  createCluster({ rootNodes: seeds, defaults: { host: '127.0.0.1', port: 7000 } });
  // @ts-expect-error the cluster's nodes cannot be reached through a path
  createCluster({ rootNodes: seeds, defaults: { socket: { path: '/run/redis.sock' } } });
  // @ts-expect-error the counts are not to be waited for, nor called
  createCluster({ rootNodes: seeds }).redirects().moved();
}

/** node-redis's types let these pass in programs without `esModuleInterop`. */
export function wrongSocketOptions(): void {
  // @ts-expect-error a strategy returns a delay, false or an error
  createCluster({ rootNodes: [], defaults: { socket: { reconnectStrategy: () => 'soon' } } });
  // @ts-expect-error a port is a number, not the name of a service
  createCluster({ rootNodes: [{ socket: { port: 'redis' } }] });
  // @ts-expect-error a timeout is a number of milliseconds
  createCluster({ rootNodes: seeds, defaults: { socket: { connectTimeout: '1s' } } });
}
