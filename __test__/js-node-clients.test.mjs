// Clients of single nodes with a scripted engine behind them: what is sent where, what they say of
// their connection, whose listeners hear what.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import test, { after } from 'node:test';
import { installFakeNative } from './support/fake-native.mjs';

const engines = installFakeNative();
const require = createRequire(import.meta.url);
const { createCluster, defineScript, RESP_TYPES, ClientClosedError, ClientOfflineError } = require('../index.js');
const { FAILURE } = require('../js/errors.js');
const redis = require('redis');

const blob = (text) => ({ type: 'blob', text });
const simple = (text) => ({ type: 'simple', text });
const number = (value) => ({ type: 'number', value });
const tick = () => new Promise(setImmediate);
const LOST = { type: 'failure', code: FAILURE.SOCKET_CLOSED };
/** A key of each primary. */
const KEYS = { a: 'b', b: 'a' };

const clusters = [];
after(() => { for (const cluster of clusters) cluster.destroy(); });

const node = (id, port) => ({ id, host: 'h', port });
const TOPOLOGY = JSON.stringify({
  epoch: 1,
  nodes: [node('a', 1), node('b', 2), node('r', 3)],
  shards: [
    { primary: 0, replicas: [2], ranges: [[0, 8191]] },
    { primary: 1, replicas: [], ranges: [[8192, 16383]] },
  ],
});

async function connected(options) {
  const cluster = createCluster({ rootNodes: [{ host: 'seed', port: 1 }], ...options });
  clusters.push(cluster);
  const engine = engines.at(-1);
  engine.topologyJson = TOPOLOGY;
  engine.onSubmit = (commands) => queueMicrotask(() => {
    for (const { ticket } of commands) engine.write(ticket, simple('OK'));
    engine.wake();
  });
  await cluster.connect();
  const event = (name, port) => engine.event(name, simple('h'), number(port));
  return { cluster, engine, event };
}

/** What was sent, each with the node that it was for. */
const sent = (engine) => engine.commands.map(({ args, destination }) => [
  engine.destinations[destination - 100], args.join(' '),
]);

test('commands go to the node, whatever their key; those of the cluster name none', async () => {
  const { cluster, engine } = await connected();
  const [a, b] = cluster.masters;
  await Promise.all([
    a.client.get('x'), b.client.GET('x'), a.client.ping(), a.client.sendCommand(['INFO', 'server']),
    (await cluster.nodeClient(b)).set('x', '1'), cluster.get('x'),
  ]);
  assert.deepEqual(sent(engine), [
    ['h:1', 'GET x'], ['h:2', 'GET x'], ['h:1', 'PING'], ['h:1', 'INFO server'],
    ['h:2', 'SET x 1'], [undefined, 'GET x'],
  ]);
  assert.deepEqual(engine.commands.map(({ timeout }) => timeout), Array(6).fill(5000));
});

test('modules, functions and scripts of the cluster are there, and all commands of a client', async () => {
  const echo = { parseCommand(parser, text) { parser.push('ECHO', text); }, transformReply: (reply) => `<${reply}>` };
  const script = defineScript({ SCRIPT: 'return 1', parseCommand(parser) { parser.push('x'); } });
  const { cluster, engine } = await connected({ modules: { m: { echo } }, functions: { lib: { f: echo } }, scripts: { script } });
  const { client } = cluster.masters[1];
  assert.equal(await client.m.echo('hi'), '<OK>');
  await client.lib.f('hi');
  await client.script();
  await client.hotkeysGet();
  assert.deepEqual(sent(engine), [
    ['h:2', 'ECHO hi'], ['h:2', 'FCALL f ECHO hi'], ['h:2', `EVALSHA ${script.SHA1} x`], ['h:2', 'HOTKEYS GET'],
  ]);
  const theirs = redis.createClient();
  const missing = [];
  for (let proto = theirs; proto !== null; proto = Object.getPrototypeOf(proto)) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      if (!/^(_|#|constructor$|Multi$)/.test(name) && !(name in client)) missing.push(name);
    }
  }
  const own = ['bf', 'cms', 'cf', 'tDigest', 'topK', 'json', 'ft', 'ts'];
  assert.deepEqual(own.filter((name) => !(name in client)), []);
  assert.deepEqual(missing, ['reAuthenticate', 'getPubSubListeners', 'extendPubSubChannelListeners',
    'extendPubSubListeners', 'resetIfDirty']);
});

