// Options of createCluster: what reaches the engine, what is refused and how, and that the user's
// objects stay as they were.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { createRequire } from 'node:module';
import test from 'node:test';

const require = createRequire(import.meta.url);
const { parseOptions } = require('../js/options.js');
const { createClient } = require('redis');

const ROOT = { url: 'redis://localhost:7000' };
const native = (options) => parseOptions({ rootNodes: [ROOT], ...options }).native;
const seed = (root, defaults) => parseOptions({ rootNodes: [root], defaults }).native.seeds[0];
const never = { reconnect: { kind: 'never' } };

/** [what a root node is, what the engine gets] */
const SEEDS = [
  [{ url: 'redis://example.com' }, { host: 'example.com' }],
  [{ url: 'redis://example.com:7001/0' }, { host: 'example.com', port: 7001, database: 0 }],
  [{ url: 'redis://[::1]:7001' }, { host: '::1', port: 7001 }],
  [{ url: 'redis://us%3Aer:p%40ss@h:1/3' }, { host: 'h', port: 1, username: 'us:er', password: 'p@ss', database: 3 }],
  [{ url: 'redis://:secret@h' }, { host: 'h', password: 'secret' }],
  [{ url: 'redis://h:1', socket: { host: 'other', port: 2, connectTimeout: 9 } }, { host: 'h', port: 1, connectTimeoutMs: 9 }],
  [{ url: 'redis://h', password: 'mine' }, { host: 'h', password: 'mine' }],
  [{ url: 'redis://:theirs@h', password: 'mine' }, { host: 'h', password: 'theirs' }],
  [{ socket: { host: 'h', port: 7000 } }, { host: 'h', port: 7000 }],
  [{ socket: { host: 'h', port: '7000' } }, { host: 'h', port: 7000 }],
  [{ host: 'h', port: 7000 }, { host: 'h', port: 7000 }],
  [{ host: 'h' }, { host: 'h' }],
  [{}, {}],
];
for (const [root, expected] of SEEDS) {
  test(`root node ${JSON.stringify(root)}`, () => {
    assert.deepEqual(seed(root), { ...expected, ...never });
  });
}

test('root nodes are merged over defaults, sockets field by field', () => {
  const defaults = {
    password: 'default', name: 'app', socket: { connectTimeout: 100, keepAlive: false, reconnectStrategy: 50 },
  };
  const root = { socket: { host: 'h', connectTimeout: 200 }, name: 'root' };
  assert.deepEqual(seed(root, defaults), {
    host: 'h', connectTimeoutMs: 200, keepAlive: false, password: 'default', name: 'root', ...never,
  });
});

test('the URL of defaults lends its credentials, and its address only to a root node without one', () => {
  const defaults = { url: 'redis://user:secret@from-defaults:1' };
  const options = parseOptions({ rootNodes: [{ host: 'own', port: 2 }, {}, { url: 'redis://third:3' }], defaults });
  assert.deepEqual(options.native.node, { username: 'user', password: 'secret' });
  assert.deepEqual(options.native.seeds.map(({ host, port }) => [host, port]), [['own', 2], ['from-defaults', 1], ['third', 3]]);
});

test('every option of a node reaches the engine', () => {
  const defaults = {
    username: 'u', password: 'p', name: 'n', database: 0, clientInfoTag: 't', disableClientInfo: true,
    commandsQueueMaxLength: 10, disableOfflineQueue: true, maintNotifications: 'auto',
    readonly: true, maintEndpointType: 'none', maintRelaxedCommandTimeout: 1, maintRelaxedSocketTimeout: 2,
    socket: {
      connectTimeout: 1, noDelay: false, keepAlive: true, keepAliveInitialDelay: 2, family: 6,
      localAddress: '127.0.0.1', localPort: '5', reconnectStrategy: 30, tls: false, readable: true,
    },
  };
  assert.deepEqual(native({ defaults }).node, {
    username: 'u', password: 'p', name: 'n', database: 0, clientInfoTag: 't', disableClientInfo: true,
    commandsQueueMaxLength: 10, disableOfflineQueue: true, connectTimeoutMs: 1, noDelay: false,
    keepAlive: true, keepAliveInitialDelayMs: 2, family: 6, localAddress: '127.0.0.1', localPort: 5,
    reconnect: { kind: 'fixed', delayMs: 30 },
  });
});

