// Connections on which nothing happens: `socketTimeout` closes them, `pingInterval` keeps them alive.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { describe } from './parity/harness/describe-value.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { SILENCE } from './support/scripted-server.mjs';
import { until } from './support/engine-client.mjs';

const IDLE_MS = 200;
const PING_MS = 100;

/** A connected client of `side`; `times` gets what the node is sent, and when. */
async function onOneNode(side, defaults, use) {
  const times = [];
  const servers = await startScriptedCluster({
    primaries: 1,
    script: ([name, key], { connection }) => {
      times.push({ name, sub: key, at: performance.now(), connection });
      if (name === 'GET') return resp.bulk('value');
      return name === 'SET' ? SILENCE : undefined;
    },
  });
  const cluster = side.package.createCluster({ rootNodes: servers.seeds, defaults });
  const events = collectEvents(cluster);
  await cluster.connect();
  try {
    await use({ cluster, events, times, node: servers.nodes[0] });
  } finally {
    if (cluster.isOpen) cluster.destroy();
    await servers.close();
  }
}

const errorsOf = (events) => events.filter(([name]) => name === 'node-error');

test('socketTimeout: an idle connection is closed, with the error and the events of node-redis', async () => {
  const seen = [];
  for (const side of SIDES) {
    await onOneNode(side, { socket: { socketTimeout: IDLE_MS } }, async (context) => {
      const { cluster, events, times, node } = context;
      assert.equal(await cluster.get('key'), 'value');
      await until(() => errorsOf(events).length > 0, `${side.name}: the error`);
      const took = performance.now() - times.at(-1).at;
      assert.ok(took >= IDLE_MS - 5 && took < IDLE_MS + 1_000, `${side.name}: ${took} ms`);
      await until(() => node.connections.size === 0, `${side.name}: it is closed`);
      const [[, error]] = errorsOf(events);
      assert.ok(error instanceof side.package.SocketTimeoutError, side.name);
      seen.push(
        events.map(([name, ...args]) => [name, describe(args)]),
        error.message,
      );
    });
  }
  const [theirs, theirMessage, ours, ourMessage] = seen;
  assert.equal(ourMessage, theirMessage);
  const withoutPorts = (value) => JSON.stringify(value).replaceAll(/\b\d{4,5}\b/g, '0');
  assert.equal(withoutPorts(ours), withoutPorts(theirs));
});

test('socketTimeout: the default strategy does not reconnect, the next command does', async () => {
  const defaults = { socket: { socketTimeout: IDLE_MS } };
  await onOneNode(subject, defaults, async ({ cluster, events }) => {
    const connections = () => events.filter(([name]) => name === 'node-ready').length;
    await until(() => errorsOf(events).length > 0, 'the error');
    // By the default strategy for other errors it would be back after 50 to 250 ms.
    await sleep(500);
    assert.equal(connections(), 1);
    assert.ok(!events.some(([name]) => name === 'node-reconnecting'));
    for (let count = 1; count <= 3; count++) assert.equal(await cluster.get('key'), 'value');
    assert.equal(connections(), 2);
    await until(() => errorsOf(events).length > 1, 'idle once more');
    assert.equal(await cluster.get('key'), 'value');
    assert.equal(connections(), 3);
  });
});

test('socketTimeout: nodes that are idle are not missing, and nobody is asked about them', async () => {
  const defaults = { socket: { socketTimeout: IDLE_MS } };
  await onOneNode(subject, defaults, async ({ cluster, events, times, node }) => {
    await until(() => errorsOf(events).length > 0, 'the error');
    const { accepted } = node;
    const asked = () => times.filter(({ sub }) => sub === 'SLOTS').length;
    const before = asked();
    await sleep(1_000);
    assert.ok(asked() - before <= 2, `the layout was asked for ${asked() - before} times`);
    assert.ok(node.accepted - accepted <= 2, `${node.accepted - accepted} connections`);
    assert.equal(await cluster.get('key'), 'value');
  });
});