test('neither the key prefix nor the command options of the cluster apply', async () => {
  const { cluster, engine } = await connected({
    keyPrefix: 'p:', commandOptions: { timeout: 7, typeMapping: { [RESP_TYPES.SIMPLE_STRING]: Buffer } },
  });
  assert.equal(await cluster.masters[0].client.get('x'), 'OK');
  assert.deepEqual(sent(engine), [['h:1', 'GET x']]);
  assert.equal(engine.commands[0].timeout, 5000);
});

test('options of commands: views of one client', async () => {
  const { cluster, engine } = await connected();
  const { client } = cluster.masters[0];
  const buffers = client.withTypeMapping({ [RESP_TYPES.SIMPLE_STRING]: Buffer });
  assert.deepEqual(await buffers.get('x'), Buffer.from('OK'));
  assert.deepEqual(await buffers.withCommandOptions({ timeout: 9 }).asap().sendCommand(['GET', 'x']), Buffer.from('OK'));
  assert.equal(await buffers.sendCommand(['GET', 'x'], { typeMapping: undefined, timeout: 0 }), 'OK');
  assert.deepEqual(engine.commands.map(({ timeout }) => timeout), [5000, 9, 0]);
  await assert.rejects(client.withAbortSignal(AbortSignal.abort()).get('x'), redis.AbortError);
  assert.equal(buffers.isOpen, true);
});

test('nodes: at random, by slot, by key', async () => {
  const { cluster, engine } = await connected({ useReplicas: true });
  const addresses = (nodes) => nodes.map(({ address }) => address).sort();
  assert.deepEqual(addresses([1, 2, 3].map(() => cluster.getRandomNode())), ['h:1', 'h:2', 'h:3']);
  assert.deepEqual(addresses([1, 2, 3, 4].map(() => cluster.getSlotRandomNode(0))), ['h:1', 'h:1', 'h:3', 'h:3']);
  assert.equal(cluster.getSlotRandomNode(9000), cluster.masters[1]);
  const served = async (key, isReadonly) => {
    await (await cluster.getNodeClientForKey(key, isReadonly)).ping();
    return sent(engine).at(-1)[0];
  };
  assert.deepEqual([await served(KEYS.a), await served(KEYS.b)], ['h:1', 'h:2']);
  assert.deepEqual([await served(KEYS.a, true), await served(KEYS.a, true)].sort(), ['h:1', 'h:3']);
});

test('before connect, while connecting, after close', async () => {
  const cluster = createCluster({ rootNodes: [{ host: 'seed', port: 1 }] });
  clusters.push(cluster);
  const engine = engines.at(-1);
  engine.topologyJson = TOPOLOGY;
  assert.throws(() => cluster.getRandomNode(), ClientClosedError);
  assert.throws(() => cluster.getNodeClientForKey('x'), ClientClosedError);
  const connecting = cluster.connect();
  assert.throws(() => cluster.getRandomNode(), ClientOfflineError);
  await connecting;
  const [master, notAsked] = cluster.masters;
  const { client } = master;
  const other = await cluster.nodeClient(master);
  assert.deepEqual([client.isOpen, other.isOpen], [true, true]);
  await cluster.close();
  assert.deepEqual([client.isOpen, other.isOpen, master.client === client], [false, false, true]);
  assert.equal(notAsked.client, undefined);
  await assert.rejects(client.ping(), ClientClosedError);
  await assert.rejects(cluster.nodeClient(master), ClientClosedError);
  await assert.rejects(client.connect(), { message: 'Socket already opened' });
});

test('a client that is closed leaves the others and the cluster alone, and can be opened again', async () => {
  const { cluster } = await connected();
  const [master] = cluster.masters;
  const one = await cluster.nodeClient(master);
  for (const end of ['close', 'quit', 'disconnect', 'destroy', 'QUIT']) {
    const answer = await one[end]();
    assert.equal(answer, end.toLowerCase() === 'quit' ? 'OK' : undefined);
    assert.deepEqual([one.isOpen, one.isReady], [false, false]);
    await assert.rejects(one.ping(), ClientClosedError);
    await assert.rejects(one.withTypeMapping({}).sendCommand(['PING']), ClientClosedError);
    assert.equal(await master.client.ping(), 'OK');
    assert.equal(await cluster.get('x'), 'OK');
    assert.equal(await one.connect(), one);
    assert.equal(await one.ping(), 'OK');
  }
});

