/** What `createCluster` returns: node-redis's cluster, and what this package adds to it. */

import {
  RedisCluster as NodeRedisCluster,
  type RedisArgument,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RespVersions,
  type TypeMapping,
} from '@redis/client';
import type {
  RedisClientType,
  WithFunctions,
  WithModules,
  WithScripts,
} from '@redis/client/dist/lib/client';
import type { ShardNode } from '@redis/client/dist/lib/cluster/cluster-slots';
import type { NON_STICKY_COMMANDS } from '@redis/client/dist/lib/commands';
import type { ScanOptions } from '@redis/client/dist/lib/commands/SCAN';
import type {
  BlobStringReply,
  CommandSignature,
  ReplyWithTypeMapping,
} from '@redis/client/dist/lib/RESP/types';
import type { ClusterCommandOptions, RedisClusterOptions } from './cluster-options';

/** How often commands were sent on to another node than the one they went to first. */
export interface RedirectCounts {
  /** `MOVED`: the slot belongs to another node for good. */
  moved: number;
  /** `ASK`: the slot is on its way to another node, and the key is there already. */
  ask: number;
}

/**
 * What `MGET`, `MSET`, `DEL`, `UNLINK`, `EXISTS`, `TOUCH`, `JSON.MGET` and `JSON.MSET` are rejected with
 * when their keys are in several slots and some of these failed. Class and message are those of the
 * first failure.
 */
export interface PartialFailure extends Error {
  /** The first failure itself. */
  cause: Error;
  /** Keys of slots that failed, in the order of the call. Whether a write among them ran is not known. */
  failedKeys: RedisArgument[];
  /** Keys of slots for which the command ran. */
  succeededKeys: RedisArgument[];
}

type WithCommands<RESP extends RespVersions, TYPE_MAPPING extends TypeMapping> = {
  [NAME in keyof typeof NON_STICKY_COMMANDS]: CommandSignature<
    (typeof NON_STICKY_COMMANDS)[NAME],
    RESP,
    TYPE_MAPPING
  >;
};

/** A cluster with its commands, modules, functions and scripts as methods. */
export type ClusterWithCommands<
  M extends RedisModules = {},
  F extends RedisFunctions = {},
  S extends RedisScripts = {},
  RESP extends RespVersions = 3,
  TYPE_MAPPING extends TypeMapping = {},
> = RedisCluster<M, F, S, RESP, TYPE_MAPPING> &
  WithCommands<RESP, TYPE_MAPPING> &
  WithModules<M, RESP, TYPE_MAPPING> &
  WithFunctions<F, RESP, TYPE_MAPPING> &
  WithScripts<S, RESP, TYPE_MAPPING>;

/** Options that decide which methods a cluster has and what they return. */
type CommanderOption =
  | 'modules'
  | 'functions'
  | 'scripts'
  | 'RESP'
  | 'commandOptions'
  | 'keyPrefix';

/**
 * A Redis cluster as one client. `createCluster` returns it together with its commands.
 *
 * Typed as a subclass of node-redis's class, so that it can be passed to whatever asks for that;
 * no code of that class runs.
 *
 * Emits `connect`, `disconnect` and `error` for itself, and `node-connect`, `node-ready`,
 * `node-reconnecting`, `node-disconnect` (each with `{ host, port }`) and `node-error` (with the
 * `Error` and `{ host, port }`) for its nodes.
 *
 * `slots`, `masters`, `replicas` and `nodeByAddress` describe the nodes, each with its `client`.
 *
 * A method in capitals is its namesake in camel case. Members that begin with an underscore are
 * node-redis's own machinery: they come with its type and are not part of this contract.
 */
export declare class RedisCluster<
  M extends RedisModules,
  F extends RedisFunctions,
  S extends RedisScripts,
  RESP extends RespVersions,
  TYPE_MAPPING extends TypeMapping,
