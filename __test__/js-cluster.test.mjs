// The cluster object with a scripted engine behind it: lifecycle, events, methods, option views.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import test, { after } from 'node:test';
import { FakeNative, installFakeNative } from './support/fake-native.mjs';

const engines = installFakeNative();
const require = createRequire(import.meta.url);
const {
  createCluster, defineScript, RedisCluster, RESP_TYPES, ClientClosedError, ClientOfflineError,
  DisconnectsClientError, RootNodesUnavailableError, SimpleError,
} = require('../index.js');
const { FAILURE } = require('../js/errors.js');
const redis = require('redis');

const ROOTS = { rootNodes: [{ host: 'seed', port: 1 }] };
const blob = (text) => ({ type: 'blob', text });
const simple = (text) => ({ type: 'simple', text });
const number = (value) => ({ type: 'number', value });
const tick = () => new Promise(setImmediate);

const clusters = [];
after(() => { for (const cluster of clusters) cluster.destroy(); });

function create(options) {
  const cluster = createCluster({ ...ROOTS, ...options });
  clusters.push(cluster);
  return { cluster, engine: engines.at(-1) };
}

async function connected(options) {
  const { cluster, engine } = create(options);
  await cluster.connect();
  return { cluster, engine };
}

/** Answers every command with what `reply` makes of its arguments. */
function answering(engine, reply) {
  engine.onSubmit = (commands) => queueMicrotask(() => {
    for (const { ticket, args } of commands) engine.write(ticket, reply(args.map(String)));
    engine.wake();
  });
}

const wire = (engine) => engine.commands.map(({ args }) => args.join(' '));

test('every command of node-redis is a method, in both spellings, before anything is loaded', () => {
  const { cluster } = create();
  const theirs = redis.createCluster({ rootNodes: [] });
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf(cluster));
  const names = Object.keys(Object.getPrototypeOf(Object.getPrototypeOf(theirs))).filter((name) => name !== 'Multi');
  assert.equal(names.length, 809);
  assert.deepEqual(Object.keys(prototype).sort(), names.sort());
  for (const name of names) assert.equal(typeof cluster[name], 'function', name);
});

test('every public member of node-redis\'s cluster is there', () => {
  const { cluster } = create();
  const theirs = redis.createCluster({ rootNodes: [] });
  const names = Object.getOwnPropertyNames(redis.RedisCluster.prototype)
    .filter((name) => !name.startsWith('_') && name !== 'identity' && name !== 'resubscribeAllPubSubListeners');
  for (const name of names) assert.ok(name in cluster, name);
  assert.deepEqual(Object.keys(cluster), Object.keys(theirs));
});

test('a command goes to the engine and its reply is transformed', async () => {
  const { cluster, engine } = await connected();
  answering(engine, ([name]) => (name === 'EXISTS' ? number(1) : blob('value')));
  assert.equal(await cluster.get('k'), 'value');
  assert.equal(await cluster.EXISTS('k'), 1);
  assert.deepEqual(wire(engine), ['GET k', 'EXISTS k']);
  assert.equal(engine.commands[0].keyIndex, 1);
});

test('commands are refused before, during and after a connection, after their arguments are parsed', async () => {
  const { cluster, engine } = create();
  await assert.rejects(cluster.get('k'), ClientClosedError);
  await assert.rejects(cluster.sendCommand('k', true, ['GET', 'k']), ClientClosedError);
  engine.answersConnect = false;
  const connecting = cluster.connect();
  await assert.rejects(cluster.get('k'), ClientOfflineError);
  await assert.rejects(cluster.mSet(undefined), TypeError);
  await assert.rejects(cluster.get(5), ClientOfflineError);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [true, false]);
  engine.answer(engine.calls.at(-1)[1], { type: 'null' });
  assert.equal(await connecting, cluster);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [true, true]);
  await assert.rejects(cluster.get(5), { name: 'TypeError', message: /"arguments\[1\]".*got number/ });
  cluster.destroy();
  await assert.rejects(cluster.get('k'), ClientClosedError);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [false, false]);
});

test('connect twice fails, connect after close works with a new engine', async () => {
  const { cluster } = await connected();
  await assert.rejects(cluster.connect(), { message: 'Cluster already open' });
  await cluster.close();
  await cluster.connect();
  assert.ok(cluster.isReady);
  await cluster.close();
});

test('the process is kept alive from connect to the end, not before and not after', async () => {
  const { cluster } = create();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await cluster.connect();
  assert.equal(timers(), before + 1);
  await cluster.close();
  assert.equal(timers(), before);
});