test('duplicate is another client of the node, not open yet', async () => {
  const { cluster, engine } = await connected();
  const { client } = cluster.masters[1];
  const copy = client.withCommandOptions({ timeout: 8 }).duplicate();
  assert.equal(copy.isOpen, false);
  await assert.rejects(copy.ping(), ClientClosedError);
  await copy.connect();
  await copy.ping();
  assert.deepEqual([sent(engine).at(-1), engine.commands.at(-1).timeout], [['h:2', 'PING'], 8]);
  assert.throws(() => client.duplicate({ database: 3 }), /`database` is not supported/);
});

test('the connection: ready, how often, and its events', async () => {
  const { cluster, engine, event } = await connected({ nodeAddressMap: { 'h:2': { host: 'mapped', port: 9 } } });
  const [first, second] = cluster.masters.map(({ client }) => client);
  const view = await cluster.nodeClient(cluster.masters[0]);
  const heard = [];
  for (const name of ['connect', 'ready', 'reconnecting', 'error', 'end']) {
    assert.equal(view.on(name, (...args) => heard.push([name, ...args])), view);
    second.on(name, () => heard.push('second'));
  }
  assert.deepEqual([first.isReady, first.socketEpoch], [false, 0]);
  const ready = once(first, 'ready');
  event('node-connect', 1);
  assert.equal(first.isReady, false);
  event('node-ready', 1);
  await ready;
  assert.deepEqual([first.isReady, view.isReady, view.socketEpoch, second.isReady], [true, true, 1, false]);
  engine.event('node-error', LOST, simple('h'), number(1));
  assert.deepEqual([first.isReady, first.isOpen], [false, true]);
  event('node-reconnecting', 1);
  event('node-connect', 1);
  event('node-ready', 1);
  assert.deepEqual([first.isReady, first.socketEpoch], [true, 2]);
  event('node-disconnect', 1);
  assert.deepEqual([first.isOpen, first.isReady], [false, false]);
  assert.deepEqual(heard.map((one) => one[0]), [
    ...['connect', 'ready', 'error', 'reconnecting', 'connect', 'ready', 'end'],
  ]);
  assert.ok(heard[2][1] instanceof redis.SocketClosedUnexpectedlyError);
  engine.event('node-ready', simple('mapped'), number(9));
  assert.equal(second.isReady, true);
  // Nobody listens: as with node-redis, it is not thrown.
  second.removeAllListeners();
  assert.equal(second.listenerCount('error'), 0);
  engine.event('node-error', LOST, simple('mapped'), number(9));
});

test('what would change the shared connection, and what this version does not have', async () => {
  const { cluster, engine } = await connected();
  const { client } = cluster.masters[0];
  for (const name of ['MULTI', 'exec', 'DISCARD', 'MONITOR', 'subscribe', 'pSubscribe', 'SSUBSCRIBE']) {
    await assert.rejects(client.sendCommand([name, 'x']), { message: /would change a connection that is shared/ });
  }
  for (const name of ['subscribe', 'pUnsubscribe', 'SSUBSCRIBE', 'monitor', 'hImportSet']) {
    await assert.rejects(client[name](), { message: new RegExp('is not supported in this version') }, name);
  }
  for (const name of ['legacy', 'createPool']) {
    assert.throws(() => client[name](), { message: new RegExp(`^${name} is not supported`) });
  }
  assert.equal(await client.sendCommand(['RESET']), 'RESET');
  assert.equal(await client.sendCommand(['quit']), 'OK');
  assert.deepEqual(engine.commands, []);
});

test('options say where it is and what it was made with', async () => {
  const { cluster } = await connected({ RESP: 2, defaults: { name: 'me', socket: { connectTimeout: 7 } } });
  assert.deepEqual(cluster.masters[1].client.options, {
    name: 'me', RESP: 2, readonly: false, socket: { connectTimeout: 7, host: 'h', port: 2 },
  });
});

test('a listener that throws does not stop the answers behind its event', async () => {
  const { cluster, engine, event } = await connected();
  const { client } = cluster.masters[0];
  client.on('ready', () => { throw new Error('listener'); });
  const thrown = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  engine.onSubmit = undefined;
  const reply = client.get('k');
  await tick();
  event('node-ready', 1);
  engine.answer(engine.commands[0].ticket, blob('x'));
  assert.equal(await reply, 'x');
  assert.equal((await thrown).message, 'listener');
  process.setUncaughtExceptionCaptureCallback(null);
});
