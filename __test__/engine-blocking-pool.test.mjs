// The connections of commands that block: how many, how they are made, what waits for them, when they
// are closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { blPop, connectionsOf, element, onBlockingCluster, popped } from './support/blocking-script.mjs';
import {
  assignSlot,
  ours,
  quietly,
  SLOTS,
  until,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP } from './support/scripted-server.mjs';

test('a connection for this is greeted like the others, and must be the same node', async () => {
  const options = { defaults: { name: 'worker', socket: { reconnectStrategy: 10 } } };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const greetings = () => node.received.filter(({ args: [name] }) => name === 'HELLO');
    const before = greetings().length;
    cluster.myId = () => 'f'.repeat(40);
    const blocked = blPop(client, 'b');
    await until(() => greetings().length > before + 1, 'it is tried again');
    assert.deepEqual(blocking.blocked, [], 'another node gets nothing');
    cluster.myId = (index) => cluster.idOf(index);
    await until(() => blocking.isBlocked('b'));
    assert.deepEqual(greetings().at(-1).args, ['HELLO', '3', 'SETNAME', 'worker']);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('beyond the bound they wait for one another, in order', async () => {
  const options = { maxBlockingConnections: 2 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const keys = Array.from({ length: 6 }, (_, index) => `{b}${index}`);
    const pops = keys.map((key) => blPop(client, key));
    const elsewhere = blPop(client, 'c');
    await until(() => blocking.isBlocked('c'), 'other nodes have their own');
    blocking.push('c');
    await elsewhere;
    for (const [index, key] of keys.entries()) {
      const expected = keys.slice(index, index + 2);
      await until(() => expected.every((one) => blocking.isBlocked(one)));
      assert.equal(blocking.blocked.length, expected.length, 'two at a time');
      blocking.push(key);
      assert.deepEqual(await pops[index], element(key));
    }
    assert.equal(connectionsOf(cluster.nodes[0], 'BLPOP').length, 2);
  });
});

test('idle connections are closed, used ones are not', async () => {
  const options = { blockingIdleTimeout: 200 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const shared = node.connections.size;
    const pops = ['{b}1', '{b}2', '{b}3'].map((key) => blPop(client, key));
    await until(() => blocking.blocked.length === 3);
    assert.equal(node.connections.size, shared + 3);
    blocking.push('{b}1');
    blocking.push('{b}2');
    await Promise.all(pops.slice(0, 2));
    const begin = performance.now();
    await until(() => node.connections.size === shared + 1, 'two are closed');
    assert.ok(performance.now() - begin >= 180);
    await sleep(400);
    assert.equal(node.connections.size, shared + 1, 'the one that blocks is not');
    blocking.push('{b}3');
    assert.deepEqual(await pops[2], element('{b}3'));
    await until(() => node.connections.size === shared);
  });
});

test('silence is what it is for: no socketTimeout, no hangTimeout', async () => {
  const socket = { reconnectStrategy: 10, hangTimeout: 60 };
  await onBlockingCluster({ options: { defaults: { socket } } }, async (context) => {
    const { cluster, client, blocking, events } = context;
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    const { accepted } = cluster.nodes[0];
    await sleep(500);
    assert.equal(cluster.nodes[0].accepted, accepted, 'nobody doubts it');
    assert.ok(events.every(([name]) => name === 'node-ready'), String(events));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
  const options = { defaults: { socket: { reconnectStrategy: 10, socketTimeout: 60 } } };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    await sleep(300);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('a node that is not there: it waits with the others, or fails as they do', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    const blocked = blPop(client, 'b');
    const late = client.withCommandOptions({ timeout: 50 }).blPop('{b}late', 0);
    await assert.rejects(late, ours.TimeoutError);
    await node.listen(node.port);
    await until(() => blocking.isBlocked('b'));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
  const offline = { defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 10 } } };
  await onBlockingCluster({ options: offline }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    await assert.rejects(client.blPop('b', 0), ours.ClientOfflineError);
  });
  const options = { defaults: { socket: { reconnectStrategy: false } } };
  await onBlockingCluster({ options }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-error'));
    await assert.rejects(client.blPop('b', 0), { code: 'ECONNREFUSED' });
  });
});

test('the slot moves while it waits for a connection: it waits at the new owner', async () => {
  const options = { maxBlockingConnections: 1, topologyRefreshInterval: 50 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'f');
    await until(() => blocking.isBlocked('f'));
    const waiting = blPop(client, 'b');
    const another = blPop(client, '{b}2');
    assignSlot(cluster, SLOTS.b, 1);
    await until(() => blocking.isBlocked('b'));
    assert.equal(blocking.blockedOn('b').node, 1);
    for (const [key, promise] of [['b', waiting], ['{b}2', another], ['f', blocked]]) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
      assert.deepEqual(await promise, element(key));
    }
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1);
  });
});

test('no connection can be made beside the shared one: it is tried again, less and less often', async () => {
  const state = { isFull: true, refused: 0 };
  const script = ([name], { connection, node, cluster }) => {
    if (name !== 'HELLO' || !state.isFull || node !== 0) return undefined;
    if (cluster.nodes[0].connections.size === 1) return undefined;
    state.refused += 1;
    return [resp.error('ERR max number of clients reached'), HANG_UP];
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const before = state.refused;
    const keys = Array.from({ length: 20 }, (_, index) => `{b}${index}`);
    const blocked = [];
    for (const key of keys) {
      blocked.push(blPop(client, key));
      await sleep(5);
    }
    await until(() => state.refused > before + 1);
    assert.equal(await client.get('b'), '0:b');
    assert.ok(state.refused < before + 15, `${state.refused - before} attempts`);
    state.isFull = false;
    for (const [index, key] of keys.entries()) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
      assert.deepEqual(await blocked[index], element(key));
    }
  });
});

test('minimizeConnections: it connects the node that it needs', async () => {
  const options = { minimizeConnections: true };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('what blocks does not fill the queue of its node; what waits is bounded in bytes', async () => {
  const defaults = { commandsQueueMaxLength: 2, commandsQueueMaxBytes: 2_000 };
  const options = { maxBlockingConnections: 3, defaults };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const keys = Array.from({ length: 5 }, (_, index) => `{b}${index}`);
    const pops = keys.map((key) => blPop(client, key));
    await until(() => blocking.blocked.length === 3);
    assert.equal(await client.get('b'), '0:b');
    const large = quietly(client.blPop(`{b}${'x'.repeat(2_000)}`, 0));
    await assert.rejects(client.blPop('{b}more', 0), /^Error: The queue is full: 2000 bytes/);
    for (const key of keys) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
    }
    await Promise.all(pops);
    client.destroy();
    await assert.rejects(large, ours.DisconnectsClientError);
  });
});

test('a node that leaves: what waits for it goes on at once', async () => {
  const options = { maxBlockingConnections: 1, topologyRefreshInterval: 50 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    cluster.layout[0].nodes = [1];
    await until(() => blocking.isBlocked('{b}2'));
    assert.equal(blocking.blockedOn('{b}2').node, 1);
    blocking.push('{b}2');
    assert.deepEqual(await waiting, element('{b}2'));
    blocking.blockedOn('{b}1').answer([popped('{b}1')]);
    assert.deepEqual(await blocked, element('{b}1'), 'what was begun may end');
  });
});
