// Tickets, packing and settling, with a scripted engine on the other side.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { FakeNative } from './support/fake-native.mjs';

const require = createRequire(import.meta.url);
const { Channel } = require('../js/channel.js');
const { BasicCommandParser } = require('../js/commands.js');
const { FAILURE } = require('../js/errors.js');
const { RESP_TYPES, AbortError, DisconnectsClientError, SimpleError, TimeoutError } = require('../js/index.js');

const simple = (text) => ({ type: 'simple', text });
const blob = (text) => ({ type: 'blob', text });
const tick = () => new Promise(setImmediate);

/** The place in a ticket; the bits above it tell its users apart. */
const place = ({ ticket }) => ticket & 0xffffff;

function open(prepare = () => {}, onEvent = () => {}) {
  const events = [];
  const native = new FakeNative({}, () => channel.settle());
  prepare(native);
  const channel = new Channel(native, (name, details) => {
    events.push([name, ...details]);
    onEvent(name);
  });
  return { native, channel, events };
}

function parsed(args, key) {
  const parser = new BasicCommandParser();
  parser.pushVariadic(args);
  if (key !== undefined) parser.markRoutingKey(key);
  return parser;
}

const send = (channel, args, { key, readonly, options, transform } = {}) =>
  channel.submit(parsed(args, key), readonly, options, transform);

const texts = (command) => command.args.map(String);

test('one tick is one submission, in order, with keys, flags and timeouts', async () => {
  const { native, channel } = open();
  send(channel, ['GET', 'a'], { key: 'a' });
  send(channel, ['SET', 'a', 'b'], { key: 'a', readonly: false, options: { timeout: 7 } });
  send(channel, ['PING'], { readonly: true, options: { timeout: undefined } });
  send(channel, ['EVAL', 'x', '1', 'k'], { key: 'k', options: { timeout: 0 } });
  send(channel, ['OBJECT', 'HELP'], { key: '{tag}' , options: {} });
  assert.equal(native.submitCount, 0);
  await tick();
  assert.equal(native.submitCount, 1);
  const seen = native.commands.map((c) => [texts(c).join(' '), c.keyIndex, c.flags, c.timeout, c.extraKey?.toString()]);
  assert.deepEqual(seen, [
    ['GET a', 1, 0, 5000, undefined],
    ['SET a b', 1, 2, 7, undefined],
    ['PING', 0xffffffff, 1, 0, undefined],
    ['EVAL x 1 k', 3, 0, 0, undefined],
    ['OBJECT HELP', 0xffffffff, 4, 5000, '{tag}'],
  ]);
  assert.equal(new Set(native.commands.map(({ ticket }) => ticket)).size, 5);
});

test('arguments cross as node-redis writes them: UTF-8, binary, lone surrogates, every length', async () => {
  const { native, channel } = open();
  const strings = ['', 'a', 'x'.repeat(23), 'x'.repeat(24), 'x'.repeat(25), 'ü', 'abcü', 'ü'.repeat(30),
    '日本語', '🦀', '\ud800', 'ab\udc00cd', '\ud83e'.repeat(40), 'x'.repeat(5000), 'é'.repeat(70000)];
  const buffers = [Buffer.alloc(0), Buffer.from([0, 255, 13, 10]), Buffer.alloc(3000, 7)];
  send(channel, [...strings, ...buffers]);
  await tick();
  const expected = [...strings.map((text) => Buffer.from(text)), ...buffers];
  assert.deepEqual(native.commands[0].args, expected);
});

test('a Buffer is copied at the call', async () => {
  const { native, channel } = open();
  const value = Buffer.from('before');
  send(channel, ['SET', 'k', value], { key: 'k' });
  value.fill('x');
  await tick();
  assert.deepEqual(texts(native.commands[0]), ['SET', 'k', 'before']);
});

test('a wrong argument rejects its command with node-redis\'s error and harms no neighbour', async () => {
  const { native, channel } = open();
  const message = (index, got) =>
    ({ name: 'TypeError', message: `"arguments[${index}]" must be of type "string | Buffer", got ${got} instead.` });
  const before = send(channel, ['GET', 'a'], { key: 'a' });
  await assert.rejects(send(channel, ['SET', 'k', 5], { key: 'k' }), message(2, 'number'));
  await assert.rejects(send(channel, ['GET', null], { key: null }), message(1, 'object'));
  await assert.rejects(send(channel, ['GET', undefined]), message(1, 'undefined'));
  await assert.rejects(send(channel, ['GET', new Uint8Array(2)]), message(1, 'object'));
  await assert.rejects(send(channel, ['GET', 1], { key: 1 }), message(1, 'number'));
  const after = send(channel, ['GET', 'b'], { key: 'b' });
  await tick();
  assert.deepEqual(native.commands.map(texts), [['GET', 'a'], ['GET', 'b']]);
  for (const { ticket, args } of native.commands) native.answer(ticket, blob(String(args[1])));
  assert.deepEqual(await Promise.all([before, after]), ['a', 'b']);
});

