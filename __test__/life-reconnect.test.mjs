// A node that dies and comes back on its port: what reconnectStrategy is asked, and which events come,
// in which order, compared with node-redis.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { describe } from './parity/harness/describe-value.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { until } from './support/engine-client.mjs';

/** Its slot, 3300, is the first node's. */
const KEY = 'b';
const DEAD_FOR_MS = 120;

/** Two nodes and a connected cluster; the events are those of the first node, its port written as 0. */
async function start(side, reconnectStrategy) {
  const servers = await startScriptedCluster({
    primaries: 2,
    script: ([name]) => (name === 'GET' ? resp.bulk('value') : undefined),
  });
  const [node, other] = servers.nodes;
  const { port } = node;
  const socket = reconnectStrategy === undefined ? {} : { reconnectStrategy };
  const rootNodes = [{ socket: { host: '127.0.0.1', port: other.port } }];
  const cluster = side.package.createCluster({ rootNodes, defaults: { socket } });
  const all = collectEvents(cluster);
  await cluster.connect();
  const events = () => all.filter(([, ...args]) => args.at(-1)?.port === port);
  // The errors of Node's sockets have a class of their own, which nobody can name.
  const withoutPort = (value) =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(String(port), '0')
        .replaceAll('["Error","Error"]', '["Error"]'),
    );
  return {
    cluster,
    names: () => events().map(([name]) => name),
    described: () => withoutPort(events().map(([name, ...args]) => [name, describe(args)])),
    withoutPort,
    kill: () => node.close(),
    restart: () => node.listen(port),
    stop: async () => {
      if (cluster.isOpen) cluster.destroy();
      await servers.close();
    },
  };
}

/** The same events, however often it was tried meanwhile. */
function withoutRepetitions(events) {
  const texts = events.map((event) => JSON.stringify(event));
  return texts
    .filter((text, index) => index < 2 || text !== texts[index - 2])
    .map((text) => JSON.parse(text));
}

/** @returns {Promise<unknown[]>} what `program` returned for node-redis and for us */
async function onBoth(strategyOf, program) {
  const seen = [];
  for (const side of SIDES) {
    const asked = [];
    const strategy = strategyOf(asked);
    const node = await start(side, strategy);
    try {
      seen.push({ ...(await program(node)), asked: node.withoutPort(asked) });
    } finally {
      await node.stop();
    }
  }
  return seen;
}

/** Killed, tried again for a while, back, used, closed. */
async function dieAndComeBack(node) {
  const readyCount = () => node.names().filter((name) => name === 'node-ready').length;
  await node.kill();
  await sleep(DEAD_FOR_MS);
  const waiting = node.cluster.get(KEY);
  await node.restart();
  await until(() => readyCount() === 2, 'the node is ready again');
  const replies = [await waiting, await node.cluster.get(KEY)];
  await node.cluster.close();
  return { replies, events: withoutRepetitions(node.described()) };
}

test('a number: events and their order', async () => {
  const [theirs, ours] = await onBoth(() => 20, dieAndComeBack);
  assert.deepStrictEqual(ours, theirs);
  assert.deepEqual(ours.replies, ['value', 'value'], 'a command that waits is answered');
  assert.deepEqual(
    ours.events.map(([name]) => name),
    [
      'node-connect',
      'node-ready',
      'node-error',
      'node-reconnecting',
      'node-error',
      'node-connect',
      'node-ready',
      'node-disconnect',
    ],
  );
});

test('the default: events and their order', async () => {
  const [theirs, ours] = await onBoth(() => undefined, dieAndComeBack);
  assert.deepStrictEqual(ours, theirs);
});

test('the default waits 50 ms doubled each time, plus up to 200 ms', async () => {
  const node = await start(subject);
  const times = [];
  node.cluster.on('node-reconnecting', () => times.push(performance.now()));
  await node.kill();
  await until(() => times.length === 4, 'four attempts');
  await node.stop();
  const delays = times.slice(1).map((time, index) => time - times[index]);
  // The first attempt follows at once and is number 0; then min(2^n * 50, 2000) + 0..199.
  const least = [100, 200, 400];
  for (const [index, delay] of delays.entries()) {
    const [from, to] = [least[index], least[index] + 200 + 100];
    assert.ok(delay >= from - 2 && delay < to, `attempt ${index + 1} after ${delay} ms`);
  }
});

