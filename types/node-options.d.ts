/** The options of one connection: legal in `rootNodes[i]` and in `defaults`. */

import type { RedisClusterOptions as NodeRedisClusterOptions } from '@redis/client';
import type { RedisClusterSocketOptions } from './socket-options';

type NodeRedisNodeOptions = NodeRedisClusterOptions['rootNodes'][number];

/**
 * Options of a connection to one node. Modules, functions, scripts, `RESP`, `commandOptions` and
 * `keyPrefix` belong to the cluster, not to a connection.
 */
export interface RedisClusterClientOptions extends Omit<NodeRedisNodeOptions, 'socket'> {
  /**
   * `redis://[[username][:password]@][host][:port][/database]`.
   *
   * What the URL says wins over the other options. Another protocol, or a text that is not a URL,
   * makes `createCluster` throw a `TypeError`. `rediss:` (TLS) is refused in this version, `unix:`
   * for good.
   *
   * In `defaults` only its user, password and database are used: each node has its own address.
   */
  url?: string;

  /** Address, timeouts and TCP settings of the connection. */
  socket?: RedisClusterSocketOptions;

  /**
   * User name of the access control list.
   *
   * @defaultValue the server's `default` user, if a password is given
   */
  username?: string;

  /** Password of {@link username}, or of the server's `requirepass`. */
  password?: string;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option. Use
   * {@link username} and {@link password}.
   */
  credentialsProvider?: NodeRedisNodeOptions['credentialsProvider'];

  /** Name of the connection, sent with `CLIENT SETNAME`; `CLIENT LIST` shows it. */
  name?: string;

  /**
   * Database number. A cluster has database 0 only, unless the server says otherwise
   * (`cluster-databases` of Valkey 9); any other number fails in the handshake.
   *
   * @defaultValue 0
   */
  database?: number;

  /**
   * How many commands may wait for one node. The next one is rejected with 'The queue is full'.
   *
   * @defaultValue no limit on the number of commands
   */
  commandsQueueMaxLength?: number;

  /**
   * How many bytes of commands may be on their way to one node or wait for it; the next one is
   * rejected with an error that begins with 'The queue is full' and names the node. A command that
   * finds nothing waiting is taken whatever its size. 0 turns it off. Not in node-redis.
   *
   * @defaultValue 67108864 (64 MiB)
   */
  commandsQueueMaxBytes?: number;

  /**
   * Rejects commands with a `ClientOfflineError` while their node is not connected, instead of
   * keeping them until it is.
   *
   * @defaultValue false
   */
  disableOfflineQueue?: boolean;

  /**
   * No effect, as in node-redis: a connection is in `READONLY` mode exactly if its node is a
   * replica.
   */
  readonly?: boolean;

  /**
   * Sends `PING` on a connection that has been idle for so many milliseconds, to keep it alive.
   *
   * @defaultValue no pings
   */
  pingInterval?: number;

  /**
   * Does not tell the server the client's name and version (`CLIENT SETINFO`).
   *
   * @defaultValue false
   */
  disableClientInfo?: boolean;

  /** Added in parentheses to the library name that the server is told (`CLIENT SETINFO`). */
  clientInfoTag?: string;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis: turns tracking on and emits `invalidate` on the node's client.
   */
  emitInvalidate?: boolean;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis the cluster's own option of that name takes its place.
   */
  clientSideCache?: NodeRedisNodeOptions['clientSideCache'];

  /**
   * Maintenance notifications of Redis Enterprise. `'auto'` and `'disabled'` are accepted, and this
   * version asks for none in either case. `'enabled'` demands them, so `createCluster` throws a
   * `TypeError` that names this option.
   *
   * @defaultValue 'auto'
   */
  maintNotifications?: 'disabled' | 'enabled' | 'auto';

  /**
   * Kind of address that a maintenance notification should carry. Accepted without effect: this
   * version asks for no notifications, see {@link maintNotifications}.
   *
   * @defaultValue 'auto'
   */
  maintEndpointType?: NodeRedisNodeOptions['maintEndpointType'];

  /**
   * Command timeout while a node is under maintenance, in milliseconds. Accepted without effect,
   * see {@link maintNotifications}.
   *
   * @defaultValue 10000
   */
  maintRelaxedCommandTimeout?: number;

  /**
   * Socket timeout while a node is under maintenance, in milliseconds. Accepted without effect, see
   * {@link maintNotifications}.
   *
   * @defaultValue 10000
   */
  maintRelaxedSocketTimeout?: number;
}

/**
 * A node to ask for the cluster's layout, in one of three spellings:
 * `{ url: 'redis://10.0.0.1:6379' }`, `{ socket: { host: '10.0.0.1', port: 6379 } }` or
 * `{ host: '10.0.0.1', port: 6379 }`. Only the last one is not in node-redis.
 */
export type RedisClusterSeed = RedisClusterClientOptions | RedisClusterAddressSeed;

/** A seed written as a plain address. */
export interface RedisClusterAddressSeed extends Omit<RedisClusterClientOptions, 'url'> {
  /** Host name or address, as {@link RedisClusterClientOptions.socket | socket.host}. */
  host: string;

  /**
   * TCP port, 1 to 65535.
   *
   * @defaultValue 6379
   */
  port?: number;

  /** One seed has one address: beside {@link host} a URL would be a second one. */
  url?: never;
}
