'use strict';
// Options of one node, as users write them, into those that the engine takes.

const { TLS, refusal, refuseNodeOptions } = require('./refused-options');
const { parseRedisUrl, withoutCredentials } = require('./redis-url');

/** @typedef {import('./native-addon').NativeNode} NativeNode */
/** @typedef {Record<string, any>} UserNode an object of `rootNodes`, or `defaults` */

/** @type {Array<[name: string, nativeName: keyof NativeNode, type: 'string' | 'number' | 'boolean']>} */
const NODE_FIELDS = [
  ['username', 'username', 'string'],
  ['password', 'password', 'string'],
  ['name', 'name', 'string'],
  ['database', 'database', 'number'],
  ['clientInfoTag', 'clientInfoTag', 'string'],
  ['disableClientInfo', 'disableClientInfo', 'boolean'],
  ['commandsQueueMaxLength', 'commandsQueueMaxLength', 'number'],
  ['commandsQueueMaxBytes', 'commandsQueueMaxBytes', 'number'],
  ['disableOfflineQueue', 'disableOfflineQueue', 'boolean'],
  ['pingInterval', 'pingIntervalMs', 'number'],
];

/** @type {Array<[name: string, nativeName: keyof NativeNode, type: 'string' | 'number' | 'boolean']>} */
const SOCKET_FIELDS = [
  ['host', 'host', 'string'],
  ['port', 'port', 'number'],
  ['connectTimeout', 'connectTimeoutMs', 'number'],
  ['noDelay', 'noDelay', 'boolean'],
  ['keepAlive', 'keepAlive', 'boolean'],
  ['keepAliveInitialDelay', 'keepAliveInitialDelayMs', 'number'],
  ['family', 'family', 'number'],
  ['localAddress', 'localAddress', 'string'],
  ['localPort', 'localPort', 'number'],
  ['socketTimeout', 'socketTimeoutMs', 'number'],
  ['hangTimeout', 'hangTimeoutMs', 'number'],
];

/** Node takes these as text too, as they come from environment variables. */
const NUMBERS_AS_TEXT = new Set(['port', 'localPort']);

/**
 * Copies the fields that are set, and refuses those of a wrong type.
 *
 * @param {UserNode} from
 * @param {typeof NODE_FIELDS} fields
 * @param {string} prefix of their names
 * @returns {NativeNode}
 */
function copyFields(from, fields, prefix) {
  /** @type {Record<string, unknown>} */
  const native = {};
  for (const [name, nativeName, type] of fields) {
    let value = from[name];
    if (value === undefined || value === null) continue;
    if (NUMBERS_AS_TEXT.has(name) && /^\d+$/.test(value)) value = Number(value);
    if (typeof value !== type) {
      throw new TypeError(`${prefix}.${name} must be a ${type}, got ${typeof value}`);
    }
    native[nativeName] = value;
  }
  return native;
}

/**
 * @param {unknown} strategy
 * @param {string} name
 * @returns {NativeNode['reconnect']}
 */
function toReconnect(strategy, name) {
  if (strategy === false) return { kind: 'never' };
  if (typeof strategy === 'number') return { kind: 'fixed', delayMs: strategy };
  if (typeof strategy === 'function') return { kind: 'callback' };
  if (!strategy) return undefined;
  throw new TypeError(
    `${name}.socket.reconnectStrategy must be false, a number or a function, got ${typeof strategy}`,
  );
}

/**
 * What a URL says wins over what stands beside it, as in node-redis.
 *
 * @param {UserNode} node
 * @param {string} name of the option that the node is
 * @returns {UserNode}
 */
function withUrl(node, name) {
  if (!node.url) return node;
  const { host, port, tls, ...credentials } = parseRedisUrl(node.url, `${name}.url`);
  const wantsTls = node.socket?.tls;
  if (wantsTls !== undefined && wantsTls !== tls) {
    const url = withoutCredentials(node.url);
    throw new TypeError(
      `tls socket option is set to ${wantsTls} which is mismatch with protocol or the URL ${url} passed`,
    );
  }
  if (tls) throw refusal(`${name}.url`, `${TLS}: redis:// instead of rediss://`);
  const socket = { ...node.socket, host };
  if (port !== undefined) socket.port = port;
  return { ...node, ...credentials, socket };
}

/**
 * @param {UserNode} node
 * @param {string} name of the option that the node is
 * @returns {NativeNode}
 */
function toNativeNode(node, name) {
  const plain = withUrl(node, name);
  refuseNodeOptions(plain, name);
  const socket = plain.socket ?? {};
  const native = {
    ...copyFields(plain, NODE_FIELDS, name),
    ...copyFields(socket, SOCKET_FIELDS, `${name}.socket`),
  };
  const reconnect = toReconnect(socket.reconnectStrategy, name);
  if (reconnect !== undefined) native.reconnect = reconnect;
  return native;
}

/**
 * A node to ask for the topology: its own options over `defaults`. It is asked once, so a failed
 * connection to it is not tried again.
 *
 * @param {UserNode} root
 * @param {UserNode} defaults
 * @param {string} name of the option that the node is
 * @returns {NativeNode}
 */
function toSeed(root, defaults, name) {
  if (typeof root !== 'object' || root === null) {
    throw new TypeError(`${name} must be an object, got ${root === null ? 'null' : typeof root}`);
  }
  const { host, port, ...own } = root;
  const socket = { ...defaults.socket, ...own.socket };
  if (host !== undefined) socket.host = host;
  if (port !== undefined) socket.port = port;
  /** @type {UserNode} */
  const merged = { ...defaults, ...own, socket: { ...socket, reconnectStrategy: false } };
  // The URL of `defaults` names one node; a root node that names another keeps its own address.
  const hasAddress = host !== undefined || port !== undefined || own.socket?.host || own.socket?.port;
  if (!own.url && hasAddress) delete merged.url;
  return toNativeNode(merged, name);
}

module.exports = { toNativeNode, toSeed };
