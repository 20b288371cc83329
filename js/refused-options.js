'use strict';
// Options of node-redis that this version cannot honour, each with what to do instead. They are
// refused by name: a program that relies on one must learn it at the start.

const TLS = 'TLS is not supported in this version; connect without it';
const LOOKUP = 'host names are resolved by the operating system; remove it, and use `family` to prefer IPv4 or IPv6';
const RAW_SOCKET = 'sockets belong to the engine, which has no such setting; remove it';

/** @type {Record<string, string>} by name of the option, at the top level of a node */
const NODE = {
  credentialsProvider: 'credentials are not renewed in this version; use `username` and `password`',
  emitInvalidate: 'invalidation messages are not delivered in this version; remove it',
  clientSideCache: 'client-side caching is not supported in this version; remove it',
};

/** @type {Record<string, string>} in `socket` */
const SOCKET = {
  tls: TLS,
  path: 'the nodes of a cluster know each other by host and port; use `host` and `port`',
  lookup: LOOKUP,
  hints: LOOKUP,
  autoSelectFamily: LOOKUP,
  autoSelectFamilyAttemptTimeout: LOOKUP,
  allowHalfOpen: RAW_SOCKET,
  blockList: RAW_SOCKET,
  fd: RAW_SOCKET,
  highWaterMark: RAW_SOCKET,
  signal: RAW_SOCKET,
  typeOfService: RAW_SOCKET,
};

/** Options of `tls.connect` and `tls.createSecureContext`. */
const TLS_OPTIONS = [
  'ALPNProtocols', 'ALPNCallback', 'allowPartialTrustChain', 'ca', 'cert', 'checkServerIdentity',
  'ciphers', 'clientCertEngine', 'crl', 'dhparam', 'ecdhCurve', 'enableTrace', 'honorCipherOrder',
  'key', 'maxVersion', 'minDHSize', 'minVersion', 'passphrase', 'pfx', 'privateKeyEngine',
  'privateKeyIdentifier', 'pskCallback', 'rejectUnauthorized', 'requestOCSP', 'secureContext',
  'secureOptions', 'secureProtocol', 'servername', 'session', 'sessionIdContext', 'sigalgs',
];

/**
 * @param {string} name full name of the option
 * @param {string} advice
 * @returns {TypeError}
 */
function refusal(name, advice) {
  return new TypeError(`redis-cluster-native cannot honour the option \`${name}\`: ${advice}`);
}

/**
 * A value that switches an option off asks for nothing.
 *
 * @param {Record<string, any>} options
 * @param {Record<string, string>} refused
 * @param {string} prefix
 */
function refuse(options, refused, prefix) {
  for (const [name, advice] of Object.entries(refused)) {
    if (options[name]) throw refusal(`${prefix}.${name}`, advice);
  }
}

/**
 * @param {Record<string, any>} node
 * @param {string} name of the option that the node is
 */
function refuseNodeOptions(node, name) {
  refuse(node, NODE, name);
  if (node.maintNotifications === 'enabled') {
    const advice = "notifications are not requested in this version; use 'auto' or 'disabled'";
    throw refusal(`${name}.maintNotifications`, advice);
  }
  const socket = node.socket ?? {};
  refuse(socket, SOCKET, `${name}.socket`);
  if (socket.tls === false) return; // then node-redis does not look at them either
  for (const option of TLS_OPTIONS) {
    if (socket[option] !== undefined) throw refusal(`${name}.socket.${option}`, TLS);
  }
}

module.exports = { TLS, refusal, refuseNodeOptions };