test('options of the cluster reach the engine', () => {
  const all = {
    RESP: 2, useReplicas: true, minimizeConnections: true, maxCommandRedirections: 3,
    maxBlockingConnections: 4, blockingIdleTimeout: 5,
  };
  const { seeds, node, ...rest } = native(all);
  assert.deepEqual(rest, {
    resp: 2, useReplicas: true, minimizeConnections: true, maxCommandRedirections: 3,
    maxBlockingConnections: 4, blockingIdleTimeoutMs: 5,
  });
  const { seeds: _, node: __, ...none } = native({});
  assert.deepEqual(none, { useReplicas: false, minimizeConnections: false });
});

test('nodeAddressMap: an object becomes a table, a function a callback', () => {
  const map = { '10.0.0.1:6379': { host: 'localhost', port: 1 } };
  assert.deepEqual(native({ nodeAddressMap: map }).addressMap, [{ from: '10.0.0.1:6379', host: 'localhost', port: 1 }]);
  const call = (address) => map[address];
  const parsed = parseOptions({ rootNodes: [ROOT], nodeAddressMap: call });
  assert.equal(parsed.native.addressMapCallback, true);
  assert.equal(parsed.mapAddress, call);
  assert.throws(() => native({ nodeAddressMap: { 'a:1': { host: 'x' } } }), /nodeAddressMap\['a:1'\]/);
});

test('reconnectStrategy: false, number, function, or the default', () => {
  const reconnect = (reconnectStrategy) => native({ defaults: { socket: { reconnectStrategy } } }).node.reconnect;
  assert.deepEqual(reconnect(false), { kind: 'never' });
  assert.deepEqual(reconnect(0), { kind: 'fixed', delayMs: 0 });
  assert.deepEqual(reconnect(() => 5), { kind: 'callback' });
  assert.equal(reconnect(undefined), undefined);
  assert.throws(() => reconnect('soon'), TypeError);
});

