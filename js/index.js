'use strict';
// What the package exports. Names that few programs use load what they stand for when they are read.

const errors = require('./errors');
const constants = require('./command-constants');
const definitions = require('./definitions');
const { RedisCluster } = require('./cluster');
const { bundledModule, bundledModuleNames } = require('./commands');

/** Each module loads when its namespace is first used. */
const bundledModules = Object.defineProperties(
  {},
  Object.fromEntries(
    bundledModuleNames.map((name) => [name, { enumerable: true, get: () => bundledModule(name) }]),
  ),
);

/** @type {WeakMap<object, object>} one object per user's object, so that classes can be shared */
const mergedModules = new WeakMap();

/** @param {Record<string, any> | undefined} modules a user's, which may replace bundled ones */
function withBundledModules(modules) {
  if (!modules) return bundledModules;
  let merged = mergedModules.get(modules);
  if (merged === undefined) {
    const descriptors = Object.getOwnPropertyDescriptors(bundledModules);
    merged = Object.defineProperties({}, { ...descriptors, ...Object.getOwnPropertyDescriptors(modules) });
    mergedModules.set(modules, merged);
  }
  return merged;
}

/**
 * Makes a client of a Redis cluster. It does nothing until `connect()` is called.
 *
 * @param {any} options
 */
function createCluster(options) {
  return RedisCluster.create({ ...options, modules: withBundledModules(options?.modules) });
}

// One statement per name: programs in ESM can import the names that Node finds in this text.

exports.createCluster = createCluster;
exports.RedisCluster = RedisCluster;
exports.DEFAULT_RESP = definitions.DEFAULT_RESP;
exports.RESP_TYPES = definitions.RESP_TYPES;
exports.VerbatimString = definitions.VerbatimString;

exports.AbortError = errors.AbortError;
exports.WatchError = errors.WatchError;
exports.ConnectionTimeoutError = errors.ConnectionTimeoutError;
exports.SocketTimeoutError = errors.SocketTimeoutError;
exports.ClientClosedError = errors.ClientClosedError;
exports.ClientOfflineError = errors.ClientOfflineError;
exports.DisconnectsClientError = errors.DisconnectsClientError;
exports.SocketClosedUnexpectedlyError = errors.SocketClosedUnexpectedlyError;
exports.RootNodesUnavailableError = errors.RootNodesUnavailableError;
exports.ScanIteratorInterruptedError = errors.ScanIteratorInterruptedError;
exports.ReconnectStrategyError = errors.ReconnectStrategyError;
exports.ErrorReply = errors.ErrorReply;
exports.SimpleError = errors.SimpleError;
exports.BlobError = errors.BlobError;
exports.TimeoutError = errors.TimeoutError;
exports.SocketTimeoutDuringMaintenanceError = errors.SocketTimeoutDuringMaintenanceError;
exports.CommandTimeoutDuringMaintenanceError = errors.CommandTimeoutDuringMaintenanceError;
exports.MultiErrorReply = errors.MultiErrorReply;
exports.OpenTelemetryError = errors.OpenTelemetryError;
exports.MaxCommandRedirectionsError = errors.MaxCommandRedirectionsError;

exports.GEO_REPLY_WITH = constants.GEO_REPLY_WITH;
exports.CLIENT_KILL_FILTERS = constants.CLIENT_KILL_FILTERS;
exports.CLIENT_UNBLOCK_MODES = constants.CLIENT_UNBLOCK_MODES;
exports.FAILOVER_MODES = constants.FAILOVER_MODES;
exports.CLUSTER_SLOT_STATES = constants.CLUSTER_SLOT_STATES;
exports.COMMAND_LIST_FILTER_BY = constants.COMMAND_LIST_FILTER_BY;
exports.REDIS_FLUSH_MODES = constants.REDIS_FLUSH_MODES;
exports.AR_PREDICATE_TYPES = constants.AR_PREDICATE_TYPES;
exports.AR_PREDICATE_COMBINATORS = constants.AR_PREDICATE_COMBINATORS;
exports.AR_OPERATIONS = constants.AR_OPERATIONS;
exports.REDISEARCH_LANGUAGE = constants.REDISEARCH_LANGUAGE;
exports.SCHEMA_FIELD_TYPE = constants.SCHEMA_FIELD_TYPE;
exports.SCHEMA_TEXT_FIELD_PHONETIC = constants.SCHEMA_TEXT_FIELD_PHONETIC;
exports.SCHEMA_VECTOR_FIELD_ALGORITHM = constants.SCHEMA_VECTOR_FIELD_ALGORITHM;
exports.FT_AGGREGATE_GROUP_BY_REDUCERS = constants.FT_AGGREGATE_GROUP_BY_REDUCERS;
exports.FT_AGGREGATE_STEPS = constants.FT_AGGREGATE_STEPS;
exports.TIME_SERIES_ENCODING = constants.TIME_SERIES_ENCODING;
exports.TIME_SERIES_DUPLICATE_POLICIES = constants.TIME_SERIES_DUPLICATE_POLICIES;
exports.TIME_SERIES_AGGREGATION_TYPE = constants.TIME_SERIES_AGGREGATION_TYPE;
exports.TIME_SERIES_BUCKET_TIMESTAMP = constants.TIME_SERIES_BUCKET_TIMESTAMP;
exports.TIME_SERIES_REDUCERS = constants.TIME_SERIES_REDUCERS;
exports.TS_READ_TIMESTAMP = constants.TS_READ_TIMESTAMP;

Object.defineProperty(exports, 'defineScript', { enumerable: true, get: function () { return definitions.defineScript; } });
Object.defineProperty(exports, 'digest', { enumerable: true, get: function () { return definitions.digest; } });
Object.defineProperty(exports, 'BasicClientSideCache', { enumerable: true, get: function () { return definitions.BasicClientSideCache; } });
Object.defineProperty(exports, 'BasicPooledClientSideCache', { enumerable: true, get: function () { return definitions.BasicPooledClientSideCache; } });
Object.defineProperty(exports, 'OpenTelemetry', { enumerable: true, get: function () { return definitions.OpenTelemetry; } });
Object.defineProperty(exports, 'CHANNELS', { enumerable: true, get: function () { return definitions.CHANNELS; } });
