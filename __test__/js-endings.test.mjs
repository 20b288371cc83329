// How a cluster ends when the engine breaks or a server hangs: nothing stays open, nothing waits for ever.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { FakeNative, installFakeNative } from './support/fake-native.mjs';

/** An engine whose servers never answer: `close` waits until somebody destroys it. */
class HungNative extends FakeNative {
  close(ticket) {
    this.calls.push(['close', ticket]);
  }
}

const engines = installFakeNative(HungNative);
const { createCluster, ClientClosedError, DisconnectsClientError } = createRequire(import.meta.url)(
  '../index.js',
);

const PANIC = { type: 'simple', text: 'index out of bounds' };
const MESSAGE = 'Internal error of the engine: index out of bounds';
/** What is broken here waits for ever. */
const WITHIN = { timeout: 5_000 };
const tick = () => new Promise(setImmediate);
const calls = (engine, name) => engine.calls.filter(([called]) => called === name).length;

function create() {
  const cluster = createCluster({ rootNodes: [{ host: 'seed', port: 1 }] });
  const events = [];
  cluster.on('error', (error) => events.push(`error: ${error.message}`));
  cluster.on('disconnect', () => events.push('disconnect'));
  return { cluster, events, engine: engines.at(-1) };
}

test('after a panic of the engine everything is rejected, the cluster is closed and can be opened again', WITHIN, async () => {
  const { cluster, events, engine } = create();
  await cluster.connect();
  const lost = [cluster.get('a'), cluster.get('b')];
  await tick();
  engine.event('fatal', PANIC);
  for (const command of lost) await assert.rejects(command, { message: MESSAGE });
  assert.deepEqual(events, [`error: ${MESSAGE}`, 'disconnect']);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [false, false]);
  assert.equal(calls(engine, 'destroy'), 1);
  await assert.rejects(cluster.get('a'), ClientClosedError);

  await cluster.connect();
  assert.deepEqual([cluster.isOpen, cluster.isReady], [true, true]);
  assert.notEqual(engines.at(-1), engine);
  cluster.destroy();
});

test('a panic during connect rejects it with the panic', WITHIN, async () => {
  const { cluster, events, engine } = create();
  engine.answersConnect = false;
  const connecting = cluster.connect();
  engine.event('fatal', PANIC);
  await assert.rejects(connecting, { message: MESSAGE });
  assert.deepEqual(events, [`error: ${MESSAGE}`]);
  assert.equal(cluster.isOpen, false);
  await cluster.connect();
  cluster.destroy();
});

test('a panic during close ends it and leaves a new session alone', WITHIN, async () => {
  const { cluster, events, engine } = create();
  await cluster.connect();
  const closing = cluster.close();
  await cluster.connect();
  engine.event('fatal', PANIC);
  await closing;
  assert.deepEqual(events, [`error: ${MESSAGE}`, 'disconnect']);
  assert.deepEqual([cluster.isOpen, cluster.isReady], [true, true]);
  cluster.destroy();
});

for (const end of ['destroy', 'disconnect']) {
  test(`${end}() during a close() that hangs ends it at once`, WITHIN, async () => {
    const { cluster, engine } = create();
    await cluster.connect();
    const lost = cluster.get('k');
    const closing = cluster.close();
    let isOver = false;
    closing.then(() => { isOver = true; });
    await tick();
    assert.equal(isOver, false, 'it waits for the command');
    await cluster[end]();
    await assert.rejects(lost, DisconnectsClientError);
    await closing;
    assert.equal(calls(engine, 'destroy'), 1);
    assert.equal(cluster.isOpen, false);
  });
}

test('a second close() waits with the first', WITHIN, async () => {
  const { cluster, engine } = create();
  await cluster.connect();
  const reply = cluster.get('k');
  const order = [];
  const closings = [cluster.close(), cluster.close()].map((closing) => closing.then(() => order.push('closed')));
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual(order, []);
  engine.write(engine.commands[0].ticket, { type: 'blob', text: 'v' });
  engine.answer(engine.calls.find(([name]) => name === 'close')[1], { type: 'null' });
  assert.equal(await reply, 'v');
  await Promise.all(closings);
  assert.equal(engine.calls.filter(([name]) => name === 'close').length, 1);
});

test('close() of a new session does not cut the close() of the one before', WITHIN, async () => {
  const { cluster, engine: first } = create();
  await cluster.connect();
  const kept = cluster.get('k');
  const closingFirst = cluster.close();
  await cluster.connect();
  const second = engines.at(-1);
  const closingSecond = cluster.close();
  await tick();
  assert.equal(calls(first, 'destroy'), 0);
  first.answer(first.commands[0].ticket, { type: 'blob', text: 'late' });
  assert.equal(await kept, 'late');
  for (const engine of [first, second]) {
    engine.answer(engine.calls.find(([name]) => name === 'close')[1], { type: 'null' });
  }
  await Promise.all([closingFirst, closingSecond]);
});