test('a routing key of a wrong type is refused by its name', async () => {
  const { channel } = open();
  await assert.rejects(send(channel, ['X'], { key: 5 }), /"firstKey" must be of type "string \| Buffer", got number/);
});

test('a tick that overflows the buffers goes over in several calls, nothing lost', async () => {
  const { native, channel } = open();
  const value = 'v'.repeat(1000);
  const count = 3000;
  for (let i = 0; i < count; i++) send(channel, ['SET', `k${i}`, value], { key: `k${i}` });
  await tick();
  assert.ok(native.submitCount > 2 && native.submitCount < 20, `${native.submitCount} calls`);
  assert.deepEqual(native.commands.map(({ args }) => String(args[1])), Array.from({ length: count }, (_, i) => `k${i}`));
  assert.ok(native.commands.every(({ args }) => args[2].length === 1000));
});

test('a command larger than the buffers crosses whole, between its neighbours', async () => {
  const { native, channel } = open();
  const big = 'b'.repeat(3 << 20);
  const many = Array.from({ length: 100_000 }, (_, i) => `m${i}`);
  send(channel, ['GET', 'first']);
  send(channel, ['SET', 'big', big]);
  send(channel, ['DEL', ...many]);
  send(channel, ['SET', 'bytes', Buffer.alloc(2 << 20, 1)]);
  send(channel, ['GET', 'last']);
  await tick();
  assert.deepEqual(native.commands.map(({ args }) => args.length), [2, 3, 100_001, 3, 2]);
  assert.equal(native.commands[1].args[2].length, big.length);
  assert.deepEqual(texts(native.commands[2]).slice(1), many);
  assert.equal(native.commands[3].args[2].length, 2 << 20);
  assert.deepEqual(texts(native.commands[4]), ['GET', 'last']);
});

test('replies settle their own promises, in any order, and tickets are used again', async () => {
  const { native, channel } = open();
  const seen = new Set();
  for (let round = 0; round < 3; round++) {
    const first = send(channel, ['GET', 'a']);
    const second = send(channel, ['GET', 'b']);
    await tick();
    const [a, b] = native.commands.splice(0);
    native.write(b.ticket, blob('B')).answer(a.ticket, blob('A'));
    assert.deepEqual(await Promise.all([first, second]), ['A', 'B']);
    assert.ok(place(a) < 2 && place(b) < 2, 'places are used again');
    for (const { ticket } of [a, b]) assert.ok(!seen.has(ticket) && seen.add(ticket), 'tickets are not, so soon');
  }
});

test('what is late for one command is not taken for the next at its place', async () => {
  const { native, channel } = open();
  const controller = new AbortController();
  const first = send(channel, ['GET', 'a'], { options: { abortSignal: controller.signal } });
  await tick();
  const [a] = native.commands.splice(0);
  native.write(a.ticket, blob('A'));
  controller.abort();
  native.wake();
  assert.equal(await first, 'A');
  const second = send(channel, ['GET', 'b']);
  await tick();
  const [b] = native.commands.splice(0);
  assert.equal(place(a), place(b));
  const cancelled = native.calls.filter(([name]) => name === 'cancel').map(([, ticket]) => ticket);
  assert.deepEqual(cancelled, [a.ticket]);
  assert.notEqual(b.ticket, a.ticket);
  native.write(a.ticket, blob('a second answer to the first')).answer(b.ticket, blob('B'));
  assert.equal(await second, 'B');
});

test('an event that leads to an error does not stop the answers behind it', async () => {
  const { native, channel } = open(undefined, () => { throw new Error('from an event'); });
  const thrown = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  const reply = send(channel, ['GET', 'a']);
  await tick();
  const event = { type: 'array', items: [simple('node-ready'), simple('h')] };
  native.write(0xffffffff, event).answer(native.commands[0].ticket, blob('A'));
  assert.equal(await reply, 'A');
  assert.equal((await thrown).message, 'from an event');
  process.setUncaughtExceptionCaptureCallback(null);
});

test('a command without a name is refused before it can be taken for nothing', async () => {
  const { native, channel } = open();
  await assert.rejects(send(channel, []), { name: 'TypeError', message: 'a command needs a name' });
  await tick();
  assert.equal(native.submitCount, 0);
});

test('an error reply rejects; a failure of the engine becomes node-redis\'s class', async () => {
  const { native, channel } = open();
  const promises = [send(channel, ['A']), send(channel, ['B']), send(channel, ['C'])];
  await tick();
  const [a, b, c] = native.commands;
  native.write(a.ticket, { type: 'error', text: 'WRONGTYPE x' });
  native.write(b.ticket, { type: 'failure', code: FAILURE.TIMEOUT });
  native.answer(c.ticket, { type: 'array', items: [{ type: 'error', text: 'ERR inner' }] });
  await assert.rejects(promises[0], (e) => e instanceof SimpleError && e.message === 'WRONGTYPE x');
  await assert.rejects(promises[1], TimeoutError);
  assert.ok((await promises[2])[0] instanceof SimpleError);
});

