/** The options of `createCluster`. */

import type {
  RedisArgument,
  RedisClusterOptions as NodeRedisClusterOptions,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from '@redis/client';
import type { RedisClusterClientOptions, RedisClusterSeed } from './node-options';

type NodeRedisOption<KEY extends keyof NodeRedisClusterOptions> = NodeRedisClusterOptions[KEY];

/**
 * Options of commands: `timeout`, `abortSignal`, `typeMapping`, `asap`, `chainId`, `responseTimeout`.
 *
 * Source: node-redis's `ClusterCommandOptions`, and one of our own.
 */
export type ClusterCommandOptions<TYPE_MAPPING extends TypeMapping = TypeMapping> = NonNullable<
  NodeRedisClusterOptions<{}, {}, {}, RespVersions, TYPE_MAPPING>['commandOptions']
> & {
  /**
   * How long an answer may take, in milliseconds from the call: written or not, the command is then
   * rejected with a `TimeoutError` (or with what a server said last, if it could not run the command and
   * was asked again). What the server still answers is dropped, and the connection goes
   * on. A write that was rejected so may have been done. Not in node-redis.
   *
   * @defaultValue 0: as long as it takes
   */
  responseTimeout?: number;
};

/** Options of `createCluster`, which throws a `TypeError` that names one it cannot honour. */
export interface RedisClusterOptions<
  M extends RedisModules = RedisModules,
  F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts,
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = TypeMapping,
> extends Omit<
  NodeRedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>,
  'rootNodes' | 'defaults' | 'commandOptions'
> {
  /**
   * Nodes that are asked for the cluster's layout. One that answers is enough; give three.
   *
   * Used for that question only: what every connection needs (credentials, timeouts) belongs in
   * {@link defaults}. If none of them answers, `connect()` rejects with a
   * `RootNodesUnavailableError`.
   */
  rootNodes: Array<RedisClusterSeed>;

  /**
   * Options of every connection to a node of the cluster, and of the connections to
   * {@link rootNodes} where those do not say otherwise. Host and port come from the cluster.
   */
  defaults?: Partial<RedisClusterClientOptions>;

  /**
   * `connect()` only learns the layout; a node is connected when the first command goes there.
   * For programs that live shortly or touch few nodes.
   *
   * @defaultValue false
   */
  minimizeConnections?: boolean;

  /**
   * Lets read-only commands go to replicas as well as to primaries, in turn.
   * A replica may answer with data that is a moment old.
   *
   * @defaultValue false
   */
  useReplicas?: boolean;

  /**
   * How many `MOVED` and `ASK` answers one command may follow before it is rejected with a
   * `MaxCommandRedirectionsError`; the last redirect is its `cause`.
   *
   * Source: redirects are part of the Redis Cluster specification, the limit is node-redis's.
   *
   * @defaultValue 16
   */
  maxCommandRedirections?: number;

  /**
   * How long a node may be away before the layout is asked for again, in milliseconds.
   * Without this option the engine asks at the first failed attempt to reconnect, at most once a
   * second. `false` or `0` turns it off. A function gets the time of the first failed attempt (milliseconds
   * since 1970) and returns such a delay, or `false` or `undefined` to wait. Anything else makes
   * `createCluster` throw a `TypeError`.
   *
   * Source: the option and its rules are node-redis's, where the default is 5000.
   */
  topologyRefreshOnReconnectionAttemptStrategy?:
    NodeRedisOption<'topologyRefreshOnReconnectionAttemptStrategy'>;

  /**
   * How often the layout is asked for when nothing hints at a change, in milliseconds, a random tenth
   * of it added. 0 turns it off: `MOVED`, lost connections and nodes that hang are hints enough for
   * all but replicas that come and go. Not in node-redis.
   *
   * @defaultValue 60000
   */
  topologyRefreshInterval?: number;

  /**
   * How many bytes of commands may be on their way or waiting, for all nodes together; the next one is
   * rejected with an error that begins with 'The queue is full'. Each node has its own bound
   * (`commandsQueueMaxBytes`) and an equal share of half of this one that no other can take. 0 turns it
   * off. Not in node-redis.
   *
   * @defaultValue 268435456 (256 MiB)
   */
  queueMaxBytes?: number;

  /**
   * How many connections to one node, beside the one that its commands share, may serve commands that
   * wait on the server: BLPOP and its kin, XREAD and XREADGROUP with BLOCK. Each such command has one for
   * itself; it is made when none is free. Past the bound, commands wait for one, and their `timeout`
   * counts meanwhile. Not in node-redis.
   *
   * @defaultValue 64
   */
  maxBlockingConnections?: number;

  /**
   * After how many milliseconds such a connection is closed if no command uses it; 0: never. Not in
   * node-redis.
   *
   * @defaultValue 30000
   */
  blockingIdleTimeout?: number;

  /**
   * Translates the addresses that the cluster announces into those that this client can reach, for
   * clusters behind NAT or in containers: an object keyed by `host:port`, or a function that
   * returns `{ host, port }`, or `undefined` to keep the address.
   * Anything else in an object makes `createCluster` throw a `TypeError`; what a function throws or
   * returns wrongly is told by an `error` event, and the address is kept.
   */
  nodeAddressMap?: NodeRedisOption<'nodeAddressMap'>;

  /** Not supported in this version: `createCluster` throws a `TypeError` that names this option. */
  clientSideCache?: NodeRedisOption<'clientSideCache'>;

  /**
   * Commands of server modules, by namespace: `{ graph: { QUERY } }` becomes `cluster.graph.QUERY`.
   * `bf`, `cms`, `cf`, `tDigest`, `topK`, `json`, `ft` and `ts` are there already.
   */
  modules?: M;

  /** Functions that were loaded with `FUNCTION LOAD`, by library; each is called with `FCALL`. */
  functions?: F;

  /**
   * Lua scripts made by `defineScript`; each becomes a method. It is called by its hash, and its
   * text is sent only to a node that does not know it.
   */
  scripts?: S;

  /**
   * Version of the protocol. With 2, replies have the shapes of Redis before version 6: no maps,
   * sets, booleans or doubles.
   *
   * @defaultValue 3
   */
  RESP?: RESP;

  /**
   * Options of every command. `timeout` is in milliseconds and counts until the command is written
   * to its node: a command that waits longer is rejected with a `TimeoutError`, one that was
   * written is not recalled. 0 or `undefined` waits without limit. `abortSignal` works in the same
   * span and rejects with an `AbortError`. `responseTimeout` counts until the answer. `typeMapping` is described at `withTypeMapping()`.
   *
   * @defaultValue { timeout: 5000 }
   */
  commandOptions?: ClusterCommandOptions<TYPE_MAPPING>;

  /**
   * Put before every key that a typed command sends; the slot is that of the whole key. Not taken
   * off replies, not put before patterns and channels, and not used by `sendCommand()`.
   */
  keyPrefix?: RedisArgument;
}