> extends NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING> {
  /** Like `createCluster`, without the modules that it adds by itself. */
  static create<
    M extends RedisModules = {},
    F extends RedisFunctions = {},
    S extends RedisScripts = {},
    RESP extends RespVersions = 3,
    TYPE_MAPPING extends TypeMapping = {},
  >(
    options?: RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>,
  ): ClusterWithCommands<M, F, S, RESP, TYPE_MAPPING>;

  /** Like {@link create}, in two steps: the commands are prepared once for many clusters. */
  static factory<
    M extends RedisModules = {},
    F extends RedisFunctions = {},
    S extends RedisScripts = {},
    RESP extends RespVersions = 3,
    TYPE_MAPPING extends TypeMapping = {},
  >(
    config?: Pick<RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>, CommanderOption>,
  ): (
    options?: Omit<RedisClusterOptions, CommanderOption>,
  ) => ClusterWithCommands<M, F, S, RESP, TYPE_MAPPING>;

  /** The result has no commands in its type: {@link create} gives it one that has. */
  constructor(options: RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>);

  /**
   * Redirects that commands followed since `connect()`. They rise while slots move; if they rise
   * all the time, something between this client and the cluster rewrites addresses.
   */
  redirects(): RedirectCounts;

  /**
   * Accepts no more commands, lets those that were accepted finish, and ends the connections. Commands
   * that wait on a server (BLPOP and its kin, XREAD with BLOCK) are ended there: those that have no
   * answer by then are rejected with a `ClientClosedError`.
   *
   * @param options `timeout`: the longest that it waits, in milliseconds; what is unanswered then is
   * rejected with a `DisconnectsClientError`. Without it there is no limit; `destroy()` ends the
   * waiting. Not in node-redis.
   */
  close(options?: { timeout?: number }): Promise<void>;

  /**
   * Learns the layout and, unless `minimizeConnections` is set, connects to every node.
   *
   * @returns the cluster itself
   * @throws `Error` 'Cluster already open'; `RootNodesUnavailableError` if no root node answers
   */
  connect(): Promise<ClusterWithCommands<M, F, S, RESP, TYPE_MAPPING>>;

  /** A new cluster, not connected, with the options of this one under `overrides`. */
  duplicate<
    _M extends RedisModules = M,
    _F extends RedisFunctions = F,
    _S extends RedisScripts = S,
    _RESP extends RespVersions = RESP,
    _TYPE_MAPPING extends TypeMapping = TYPE_MAPPING,
  >(
    overrides?: Partial<RedisClusterOptions<_M, _F, _S, _RESP, _TYPE_MAPPING>>,
  ): ClusterWithCommands<_M, _F, _S, _RESP, _TYPE_MAPPING>;

  /**
   * The same cluster and connections, seen with other command options. They replace those given to
   * `createCluster`.
   */
  withCommandOptions<
    OPTIONS extends ClusterCommandOptions<TYPE_MAPPING>,
    TYPE_MAPPING extends TypeMapping,
  >(
    options: OPTIONS,
  ): ClusterWithCommands<M, F, S, RESP, TYPE_MAPPING extends TypeMapping ? TYPE_MAPPING : {}>;

  /**
   * The same cluster and connections, with replies in other JavaScript types: keys are members of
   * `RESP_TYPES`, values are `String`, `Number`, `BigInt`, `Buffer`, `Array`, `Map` or `Set`.
   */
  withTypeMapping<TYPE_MAPPING extends TypeMapping>(
    typeMapping: TYPE_MAPPING,
  ): ClusterWithCommands<M, F, S, RESP, TYPE_MAPPING extends TypeMapping ? TYPE_MAPPING : {}>;

  /**
   * Collects commands, which `exec()` sends as one transaction, and `execAsPipeline()` each to where its key
   * is.
   *
   * All keys of a transaction must be in one slot. `routing` names a key of that slot; without it the
   * first key decides.
   */
  multi: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['multi'];

  /** Not supported in this version: fails with an error that names the method. */
  subscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['subscribe'];

  /** Not supported in this version: fails with an error that names the method. */
  unsubscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['unsubscribe'];

  /** Not supported in this version: fails with an error that names the method. */
  pSubscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['pSubscribe'];

  /** Not supported in this version: fails with an error that names the method. */
  pUnsubscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['pUnsubscribe'];

  /** Not supported in this version: fails with an error that names the method. */
  sSubscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['sSubscribe'];

  /** Not supported in this version: fails with an error that names the method. */
  sUnsubscribe: NodeRedisCluster<M, F, S, RESP, TYPE_MAPPING>['sUnsubscribe'];

  /**
   * All keys of the cluster, in pages, from all primaries at once.
   *
   * A key that exists from the first page to the last is among them, also while slots move and primaries
   * are replaced; a key may come more than once. Pages are not empty, and are read one ahead. Throws an
   * error if for half a minute no more slots can be scanned. Not in node-redis's cluster.
   *
   * @example
   * ```js
   * for await (const keys of cluster.scanIterator({ MATCH: 'user:*', COUNT: 1000 })) { ... }
   * ```
   */
  scanIterator(
    options?: ScanOptions,
  ): AsyncGenerator<ReplyWithTypeMapping<BlobStringReply, TYPE_MAPPING>[], void, unknown>;

  /**
   * A client of one node, with all that node-redis's client has except Pub/Sub, `monitor`, `legacy` and
   * `createPool`. Its commands go to that node whatever their key, over the connection that the cluster
   * has, and are not redirected. What it watches is its own.
   */
  nodeClient(
    node: ShardNode<M, F, S, RESP, TYPE_MAPPING>,
  ): Promise<RedisClientType<M, F, S, RESP, TYPE_MAPPING>>;

  /** A client, as `nodeClient` makes it, of the node that has the key; a replica only if `isReadonly`. */
  getNodeClientForKey(
    key: RedisArgument,
    isReadonly?: boolean,
  ): Promise<RedisClientType<M, F, S, RESP, TYPE_MAPPING>>;
}
