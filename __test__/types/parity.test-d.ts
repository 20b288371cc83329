/** Member by member: this package's cluster has node-redis's types, and can stand in for it. */
import type { EventEmitter } from 'node:events';
import type { RedisClusterOptions as ClientClusterOptions } from '@redis/client';
import type * as nodeRedis from 'redis';
import type * as ours from 'redis-cluster-native';
import type { Equal, Expect } from './assert-types.js';

type Buffers = { 36: BufferConstructor; 37: MapConstructor };
type Ours = ours.RedisClusterType;
type Theirs = nodeRedis.RedisClusterType;
type OldOurs = ours.RedisClusterType<{}, {}, {}, 2, Buffers>;
type OldTheirs = nodeRedis.RedisClusterType<{}, {}, {}, 2, Buffers>;

/** Members that return a cluster: ours has more members. */
type ClusterValued = 'connect' | 'duplicate' | 'withCommandOptions' | 'withTypeMapping';
type ModuleName = 'bf' | 'cf' | 'cms' | 'ft' | 'json' | 'tDigest' | 'topK' | 'ts';
type OurClass = ours.RedisCluster<{}, {}, {}, 3, {}>;
type TheirClass = nodeRedis.RedisCluster<{}, {}, {}, 3, {}>;
type CommandName = Exclude<keyof Theirs, keyof TheirClass | ModuleName>;
type ClassMember = Exclude<keyof TheirClass, ClusterValued | keyof EventEmitter | `_${string}`>;

/** Names of the members whose types differ. */
type Differing<A, B, NAMES extends keyof A & keyof B> = {
  [NAME in NAMES]: Equal<A[NAME], B[NAME]> extends true ? never : NAME;
}[NAMES];

export type Members = [
  Expect<Equal<Exclude<keyof Theirs, keyof Ours>, never>>,
  Expect<Equal<Exclude<keyof Ours, keyof Theirs>, 'redirects' | 'scanIterator'>>,
  Expect<Equal<Differing<Ours, Theirs, CommandName>, never>>,
  Expect<Equal<Differing<OldOurs, OldTheirs, CommandName>, never>>,
  Expect<Equal<Differing<OurClass, TheirClass, ClassMember>, 'close'>>,
];

/** The comparison sees the members it is meant to see, and a difference where there is one. */
export type Sees = [
  Expect<Equal<Extract<CommandName, 'get' | 'GET' | 'xReadGroup'>, 'get' | 'GET' | 'xReadGroup'>>,
  Expect<Equal<Extract<ClassMember, 'isOpen' | 'multi' | 'slots'>, 'isOpen' | 'multi' | 'slots'>>,
  Expect<Equal<Differing<Ours, OldTheirs, 'hGetAll' | 'dbSize'>, 'hGetAll'>>,
];

export type Modules = [
  Expect<Equal<keyof ours.RedisDefaultModules, ModuleName>>,
  Expect<Equal<Differing<Ours['bf'], Theirs['bf'], keyof Theirs['bf']>, never>>,
  Expect<Equal<Differing<Ours['cf'], Theirs['cf'], keyof Theirs['cf']>, never>>,
  Expect<Equal<Differing<Ours['cms'], Theirs['cms'], keyof Theirs['cms']>, never>>,
  Expect<Equal<Differing<Ours['ft'], Theirs['ft'], keyof Theirs['ft']>, never>>,
  Expect<Equal<Differing<Ours['json'], Theirs['json'], keyof Theirs['json']>, never>>,
  Expect<Equal<Differing<Ours['tDigest'], Theirs['tDigest'], keyof Theirs['tDigest']>, never>>,
  Expect<Equal<Differing<Ours['topK'], Theirs['topK'], keyof Theirs['topK']>, never>>,
  Expect<Equal<Differing<Ours['ts'], Theirs['ts'], keyof Theirs['ts']>, never>>,
];

/** What `redis` exports and this package does not: clients that are not cluster clients. */
export type Exports = Expect<
  Equal<
    Exclude<keyof typeof nodeRedis, keyof typeof ours>,
    | 'createClient'
    | 'createClientPool'
    | 'createSentinel'
    | 'RedisClient'
    | 'RedisClientPool'
    | 'RedisSentinel'
    | 'RedisSentinelClient'
  >
>;
export type NothingElse = Expect<Equal<Exclude<keyof typeof ours, keyof typeof nodeRedis>, never>>;

/**
 * Every option of node-redis by name. An upgrade that adds one fails here, so that somebody decides
 * whether the engine honours it or refuses it.
 */
export type Options = [
  Expect<
    Equal<
      keyof ClientClusterOptions,
      | 'RESP'
      | 'clientSideCache'
      | 'commandOptions'
      | 'defaults'
      | 'functions'
      | 'himportRegistry'
      | 'keyPrefix'
      | 'maxCommandRedirections'
      | 'minimizeConnections'
      | 'modules'
      | 'nodeAddressMap'
      | 'rootNodes'
      | 'scripts'
      | 'topologyRefreshOnReconnectionAttemptStrategy'
      | 'useReplicas'
    >
  >,
  Expect<
    Equal<
      keyof ClientClusterOptions['rootNodes'][number],
      | 'clientInfoTag'
      | 'clientSideCache'
      | 'commandsQueueMaxLength'
      | 'credentialsProvider'
      | 'database'
      | 'disableClientInfo'
      | 'disableOfflineQueue'
      | 'emitInvalidate'
      | 'himportRegistry'
      | 'maintEndpointType'
      | 'maintNotifications'
      | 'maintRelaxedCommandTimeout'
      | 'maintRelaxedSocketTimeout'
      | 'name'
      | 'password'
      | 'pingInterval'
      | 'readonly'
      | 'socket'
      | 'url'
      | 'username'
    >
  >,
  Expect<
    Equal<
      keyof ours.RedisClusterOptions,
      | keyof ClientClusterOptions
      | 'queueMaxBytes'
      | 'topologyRefreshInterval'
      | 'maxBlockingConnections'
      | 'blockingIdleTimeout'
    >
  >,
];

/** A cluster goes wherever node-redis's type is asked for, with and without the bundled modules. */
export function standsIn<
  M extends ours.RedisModules,
  F extends ours.RedisFunctions,
  S extends ours.RedisScripts,
  RESP extends ours.RespVersions,
  MAPPING extends ours.TypeMapping,
>(generic: ours.RedisClusterType<M, F, S, RESP, MAPPING>, plain: Ours, old: OldOurs) {
  const bundled: nodeRedis.RedisClusterType<M, F, S, RESP, MAPPING> = generic;
  const exact: [Theirs, OldTheirs] = [plain, old];
  return [bundled, exact];
}

/** Options that were typed with node-redis are ours too. */
export function takesOptions(options: nodeRedis.RedisClusterOptions): ours.RedisClusterOptions {
  return options;
}
