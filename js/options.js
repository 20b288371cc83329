'use strict';
// Options of createCluster, as users of node-redis write them, into those that the engine takes.
// The user's objects are read, never changed.

const { inspect } = require('node:util');
const { toNativeNode, toSeed } = require('./node-options');
const { refusal } = require('./refused-options');

const MAX_PORT = 65_535;

/** @typedef {import('./native-addon').NativeOptions} NativeOptions */
/** @typedef {{ host: string, port: number }} HostPort */

/**
 * @typedef {object} ParsedOptions
 * @property {NativeOptions} native
 * @property {((address: string) => unknown) | undefined} mapAddress to be checked with `toHostPort`
 * @property {((retries: number, cause: Error) => unknown) | undefined} reconnectStrategy
 * @property {import('./reconnection-tracker').Strategy | undefined} topologyRefresh
 */

/** @param {unknown} strategy */
function checkTopologyRefresh(strategy) {
  if (strategy === undefined || strategy === false || typeof strategy === 'function') return;
  if (typeof strategy === 'number' && Number.isInteger(strategy) && strategy >= 0) return;
  throw new TypeError(
    'topologyRefreshOnReconnectionAttempt must be undefined, false, a non-negative integer, or a function',
  );
}

/** @param {Record<string, any>} options */
function checkProtocolFeatures({ RESP = 3, clientSideCache, defaults }) {
  if (clientSideCache) {
    if (RESP !== 3) throw new Error('Client Side Caching is only supported with RESP3');
    throw refusal('clientSideCache', 'client-side caching is not supported in this version; remove it');
  }
  const maintNotifications = defaults?.maintNotifications;
  if (maintNotifications && maintNotifications !== 'disabled' && RESP !== 3) {
    throw new Error('Graceful Maintenance is only supported with RESP3');
  }
}

/**
 * Checks what a user's map says of an address.
 *
 * @param {any} to null and undefined: the address stays as it is
 * @param {string} name of what said it
 * @returns {HostPort | undefined}
 */
function toHostPort(to, name) {
  if (to === undefined || to === null) return undefined;
  const { host } = to;
  // Node takes ports as text too, as they come from environment variables.
  const port = typeof to.port === 'string' && /^\d+$/.test(to.port) ? Number(to.port) : to.port;
  const isPort = Number.isInteger(port) && port >= 1 && port <= MAX_PORT;
  if (typeof host === 'string' && host !== '' && isPort) return { host, port };
  throw new TypeError(
    `${name} must be { host: string, port: 1 to ${MAX_PORT} }, got ${inspect(to, { depth: 0 })}`,
  );
}

/**
 * @param {unknown} map
 * @returns {NonNullable<NativeOptions['addressMap']>}
 */
function toAddressMap(map) {
  if (typeof map !== 'object') {
    throw new TypeError(`nodeAddressMap must be an object or a function, got ${typeof map}`);
  }
  return Object.entries(map ?? {}).flatMap(([from, value]) => {
    const to = toHostPort(value, `nodeAddressMap['${from}']`);
    return to === undefined ? [] : [{ from, ...to }];
  });
}

/**
 * @param {Record<string, any>} options
 * @param {'number'} type
 * @param {string} name
 */
function checkType(options, type, name) {
  const value = options[name];
  if (value !== undefined && typeof value !== type) {
    throw new TypeError(`${name} must be a ${type}, got ${typeof value}`);
  }
}

/**
 * @param {any} options what createCluster was given
 * @returns {ParsedOptions}
 */
function parseOptions(options) {
  const { rootNodes, nodeAddressMap } = options ?? {};
  if (!Array.isArray(rootNodes)) {
    throw new TypeError(`rootNodes must be an array of nodes, got ${typeof rootNodes}`);
  }
  checkTopologyRefresh(options.topologyRefreshOnReconnectionAttemptStrategy);
  checkProtocolFeatures(options);
  checkType(options, 'number', 'RESP');
  checkType(options, 'number', 'maxCommandRedirections');
  checkType(options, 'number', 'queueMaxBytes');
  checkType(options, 'number', 'topologyRefreshInterval');
  checkType(options, 'number', 'maxBlockingConnections');
  checkType(options, 'number', 'blockingIdleTimeout');

  const defaults = options.defaults || {};
  const { host, port, ...node } = toNativeNode(defaults, 'defaults');
  /** @type {NativeOptions} */
  const native = {
    seeds: rootNodes.map((root, i) => toSeed(root, defaults, `rootNodes[${i}]`)),
    node,
    useReplicas: Boolean(options.useReplicas),
    minimizeConnections: options.minimizeConnections === true,
  };
  const topologyRefresh = options.topologyRefreshOnReconnectionAttemptStrategy;
  if (topologyRefresh !== undefined) native.refreshOnReconnect = false;
  if (options.RESP !== undefined) native.resp = options.RESP;
  if (options.maxCommandRedirections !== undefined) {
    native.maxCommandRedirections = options.maxCommandRedirections;
  }
  if (options.queueMaxBytes !== undefined) native.queueMaxBytes = options.queueMaxBytes;
  if (options.topologyRefreshInterval !== undefined) {
    native.topologyRefreshIntervalMs = options.topologyRefreshInterval;
  }
  if (options.maxBlockingConnections !== undefined) {
    native.maxBlockingConnections = options.maxBlockingConnections;
  }
  if (options.blockingIdleTimeout !== undefined) {
    native.blockingIdleTimeoutMs = options.blockingIdleTimeout;
  }
  const mapAddress = typeof nodeAddressMap === 'function' ? nodeAddressMap : undefined;
  if (mapAddress !== undefined) native.addressMapCallback = true;
  else if (nodeAddressMap) native.addressMap = toAddressMap(nodeAddressMap);
  const { reconnectStrategy } = defaults.socket ?? {};
  return {
    native,
    mapAddress,
    topologyRefresh,
    reconnectStrategy: typeof reconnectStrategy === 'function' ? reconnectStrategy : undefined,
  };
}

module.exports = { parseOptions, toHostPort };