test('events: connect before its promise, nodes with frozen addresses, disconnect at the end', async () => {
  const { cluster, engine } = create();
  const seen = [];
  for (const name of ['connect', 'disconnect', 'node-connect', 'node-ready', 'node-disconnect', 'node-reconnecting']) {
    cluster.on(name, (...args) => seen.push([name, ...args]));
  }
  cluster.on('node-error', (error, address) => seen.push(['node-error', error.message, address]));
  engine.answersConnect = false;
  const connecting = cluster.connect().then(() => seen.push(['resolved']));
  const address = [simple('h'), number(7)];
  engine.event('node-connect', ...address);
  engine.event('node-ready', ...address);
  engine.answer(engine.calls.at(-1)[1], { type: 'null' });
  await connecting;
  engine.event('node-error', { type: 'failure', code: FAILURE.SOCKET_CLOSED }, ...address);
  engine.event('node-reconnecting', ...address);
  cluster.destroy();
  const at = { host: 'h', port: 7 };
  assert.deepEqual(seen, [
    ['node-connect', at], ['node-ready', at], ['connect'], ['resolved'],
    ['node-error', 'Socket closed unexpectedly', at], ['node-reconnecting', at], ['disconnect'],
  ]);
  assert.ok(Object.isFrozen(seen[0][1]));
});

test('disconnect is emitted by close, destroy, quit and disconnect, also without a connection', async () => {
  for (const method of ['close', 'destroy', 'quit', 'disconnect']) {
    const { cluster } = create();
    let count = 0;
    cluster.on('disconnect', () => count++);
    await cluster[method]();
    await cluster.connect();
    await cluster[method]();
    assert.equal(count, 2, method);
  }
});

test('listeners added through any view are one set', async () => {
  const { cluster, engine } = create();
  const view = cluster.withTypeMapping({});
  const connects = [];
  assert.equal(view.on('connect', () => connects.push('view')), view);
  assert.equal(cluster.on('connect', () => connects.push('cluster')), cluster);
  const first = once(cluster, 'disconnect');
  await cluster.connect();
  assert.deepEqual(connects, ['view', 'cluster']);
  cluster.removeAllListeners('connect');
  await cluster.close();
  await first;
  cluster.removeAllListeners();
  let late = 0;
  cluster.on('connect', () => late++);
  await cluster.connect();
  assert.equal(late, 1);
  assert.equal(engine.calls.filter(([name]) => name === 'connect').length, 1);
  await cluster.close();
});

test('a failed connect resets the cluster, and names the reason of each seed', async () => {
  const { cluster, engine } = create();
  const heard = [];
  cluster.on('error', (error) => heard.push(error.code));
  engine.answersConnect = false;
  const connecting = cluster.connect();
  const refused = { type: 'failure', code: FAILURE.SOCKET, details: { type: 'array', items: [
    simple('ECONNREFUSED'), simple('connect'), number(-111), simple('127.0.0.1'), number(1)] } };
  engine.event('error', refused);
  const attempts = { type: 'array', items: [{ type: 'array', items: [simple('seed:1'), refused] }] };
  engine.answer(engine.calls.find(([name]) => name === 'connect')[1],
    { type: 'failure', code: FAILURE.ROOT_NODES_UNAVAILABLE, details: attempts });
  await assert.rejects(connecting, (error) => {
    assert.ok(error instanceof RootNodesUnavailableError);
    assert.equal(error.message, 'All the root nodes are unavailable');
    const { errno, code, syscall, address, port, message } = error.cause;
    assert.deepEqual({ errno, code, syscall, address, port, message }, {
      errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 1,
      message: 'connect ECONNREFUSED 127.0.0.1:1',
    });
    return true;
  });
  assert.deepEqual(heard, ['ECONNREFUSED']);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [false, false]);
  await cluster.connect();
  await cluster.close();
});

test('without a listener for error, connect rejects with the first error, as in node-redis', async () => {
  const { cluster, engine } = create();
  engine.answersConnect = false;
  const connecting = cluster.connect();
  engine.event('error', { type: 'failure', code: FAILURE.CONNECTION_TIMEOUT });
  engine.answer(engine.calls.find(([name]) => name === 'connect')[1],
    { type: 'failure', code: FAILURE.ROOT_NODES_UNAVAILABLE });
  await assert.rejects(connecting, { message: 'Connection timeout' });
});

test('destroy during connect rejects it and stays closed', async () => {
  const { cluster, engine } = create();
  engine.answersConnect = false;
  const connecting = cluster.connect();
  cluster.destroy();
  await assert.rejects(connecting, { message: 'Cluster closed' });
  assert.deepEqual([cluster.isOpen, cluster.isReady], [false, false]);
});