test('a function is asked with the number of retries and the cause, anew after each success', async () => {
  const strategyOf = (asked) => (retries, cause) => {
    asked.push([retries, describe(cause)]);
    return retries < 3 ? 5 : 300; // by then the node is back
  };
  const [theirs, ours] = await onBoth(strategyOf, async (node) => {
    const replies = [];
    for (let life = 2; life <= 3; life++) {
      await node.kill();
      await sleep(DEAD_FOR_MS);
      await node.restart();
      await until(
        () => node.names().filter((name) => name === 'node-ready').length === life,
        'ready',
      );
      replies.push(await node.cluster.get(KEY));
    }
    return { replies, events: node.described() };
  });
  assert.deepStrictEqual(ours, theirs);
  assert.deepEqual(
    ours.asked.map(([retries]) => retries),
    [0, 1, 2, 3, 0, 1, 2, 3],
  );
});

for (const [label, fail] of [
  [
    'throws',
    () => {
      throw new RangeError('a bad strategy');
    },
  ],
  ['returns nonsense', () => 'soon'],
]) {
  test(`a function that ${label}: its error is told, the default is used`, async () => {
    const strategyOf = (asked) => (retries) => {
      asked.push(retries);
      return fail();
    };
    const [theirs, ours] = await onBoth(strategyOf, async (node) => {
      await node.kill();
      await until(() => node.names().length >= 8, 'the second failure');
      return { events: node.described().slice(0, 7) };
    });
    assert.deepStrictEqual(ours.events, theirs.events);
    assert.deepEqual(ours.asked.slice(0, 2), [0, 1]);
    assert.deepEqual(theirs.asked.slice(0, 2), [0, 1]);
  });
}

for (const [label, strategyOf] of [
  ['false', () => false],
  [
    'a function that returns false',
    (asked) => (retries) => {
      asked.push(retries);
      return retries < 2 ? 5 : false;
    },
  ],
  [
    'a function that returns an Error',
    (asked) => (retries) => {
      asked.push(retries);
      return retries < 2 ? 5 : new Error('enough');
    },
  ],
]) {
  test(`giving up, ${label}: events like node-redis`, async () => {
    const [theirs, ours] = await onBoth(strategyOf, async (node) => {
      await node.kill();
      await sleep(DEAD_FOR_MS);
      return { events: node.described() };
    });
    assert.deepStrictEqual(ours, theirs);
  });
}

// node-redis leaves the node closed for good: each command for it is rejected until the topology changes.
test('after giving up, the next command tries once more', async () => {
  const node = await start(subject, false);
  try {
    await node.kill();
    await until(() => node.names().includes('node-error'), 'the connection is lost');
    await sleep(20);
    await assert.rejects(node.cluster.get(KEY), { code: 'ECONNREFUSED', syscall: 'connect' });
    await node.restart();
    assert.equal(await node.cluster.get(KEY), 'value');
  } finally {
    await node.stop();
  }
});

test('after giving up with an Error, commands are rejected with it', async () => {
  const { ReconnectStrategyError } = subject.package;
  const node = await start(subject, () => new Error('enough'));
  try {
    await node.kill();
    await until(() => node.names().includes('node-error'), 'the connection is lost');
    await sleep(20);
    const error = await node.cluster.get(KEY).catch((reason) => reason);
    assert.ok(error instanceof ReconnectStrategyError);
    assert.equal(error.originalError.message, 'enough');
    assert.equal(error.socketError.code, 'ECONNREFUSED');
  } finally {
    await node.stop();
  }
});

test('other nodes go on working while one is down', async () => {
  const node = await start(subject, 20);
  try {
    await node.kill();
    await until(() => node.names().includes('node-error'), 'the connection is lost');
    const begin = performance.now();
    // The slot of "a", 15495, is the second node's.
    for (let i = 0; i < 100; i++) assert.equal(await node.cluster.get('a'), 'value');
    assert.ok(performance.now() - begin < 1_000);
  } finally {
    await node.stop();
  }
});