test('socketTimeout: a strategy of the user is asked, and reconnects', async () => {
  const asked = [];
  const reconnectStrategy = (retries, cause) => {
    asked.push(cause);
    return 5;
  };
  const socket = { socketTimeout: IDLE_MS, reconnectStrategy };
  await onOneNode(subject, { socket }, async ({ cluster, events }) => {
    const isBack = () => events.filter(([name]) => name === 'node-ready').length > 1;
    await until(isBack, 'it is back');
    assert.ok(asked[0] instanceof subject.package.SocketTimeoutError, String(asked[0]));
    assert.ok(events.some(([name]) => name === 'node-reconnecting'));
    assert.equal(await cluster.get('key'), 'value');
  });
});

test('socketTimeout: what happens on the connection puts it off', async () => {
  const defaults = { socket: { socketTimeout: 3 * IDLE_MS } };
  await onOneNode(subject, defaults, async ({ cluster, events, times, node }) => {
    const { accepted } = node;
    const begin = performance.now();
    let longestPause = 0;
    for (let last = begin; performance.now() - begin < 8 * IDLE_MS;) {
      assert.equal(await cluster.get('key'), 'value');
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
      await sleep(IDLE_MS / 4);
    }
    if (longestPause < 2 * IDLE_MS) {
      assert.deepEqual(errorsOf(events), []);
      assert.equal(node.accepted, accepted);
    }
    assert.ok(times.length > 4);
  });
});

test('socketTimeout: a command that is not answered fails with it', async () => {
  const defaults = { socket: { socketTimeout: IDLE_MS } };
  await onOneNode(subject, defaults, async ({ cluster }) => {
    const begin = performance.now();
    await assert.rejects(
      cluster.sendCommand('key', false, ['SET', 'key', 'value']),
      subject.package.SocketTimeoutError,
    );
    const took = performance.now() - begin;
    assert.ok(took >= IDLE_MS - 5 && took < IDLE_MS + 1_000, `${took} ms`);
  });
});

test('pingInterval: an idle connection is pinged about so often, and lives on', async () => {
  await onOneNode(subject, { pingInterval: PING_MS }, async ({ cluster, events, times, node }) => {
    assert.equal(await cluster.get('key'), 'value');
    const { connection } = times.at(-1);
    const pings = () => times.filter(({ name }) => name === 'PING');
    await until(() => pings().length >= 6, 'six pings');
    assert.ok(pings().every((ping) => ping.connection === connection));
    const took = pings()[5].at - pings()[0].at;
    assert.ok(took >= 5 * PING_MS * 0.9 && took < 5 * PING_MS * 4, `${took} ms`);
    assert.deepEqual(errorsOf(events), []);
    assert.equal(await cluster.get('key'), 'value');
    assert.equal(times.at(-1).connection, connection);
    assert.equal(node.connections.size, 1);
  });
});

test('pingInterval: none while commands are sent', async () => {
  await onOneNode(subject, { pingInterval: 3 * PING_MS }, async ({ cluster, times }) => {
    const begin = performance.now();
    while (performance.now() - begin < 10 * PING_MS) {
      assert.equal(await cluster.get('key'), 'value');
      await new Promise(setImmediate);
    }
    const used = times.filter(({ connection }) => connection === times.at(-1).connection);
    assert.ok(used.filter(({ name }) => name === 'GET').length > 100);
    // Unless the machine stood still: then it is one for each pause.
    for (const [index, { name, at }] of used.entries()) {
      if (name === 'PING') assert.ok(at - used[index - 1].at >= 2 * PING_MS, 'a ping while busy');
    }
    await until(() => times.at(-1).name === 'PING', 'a ping when it is idle');
  });
});

test('no pings by default', async () => {
  await onOneNode(subject, {}, async ({ cluster, times }) => {
    assert.equal(await cluster.get('key'), 'value');
    await sleep(5 * PING_MS);
    assert.deepEqual(
      times.filter(({ name }) => name === 'PING'),
      [],
    );
  });
});