test('transforms get reply, preserve and mapping; one that throws rejects only its command', async () => {
  const { native, channel } = open();
  const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
  const parser = parsed(['A']);
  parser.preserve = 'kept';
  const good = channel.submit(parser, undefined, { typeMapping }, (...args) => args);
  const bad = send(channel, ['B'], { transform: () => { throw new Error('transform'); } });
  const last = send(channel, ['C']);
  await tick();
  const [a, b, c] = native.commands;
  native.write(a.ticket, blob('x')).write(b.ticket, blob('x')).answer(c.ticket, blob('y'));
  assert.deepEqual(await good, [Buffer.from('x'), 'kept', typeMapping]);
  await assert.rejects(bad, { message: 'transform' });
  assert.equal(await last, 'y');
});

test('a mapping does not leak into the next command with the same ticket', async () => {
  const { native, channel } = open();
  const first = send(channel, ['A'], { options: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } });
  await tick();
  native.answer(native.commands[0].ticket, blob('x'));
  assert.deepEqual(await first, Buffer.from('x'));
  const second = send(channel, ['A']);
  await tick();
  native.answer(native.commands[1].ticket, blob('x'));
  assert.equal(await second, 'x');
});

test('a batch that does not fit gets larger buffers once', async () => {
  const { native, channel } = open();
  const many = send(channel, ['A']);
  const long = send(channel, ['B']);
  await tick();
  const items = Array.from({ length: 100_000 }, (_, value) => ({ type: 'number', value }));
  native.write(native.commands[0].ticket, { type: 'array', items });
  native.answer(native.commands[1].ticket, { type: 'array', items: Array.from({ length: 40 }, () => blob('x'.repeat(60_000))) });
  assert.equal((await many)[99_999], 99_999);
  assert.deepEqual((await long).map((text) => text.length), new Array(40).fill(60_000));
});

test('a timeout that no timer takes is refused like Node refuses it', async () => {
  const { native, channel } = open();
  for (const timeout of [-1, 1.5, Infinity, 2 ** 32, '5']) {
    await assert.rejects(send(channel, ['A'], { options: { timeout } }), /"delay"/);
  }
  await tick();
  assert.equal(native.commands.length, 0);
});

test('an aborted signal rejects at once; a later abort cancels, after the command was handed over', async () => {
  const { native, channel } = open();
  await assert.rejects(send(channel, ['A'], { options: { abortSignal: AbortSignal.abort() } }), AbortError);
  const controller = new AbortController();
  const promise = send(channel, ['B'], { options: { abortSignal: controller.signal } });
  controller.abort();
  assert.deepEqual(native.commands.map(texts), [['B']]);
  const [{ ticket }] = native.commands;
  assert.deepEqual(native.calls, [['cancel', ticket]]);
  native.answer(ticket, { type: 'failure', code: FAILURE.ABORTED });
  await assert.rejects(promise, AbortError);
});

test('a settled command leaves no listener on its signal', async () => {
  const { native, channel } = open();
  const controller = new AbortController();
  const promise = send(channel, ['A'], { options: { abortSignal: controller.signal } });
  await tick();
  native.answer(native.commands[0].ticket, simple('OK'));
  await promise;
  controller.abort();
  assert.deepEqual(native.calls, []);
});

test('destroy settles what was answered and rejects the rest', async () => {
  const { native, channel } = open();
  const answered = send(channel, ['A']);
  const open1 = send(channel, ['B']);
  await tick();
  native.write(native.commands[0].ticket, simple('OK'));
  const unsent = send(channel, ['C']);
  channel.destroy();
  assert.equal(await answered, 'OK');
  await assert.rejects(open1, DisconnectsClientError);
  await assert.rejects(unsent, DisconnectsClientError);
  assert.deepEqual(native.calls, [['destroy']]);
});

test('destroy from inside of a transform or an event ends the batch cleanly', async () => {
  const { native, channel } = open();
  const ending = send(channel, ['A'], { transform: () => channel.destroy() });
  const behind = send(channel, ['B']);
  await tick();
  native.write(native.commands[0].ticket, simple('x')).answer(native.commands[1].ticket, simple('y'));
  await assert.rejects(ending, DisconnectsClientError);
  assert.equal(await behind, 'y', 'it had been answered');
});

test('if the engine refuses a submission, every command of it is rejected', async () => {
  const refusal = new Error('refused');
  const { channel } = open((native) => { native.submit = () => { throw refusal; }; });
  const promises = [send(channel, ['A']), send(channel, ['B'])];
  const results = await Promise.allSettled(promises);
  assert.deepEqual(results.map(({ reason }) => reason), [refusal, refusal]);
});

test('events arrive between answers, in order', async () => {
  const { native, events } = open();
  native.event('node-ready', simple('127.0.0.1'), { type: 'number', value: 7000 });
  native.event('error', { type: 'failure', code: FAILURE.SOCKET_CLOSED });
  assert.deepEqual(events[0], ['node-ready', '127.0.0.1', 7000]);
  assert.equal(events[1][1].message, 'Socket closed unexpectedly');
});
