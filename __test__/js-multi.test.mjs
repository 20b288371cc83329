// Transactions and pipelines on this side of the border, with a scripted engine on the other.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test, { after } from 'node:test';
import { installFakeNative } from './support/fake-native.mjs';

const engines = installFakeNative();
const require = createRequire(import.meta.url);
const { createCluster, RedisCluster, RESP_TYPES, ClientClosedError, MultiErrorReply, WatchError } = require('../index.js');
const { FAILURE } = require('../js/errors.js');
const redis = require('redis');

const KEYLESS = 0xffffffff;
const UNIT = 16;
const EXTRA_KEY = 4;
const blob = (text) => ({ type: 'blob', text });
const number = (value) => ({ type: 'number', value });
const array = (...items) => ({ type: 'array', items });
const error = (text) => ({ type: 'error', text });
const tick = () => new Promise(setImmediate);

const clusters = [];
after(() => { for (const cluster of clusters) cluster.destroy(); });

async function connected(options) {
  const cluster = createCluster({ rootNodes: [{ host: 'seed', port: 1 }], ...options });
  clusters.push(cluster);
  const engine = engines.at(-1);
  await cluster.connect();
  return { cluster, engine };
}

/** Answers each transaction with `replies`, one after the other. */
function answering(engine, ...replies) {
  engine.onSubmit = (commands) => queueMicrotask(() => {
    for (const { ticket } of commands) engine.write(ticket, replies.length > 1 ? replies.shift() : replies[0]);
    engine.wake();
  });
}

const texts = ({ unit }) => unit.map(({ args }) => args.join(' '));

