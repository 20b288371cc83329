/**
 * redis-cluster-native: node-redis's `createCluster()` on a Rust engine.
 *
 * Everything a cluster user imports from `redis` can be imported from here under the same name and
 * with the same type parameters. Commands, replies and errors are node-redis's own types.
 */

import type bloom from '@redis/bloom';
import type {
  RedisClientType as NodeRedisClientType,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from '@redis/client';
import type json from '@redis/json';
import type search from '@redis/search';
import type timeSeries from '@redis/time-series';
import type { ClusterWithCommands } from './types/cluster';
import type { RedisClusterOptions } from './types/cluster-options';

type BundledModules = typeof bloom & {
  json: typeof json;
  ft: typeof search;
  ts: typeof timeSeries;
};

/** Modules that every cluster has: `bf`, `cms`, `cf`, `tDigest`, `topK`, `json`, `ft` and `ts`. */
export interface RedisDefaultModules extends BundledModules {}

/**
 * A cluster as `createCluster` returns it. Parameters: the user's modules, functions and scripts,
 * the protocol version, and the type mapping of replies.
 */
export type RedisClusterType<
  M extends RedisModules = {},
  F extends RedisFunctions = {},
  S extends RedisScripts = {},
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = {},
> = ClusterWithCommands<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>;

/** node-redis's client of a single node, as it appears in `slots`, `masters` and `replicas`. */
export type RedisClientType<
  M extends RedisModules = {},
  F extends RedisFunctions = {},
  S extends RedisScripts = {},
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = {},
> = NodeRedisClientType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>;

/**
 * Makes a client of a Redis cluster. It does nothing until `connect()` is called.
 *
 * @example
 * ```js
 * const cluster = createCluster({ rootNodes: [{ host: '10.0.0.1', port: 6379 }] });
 * cluster.on('error', (error) => console.error(error));
 * await cluster.connect();
 * await cluster.set('key', 'value');
 * ```
 *
 * @throws `TypeError` for an option that has the wrong type or is not supported; the message names
 * the option.
 */
export declare function createCluster<
  M extends RedisModules = {},
  F extends RedisFunctions = {},
  S extends RedisScripts = {},
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = {},
>(
  options: RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>,
): RedisClusterType<M, F, S, RESP, TYPE_MAPPING>;

export { RedisCluster } from './types/cluster';
export type { PartialFailure, RedirectCounts } from './types/cluster';
export type { ClusterCommandOptions, RedisClusterOptions } from './types/cluster-options';
export type {
  RedisClusterAddressSeed,
  RedisClusterClientOptions,
  RedisClusterSeed,
} from './types/node-options';
export type { ReconnectStrategy, RedisClusterSocketOptions } from './types/socket-options';

export {
  // Errors, all of which a command, `connect()` or an event may carry.
  AbortError,
  BlobError,
  ClientClosedError,
  ClientOfflineError,
  CommandTimeoutDuringMaintenanceError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  MaxCommandRedirectionsError,
  MultiErrorReply,
  OpenTelemetryError,
  ReconnectStrategyError,
  RootNodesUnavailableError,
  ScanIteratorInterruptedError,
  SimpleError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutDuringMaintenanceError,
  SocketTimeoutError,
  TimeoutError,
  WatchError,
  // Constants that name the choices of some commands.
  AR_OPERATIONS,
  AR_PREDICATE_COMBINATORS,
  AR_PREDICATE_TYPES,
  CLIENT_KILL_FILTERS,
  CLIENT_UNBLOCK_MODES,
  CLUSTER_SLOT_STATES,
  COMMAND_LIST_FILTER_BY,
  FAILOVER_MODES,
  GEO_REPLY_WITH,
  REDIS_FLUSH_MODES,
  // Replies, scripts, caching, tracing.
  BasicClientSideCache,
  BasicPooledClientSideCache,
  CHANNELS,
  DEFAULT_RESP,
  defineScript,
  digest,
  OpenTelemetry,
  RESP_TYPES,
  VerbatimString,
} from '@redis/client';

export type {
  CommandParser,
  GeoReplyWith,
  RedisArgument,
  RedisClientOptions,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  SetOptions,
  TypeMapping,
  // Payloads of the diagnostics channels that CHANNELS names.
  BatchCommandTraceContext,
  BatchOperationContext,
  CacheEvictionEvent,
  CacheRequestEvent,
  ChannelEvents,
  ClientErrorEvent,
  CommandReplyEvent,
  CommandTraceContext,
  ConnectionClosedEvent,
  ConnectionHandoffEvent,
  ConnectionReadyEvent,
  ConnectionRelaxedTimeoutEvent,
  ConnectTraceContext,
  MaintenanceNotificationEvent,
  PoolConnectionWaitEvent,
  PubSubMessageEvent,
} from '@redis/client';

// The names that the module packages export beside their commands: schema and aggregation constants
// and their types.
export * from '@redis/json';
export * from '@redis/search';
export * from '@redis/time-series';