test('destroy rejects what is in flight; close lets it finish', async () => {
  const first = await connected();
  const lost = first.cluster.get('k');
  first.cluster.destroy();
  await assert.rejects(lost, DisconnectsClientError);

  const second = await connected();
  const kept = second.cluster.get('k');
  const closing = second.cluster.close();
  assert.equal(second.cluster.isOpen, false);
  second.engine.answer(second.engine.commands[0].ticket, blob('late'));
  assert.equal(await kept, 'late');
  await closing;
});

test('withCommandOptions replaces, withTypeMapping adds, and views lead to one cluster', async () => {
  const { cluster, engine } = await connected({ commandOptions: { timeout: 100 } });
  answering(engine, () => blob('x'));
  const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const replaced = buffers.withCommandOptions({});
  assert.deepEqual(await buffers.get('k'), Buffer.from('x'));
  assert.equal(await replaced.get('k'), 'x');
  assert.equal(await cluster.withCommandOptions({ timeout: 0 }).get('k'), 'x');
  assert.equal(await cluster.withCommandOptions(undefined).get('k'), 'x');
  assert.deepEqual(engine.commands.map(({ timeout }) => timeout), [100, 5000, 0, 5000]);
  assert.deepEqual([buffers.isReady, buffers.masters], [true, []]);
});

test('sendCommand: raw arguments, options over those of the view, extra routing key', async () => {
  const { cluster, engine } = await connected();
  answering(engine, () => blob('x'));
  const buffer = await cluster.sendCommand('{a}', true, ['GET', 'k'], { timeout: 9, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } });
  assert.deepEqual(buffer, Buffer.from('x'));
  await cluster.sendCommand(undefined, false, ['PING']);
  const [get, ping] = engine.commands;
  assert.deepEqual([get.extraKey.toString(), get.flags, get.timeout], ['{a}', 5, 9]);
  assert.deepEqual([ping.keyIndex, ping.flags, ping.timeout], [0xffffffff, 2, 5000]);
  await assert.rejects(cluster.sendCommand('k', true, undefined), TypeError);
});

test('keyPrefix goes before the keys of typed commands only', async () => {
  const { cluster, engine } = await connected({ keyPrefix: 'p:' });
  answering(engine, () => blob('[1]'));
  await cluster.mGet(['a', 'b']);
  await cluster.json.get('k');
  await cluster.sendCommand('k', true, ['GET', 'k']);
  assert.deepEqual(wire(engine), ['MGET p:a p:b', 'JSON.GET p:k', 'GET k']);
});

test('modules: bundled ones, the user\'s beside them or instead of them, each view with its own', async () => {
  const mine = { json: { get: { parseCommand(parser, key) { parser.push('MY.GET'); parser.pushKey(key); }, transformReply: undefined } },
    extra: { hello: { parseCommand(parser) { parser.push('HELLO.WORLD'); }, transformReply: { 2: () => 'two', 3: () => 'three' } } } };
  const { cluster, engine } = await connected({ modules: mine });
  answering(engine, () => blob('x'));
  assert.equal(await cluster.json.get('k'), 'x');
  assert.equal(await cluster.extra.hello(), 'three');
  await cluster.ft._list();
  assert.deepEqual(wire(engine), ['MY.GET k', 'HELLO.WORLD', 'FT._LIST']);
  assert.equal(cluster.json, cluster.json);
  const view = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.notEqual(view.json, cluster.json);
  assert.deepEqual(await view.json.get('k'), Buffer.from('x'));
  assert.equal(await cluster.json.get('k'), 'x');
  for (const name of ['bf', 'cms', 'cf', 'tDigest', 'topK', 'json', 'ft', 'ts']) assert.ok(name in cluster, name);
  assert.equal('json' in Object.getPrototypeOf(Object.getPrototypeOf(RedisCluster.create(ROOTS))), false);
});

test('functions are called with FCALL and the number of keys', async () => {
  const library = { double: { NUMBER_OF_KEYS: 1, IS_READ_ONLY: true, parseCommand(parser, key) { parser.pushKey(key); }, transformReply: (reply) => reply * 2 } };
  const { cluster, engine } = await connected({ functions: { library } });
  answering(engine, () => number(21));
  assert.equal(await cluster.library.double('k'), 42);
  assert.deepEqual(wire(engine), ['FCALL_RO double 1 k']);
  assert.deepEqual([engine.commands[0].flags, engine.commands[0].keyIndex], [1, 3]);
});

test('scripts run by hash, and by text where the node does not know them', async () => {
  const add = defineScript({
    NUMBER_OF_KEYS: 1, SCRIPT: 'return 1', parseCommand(parser, key) { parser.pushKey(key); }, transformReply: (reply) => reply + 1,
  });
  const { cluster, engine } = await connected({ scripts: { add } });
  answering(engine, ([name]) => (name === 'EVALSHA' ? { type: 'error', text: 'NOSCRIPT No matching script.' } : number(1)));
  assert.equal(await cluster.add('k'), 2);
  assert.deepEqual(wire(engine), [`EVALSHA ${add.SHA1} 1 k`, 'EVAL return 1 1 k']);
  answering(engine, () => ({ type: 'error', text: 'ERR other' }));
  await assert.rejects(cluster.add('k'), SimpleError);
  assert.equal(engine.commands.length, 3);
});