test('everything that node-redis\'s object has is there, in both spellings', async () => {
  const { cluster } = await connected();
  const theirs = redis.createCluster({ rootNodes: [] }).multi();
  const multi = cluster.multi();
  const namesOf = (object) => {
    const names = new Set();
    for (let at = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
    return [...names].filter((name) => name !== 'constructor').sort();
  };
  const ours = namesOf(multi).filter((name) => !name.startsWith('_'));
  assert.deepEqual(ours.filter((name) => !(name in theirs)), []);
  assert.deepEqual(namesOf(theirs).filter((name) => !(name in multi)), []);
  assert.ok(ours.length > 800);
  assert.deepEqual(Object.keys(multi), Object.keys(theirs));
  assert.equal(typeof new RedisCluster({ rootNodes: [{ host: 'seed', port: 1 }] }).multi().sendCommand, 'function');
});

test('a transaction is one unit of the tick\'s submission, in order', async () => {
  const { cluster, engine } = await connected();
  answering(engine, array());
  const all = [
    cluster.get('x'),
    cluster.multi().set('k', 'v').ping().GET('k').exec(),
    cluster.set('k', 'w'),
    cluster.MULTI().exec(),
  ];
  const { submitCount } = engine;
  await Promise.all(all);
  assert.equal(engine.submitCount, submitCount + 1);
  const [get, first, set, empty] = engine.commands;
  assert.deepEqual([get, set].map(({ args, unit }) => [args.join(' '), unit]), [['GET x', undefined], ['SET k w', undefined]]);
  assert.deepEqual(texts(first), ['SET k v', 'PING', 'GET k']);
  assert.deepEqual(first.unit.map(({ keyIndex }) => keyIndex), [1, KEYLESS, 1]);
  assert.deepEqual([first.flags, first.keyIndex, first.timeout], [UNIT, KEYLESS, 0]);
  assert.deepEqual([empty.unit, empty.flags], [[], UNIT]);
});

test('the routing key travels beside the commands only if it is none of their first keys', async () => {
  const { cluster, engine } = await connected({ keyPrefix: 'p:' });
  answering(engine, array());
  await Promise.all([
    cluster.multi().get('k').exec(),
    cluster.multi('r').get('k').exec(),
    cluster.multi(Buffer.from('r')).exec(),
    cluster.multi().ping().sendCommand(['GET', 'x'], { firstKey: 'elsewhere' }).get('y').exec(),
    cluster.multi().addCommand('k', true, ['GET', 'k']).exec(),
  ]);
  const seen = engine.commands.map(({ flags, extraKey }) => [flags, extraKey?.toString()]);
  assert.deepEqual(seen, [
    [UNIT, undefined],
    [UNIT | EXTRA_KEY, 'p:r'],
    [UNIT | EXTRA_KEY, 'p:r'],
    [UNIT | EXTRA_KEY, 'elsewhere'],
    [UNIT, undefined],
  ]);
  assert.deepEqual(texts(engine.commands[3]), ['PING', 'GET x', 'GET p:y']);
});

test('what is declared about replicas goes along, command by command', async () => {
  const { cluster, engine } = await connected();
  answering(engine, array());
  await cluster.multi().get('k').set('k', 'v')
    .addCommand('k', true, ['A', 'k']).addCommand('k', false, ['B', 'k']).addCommand('k', undefined, ['C', 'k'])
    .sendCommand(['D', 'k'], { isReadonly: true }).sendCommand(['E'])
    .exec();
  assert.deepEqual(engine.commands[0].unit.map(({ flags }) => flags), [0, 0, 1, 2, 2, 1, 2]);
});

test('replies are transformed, errors among them gathered', async () => {
  const { cluster, engine } = await connected();
  answering(engine, array(number(1), error('ERR no'), array(blob('f'), blob('1'))), { type: 'null' }, error('EXECABORT'));
  const exec = () => cluster.multi().exists('k').incr('k').hGetAll('k').exec();
  await assert.rejects(exec(), (reason) => {
    assert.ok(reason instanceof MultiErrorReply);
    assert.deepEqual(reason.errorIndexes, [1]);
    assert.deepEqual([...reason.errors()].map(({ message }) => message), ['ERR no']);
    assert.equal(reason.replies[0], 1);
    return true;
  });
  await assert.rejects(exec(), WatchError);
  await assert.rejects(exec(), { message: 'EXECABORT' });
});

test('large transactions have buffers of their own, and what is behind them is intact', async () => {
  const { cluster, engine } = await connected();
  answering(engine, array());
  const value = 'ü'.repeat(600_000);
  const before = cluster.get('before');
  const large = cluster.multi().set('k', value).set('k', Buffer.from(value)).get('k').exec();
  const long = cluster.multi();
  for (let index = 0; index < 20_000; index++) long.get(`k${index}`);
  await Promise.all([before, large, long.exec(), cluster.get('after')]);
  const [first, big, many, last] = engine.commands;
  assert.deepEqual([first, last].map(({ args }) => String(args[1])), ['before', 'after']);
  assert.deepEqual(big.unit.slice(0, 2).map(({ args }) => args[2].equals(Buffer.from(value))), [true, true]);
  assert.equal(many.unit.length, 20_000);
  assert.equal(texts(many).at(-1), 'GET k19999');
});

test('what cannot be packed rejects the whole, and leaves nothing behind', async () => {
  const { cluster, engine } = await connected();
  answering(engine, array());
  for (const bad of [['APPEND', 'k', 5], ['APPEND', 'k', null], ['APPEND', 'k', new Uint8Array(1)], []]) {
    await assert.rejects(cluster.multi().get('k').sendCommand(bad).exec(), TypeError);
  }
  await assert.rejects(cluster.multi(/** @type {any} */ (5)).get('k').exec(), {
    name: 'TypeError',
    message: '"firstKey" must be of type "string | Buffer", got number instead.',
  });
  await tick();
  assert.deepEqual(engine.commands, []);
  await cluster.multi().get('k').exec();
  assert.equal(engine.commands.length, 1);
});

test('a pipeline is commands like any others, without a deadline, in one submission', async () => {
  const { cluster, engine } = await connected({ commandOptions: { timeout: 7, responseTimeout: 8 } });
  answering(engine, blob('a'), blob('b'));
  const mapped = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const { submitCount } = engine;
  assert.deepEqual(await mapped.multi().get('k').get('l').execAsPipeline(), ['a', 'b']);
  assert.equal(engine.submitCount, submitCount + 1);
  assert.deepEqual(engine.commands.map(({ args, flags, timeout }) => [args.join(' '), flags, timeout]), [
    ['GET k', 0, 0],
    ['GET l', 0, 0],
  ]);
  assert.deepEqual(await cluster.multi().execAsPipeline(), []);
});

test('a pipeline rejects with the first error, and no rejection is left unhandled', async () => {
  const unhandled = [];
  const onUnhandled = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const { cluster, engine } = await connected();
  answering(engine, blob('a'), error('ERR one'), error('ERR two'));
  const run = () => cluster.multi().get('k').get('l').get('m').execAsPipeline();
  await assert.rejects(run(), { message: 'ERR one' });
  cluster.destroy();
  await assert.rejects(run(), ClientClosedError);
  await assert.rejects(cluster.multi().get('k').exec(), ClientClosedError);
  await tick();
  process.off('unhandledRejection', onUnhandled);
  assert.deepEqual(unhandled, []);
});

test('a failure of the engine is its answer', async () => {
  const { cluster, engine } = await connected();
  answering(engine, { type: 'failure', code: FAILURE.SOCKET_CLOSED });
  await assert.rejects(cluster.multi().incr('k').exec(), { name: 'Error', message: 'Socket closed unexpectedly' });
});

test('replies that are nobody\'s are passed over, whatever they are', async () => {
  const { cluster, engine } = await connected();
  const NOBODY = 0xfffffffe;
  const nobodys = [
    { type: 'simple', text: 'QUEUED' }, blob('ü'), number(5), number(2n ** 40n), { type: 'null' },
    { type: 'boolean', value: true }, { type: 'double', text: '1.5' }, error('ERR x'),
    array(blob('a'), array(number(1)), { type: 'blob', text: 'l'.repeat(20), isLarge: true }),
    { type: 'map', items: [blob('k'), { type: 'set', items: [blob('v')] }] },
    { type: 'failure', code: FAILURE.SOCKET, details: array(blob('ECONNRESET'), number(1)) },
  ];
  engine.onSubmit = ([{ ticket }]) => queueMicrotask(() => {
    for (const value of nobodys) engine.write(NOBODY, value);
    engine.write(ticket, array(blob('mine'), { type: 'blob', text: 'large', isLarge: true }));
    for (const value of nobodys) engine.write(NOBODY, value);
    engine.wake();
  });
  assert.deepEqual(await cluster.multi().get('k').get('k').exec(), ['mine', 'large']);
  assert.deepEqual(await cluster.multi().get('k').get('k').exec(), ['mine', 'large']);
});