test('the user\'s objects are not changed', () => {
  const freeze = (value) => {
    if (typeof value === 'object') Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  const options = freeze({
    rootNodes: [{ url: 'redis://u:p@h:1/0', socket: { connectTimeout: 5 } }, { host: 'h' }],
    defaults: { url: 'redis://u:p@h:1', password: 'x', socket: { keepAlive: true } },
    nodeAddressMap: { 'a:1': { host: 'b', port: 2 } },
  });
  const before = structuredClone(options);
  parseOptions(options);
  assert.deepEqual(options, before);
});

const on = (value) => ({ defaults: value });
const socket = (value) => ({ defaults: { socket: value } });
/** [name in the message, options] */
const REFUSED = [
  ['defaults.socket.tls', socket({ tls: true })],
  ['defaults.socket.tls', socket({ tls: {} })],
  ['defaults.socket.ca', socket({ ca: 'pem' })],
  ['defaults.socket.rejectUnauthorized', socket({ rejectUnauthorized: false })],
  ['defaults.socket.checkServerIdentity', socket({ checkServerIdentity() {} })],
  ['defaults.url', on({ url: 'rediss://h' })],
  ['defaults.url', on({ url: 'unix:///tmp/redis.sock' })],
  ['rootNodes[0].url', { rootNodes: [{ url: 'rediss://h' }] }],
  ['rootNodes[1].socket.tls', { rootNodes: [ROOT, { socket: { tls: true } }] }],
  ['defaults.socket.path', socket({ path: '/tmp/redis.sock' })],
  ['defaults.socket.lookup', socket({ lookup() {} })],
  ['defaults.socket.hints', socket({ hints: 1 })],
  ['defaults.socket.autoSelectFamily', socket({ autoSelectFamily: true })],
  ['defaults.socket.autoSelectFamilyAttemptTimeout', socket({ autoSelectFamilyAttemptTimeout: 10 })],
  ['defaults.socket.signal', socket({ signal: new AbortController().signal })],
  ['defaults.socket.fd', socket({ fd: 3 })],
  ['defaults.credentialsProvider', on({ credentialsProvider: {} })],
  ['defaults.emitInvalidate', on({ emitInvalidate: true })],
  ['defaults.clientSideCache', on({ clientSideCache: {} })],
  ['defaults.maintNotifications', on({ maintNotifications: 'enabled' })],
  ['clientSideCache', { clientSideCache: {} }],
];
for (const [name, options] of REFUSED) {
  test(`refused by name: ${name} (${Object.keys(options)})`, () => {
    assert.throws(() => native(options), (error) => {
      assert.ok(error instanceof TypeError);
      assert.ok(error.message.includes(name), error.message);
      return true;
    });
  });
}

/** [options, error] as node-redis has it */
const INVALID = [
  [{ rootNodes: undefined }, { name: 'TypeError' }],
  [{ rootNodes: [5] }, { name: 'TypeError', message: 'rootNodes[0] must be an object, got number' }],
  [{ topologyRefreshOnReconnectionAttemptStrategy: -1 }, { name: 'TypeError', message: 'topologyRefreshOnReconnectionAttempt must be undefined, false, a non-negative integer, or a function' }],
  [{ clientSideCache: {}, RESP: 2 }, { name: 'Error', message: 'Client Side Caching is only supported with RESP3' }],
  [{ RESP: 2, defaults: { maintNotifications: 'auto' } }, { name: 'Error', message: 'Graceful Maintenance is only supported with RESP3' }],
  [{ defaults: { password: 5 } }, { name: 'TypeError', message: 'defaults.password must be a string, got number' }],
  [{ defaults: { socket: { keepAlive: 5 } } }, { name: 'TypeError', message: 'defaults.socket.keepAlive must be a boolean, got number' }],
  [{ maxBlockingConnections: '3' }, { name: 'TypeError', message: 'maxBlockingConnections must be a number, got string' }],
  [{ blockingIdleTimeout: null }, { name: 'TypeError', message: 'blockingIdleTimeout must be a number, got object' }],
  [{ maxCommandRedirections: '3' }, { name: 'TypeError', message: 'maxCommandRedirections must be a number, got string' }],
];
for (const [options, error] of INVALID) {
  test(`invalid: ${JSON.stringify(options)}`, () => assert.throws(() => native(options), error));
}

/** URLs whose error must be that of node-redis, but for the URL itself (`input`). */
const BAD_URLS = ['http://h:1', 'redis://h/abc', 'nonsense', 'redis://h:99999'];
for (const url of BAD_URLS) {
  test(`the error for the URL ${url} is node-redis's`, () => {
    let theirs;
    try { createClient({ url }); } catch (error) { theirs = error; }
    assert.ok(theirs instanceof TypeError);
    const { input, ...fields } = theirs;
    assert.throws(() => seed({ url }), { ...fields, name: theirs.name, message: theirs.message });
  });
}

test('tls beside a URL of the other kind is node-redis\'s error, without the password', () => {
  assert.throws(() => seed({ url: 'redis://u:secret@h', socket: { tls: true } }), {
    name: 'TypeError',
    message: 'tls socket option is set to true which is mismatch with protocol or the URL redis://h passed',
  });
});

test('no error about a URL shows the password', () => {
  const urls = [
    { url: 'redis://u:secret@h:99999' },
    { url: 'redis://u:secret@[h' },
    { url: 'redis://u:sec@secret@h', socket: { tls: true } },
    { url: 'rediss://u:secret@h' },
    { url: 'redis://u:secret@h/abc' },
  ];
  for (const options of urls) {
    let shown;
    try {
      seed(options);
    } catch (error) {
      shown = inspect(error, { showHidden: true, depth: 9 });
    }
    assert.ok(shown, `${options.url} is refused`);
    assert.doesNotMatch(shown, /secret/);
  }
});

test('what is off or unknown is accepted, as in node-redis', () => {
  const defaults = {
    emitInvalidate: false, credentialsProvider: undefined, unknown: 1,
    maintNotifications: 'disabled',
    socket: { tls: false, ca: 'unused', lookup: undefined, autoSelectFamily: false, unknown: 1 },
  };
  assert.deepEqual(native({ defaults, unknown: 1, clientSideCache: undefined }).node, {});
});