test('RESP 2 uses the transforms for RESP 2', async () => {
  const { cluster, engine } = await connected({ RESP: 2 });
  assert.equal(engine.options.resp, 2);
  answering(engine, () => ({ type: 'array', items: [blob('f'), blob('v')] }));
  assert.deepEqual({ ...(await cluster.hGetAll('k')) }, { f: 'v' });
});

test('duplicate copies the options, the view\'s command options, and takes overrides', async () => {
  const { cluster } = create({ keyPrefix: 'p:', scripts: {} });
  const copy = cluster.withCommandOptions({ timeout: 1 }).duplicate({ RESP: 2 });
  assert.deepEqual(copy._commandOptions, { timeout: 1 });
  assert.equal(copy._keyPrefix, 'p:');
  assert.equal(engines.at(-1).options.resp, 2);
  assert.equal(copy.isOpen, false);
  assert.ok(copy instanceof RedisCluster);
});

test('the class is shared by clusters of one configuration', () => {
  const prototypeOf = (options) => Object.getPrototypeOf(Object.getPrototypeOf(create(options).cluster));
  assert.equal(prototypeOf(), prototypeOf({ useReplicas: true }));
  assert.notEqual(prototypeOf(), prototypeOf({ RESP: 2 }));
  const one = { m: { a: { parseCommand(parser) { parser.push('A'); } } } };
  const other = { m: { a: { parseCommand(parser) { parser.push('B'); } } } };
  assert.equal(prototypeOf({ modules: one }), prototypeOf({ modules: one }));
  assert.notEqual(prototypeOf({ modules: one }), prototypeOf({ modules: other }));
});

test('what this version does not have says so by name', async () => {
  const { cluster } = create();
  for (const name of ['subscribe', 'SUBSCRIBE', 'pUnsubscribe', 'sSubscribe', 'hImportSet', 'HIMPORT_PREPARE']) {
    await assert.rejects(cluster[name](), /is not supported in this version/, name);
  }
});

test('nodeAddressMap and reconnectStrategy are called for the engine', async () => {
  const reconnects = [5, false, new Error('give up'), 'nonsense', -3];
  const errors = [];
  const { cluster, engine } = await connected({
    nodeAddressMap: (address) => (address === 'a:1' ? { host: 'b', port: 2 } : undefined),
    defaults: { socket: { reconnectStrategy: () => reconnects.shift() } },
  });
  cluster.on('node-error', (error, address) => errors.push([error.message, address]));
  engine.event('map-address', number(1), simple('a:1'));
  engine.event('map-address', number(2), simple('c:1'));
  const cause = { type: 'failure', code: FAILURE.SOCKET_CLOSED };
  for (let id = 3; id <= 7; id++) engine.event('reconnect-strategy', number(id), number(0), cause, simple('h'), number(7));
  const answers = engine.calls.filter(([name]) => name.startsWith('answer')).map(([, ...rest]) => rest);
  const [defaultDelay] = answers[5].splice(1, 1);
  const [text] = answers[4].splice(2, 1);
  assert.match(text, /^\d+ give up$/);
  assert.deepEqual(answers, [[1, 'b', 2], [2, null, 0], [3, 5, null], [4, -1, null], [5, -1], [6, null], [7, 1, null]]);
  assert.ok(defaultDelay >= 50 && defaultDelay < 250);
  assert.deepEqual(errors, [['Reconnect strategy should return `false | Error | number`, got nonsense instead', { host: 'h', port: 7 }]]);
});

test('a listener that throws does not stop the answers behind its event', async () => {
  const { cluster, engine } = await connected();
  cluster.on('node-ready', () => { throw new Error('listener'); });
  const thrown = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  const reply = cluster.get('k');
  await tick();
  const ready = { type: 'array', items: [simple('node-ready'), simple('h'), number(1)] };
  engine.write(0xffffffff, ready).answer(engine.commands[0].ticket, blob('x'));
  assert.equal(await reply, 'x');
  assert.equal((await thrown).message, 'listener');
  process.setUncaughtExceptionCaptureCallback(null);
});

test('redirects', async () => {
  const { cluster } = create();
  assert.deepEqual(cluster.redirects(), { moved: 0, ask: 0 });
  await cluster.connect();
  assert.deepEqual(cluster.redirects(), { moved: 3, ask: 1 });
});

test('FakeNative is what the facade talked to', () => assert.ok(engines.every((engine) => engine instanceof FakeNative)));
