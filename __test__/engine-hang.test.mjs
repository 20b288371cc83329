// A node that sends nothing for `hangTimeout`: nothing more is written to it, it is probed, a dead
// connection is replaced, a new owner is given what waits. Nothing is rejected for being slow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  quietly,
  until,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const HANG_MS = 100;
const DEFAULT_HANG_MS = 1_000;
/** A connection that is silent for less may be one of a server that keeps this client back. */
const KEPT_BACK_MS = 3 * HANG_MS;
const options = (hangTimeout = HANG_MS) => ({
  defaults: { socket: { hangTimeout, reconnectStrategy: 10 } },
});

function answerOf([name, key], { node }) {
  if (name === 'GET' || name === 'INCR') return resp.bulk(`node ${node}: ${key}`);
  return name === 'ECHO' ? resp.bulk(key) : undefined;
}

/** Nodes that are silent where `state.isDeaf(context)` says so. */
const deaf = (state) => (args, context) =>
  state.isDeaf?.(context) ? SILENCE : answerOf(args, context);

/** Nodes that answer in order, but nothing before `state.busyUntil`. */
const busy = (state) => (args, context) => {
  const isBusy = context.node === 0 && (state.isIt?.(context) ?? true);
  const wait = isBusy ? Math.max(0, (state.busyUntil ?? 0) - performance.now()) : 0;
  const answer = answerOf(args, context) ?? context.cluster.ordinary(args, context);
  return wait > 0 ? [wait, answer] : answer;
};

/** What a node was sent for users, and not to probe it. */
const written = (node) =>
  node.received.filter(({ args: [name] }) => name === 'GET' || name === 'INCR');
const keysOf = (node) => written(node).map(({ args: [, key] }) => key);
const usedConnections = (node) => new Set(written(node).map(({ connection }) => connection));

const nodeErrors = (events) => events.filter(([name]) => name === 'node-error');

function assertHung(error) {
  assert.ok(error instanceof ours.SocketClosedUnexpectedlyError, String(error));
  assert.match(String(error.cause), /hangTimeout/);
}

test('one connection is dead: it is replaced, the read is sent again, the write is rejected', async () => {
  const state = {};
  const setup = { script: deaf(state), options: options() };
  await onScriptedCluster(setup, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    assert.equal(await client.get('b'), 'node 0: b');
    const [dead] = usedConnections(node);
    state.isDeaf = ({ connection }) => connection === dead;
    const begin = performance.now();
    const write = quietly(client.incr('{b}write'));
    const read = client.get('{b}read');
    const young = quietly(client.incr('{b}young'));
    await until(() => written(node).length === 4, 'all are written');
    await assert.rejects(write, (error) => (assertHung(error), true));
    const took = performance.now() - begin;
    assert.ok(took >= KEPT_BACK_MS, `${took} ms`);
    assert.equal(await read, 'node 0: {b}read');
    await assert.rejects(young, (error) => (assertHung(error), true));
    assert.equal(await client.incr('{b}next'), 'node 0: {b}next');
    assert.deepEqual(
      keysOf(node),
      ['b', '{b}write', '{b}read', '{b}young', '{b}read', '{b}next'],
    );
    await until(() => !node.connections.has(dead), 'the dead one is closed');
    assert.equal(usedConnections(node).size, 2);
    const [[, error, at], ...others] = nodeErrors(events);
    assertHung(error);
    assert.deepEqual([at.port, others], [node.port, []]);
    await assertNoStrayAnswers(client, 'b');
  });
});

for (const [what, copies] of [
  ['it leaves', [1]],
  ['it becomes a replica', [1, 0]],
]) {
  test(`silent on new connections, too: nothing is given up until others own its slots and ${what}`, async () => {
    const state = {};
    const setup = { script: deaf(state), options: options() };
    await onScriptedCluster(setup, async ({ cluster, client }) => {
      const [node, successor] = cluster.nodes;
      assert.equal(await client.get('b'), 'node 0: b');
      const [first] = usedConnections(node);
      state.isDeaf = (context) => context.node === 0;
      const settled = [];
      const note = (key, promise) => quietly(promise.finally(() => settled.push(key)));
      const write = note('{b}write', client.incr('{b}write'));
      const read = note('{b}read', client.get('{b}read'));
      await until(() => written(node).length === 3, 'both are written');
      const before = node.accepted;
      await until(() => node.accepted > before, 'it is probed');
      const keys = ['{b}1', '{b}2', '{b}3', '{b}4'];
      const waiting = keys.map((key, at) => client[at % 2 ? 'get' : 'incr'](key));
      // Each probe is given up after the timeout.
      await until(() => node.accepted >= before + 8, 'it is probed again and again');
      assert.deepEqual(settled, []);
      assert.equal(written(node).length, 3);
      assert.equal(await client.get('c'), 'node 1: c');
      cluster.layout = [{ ...cluster.layout[0], nodes: copies }, ...cluster.layout.slice(1)];
      assert.deepEqual(
        await Promise.all(waiting),
        keys.map((key) => `node 1: ${key}`),
      );
      assert.equal(await read, 'node 1: {b}read');
      await assert.rejects(write, (error) => (assertHung(error), true));
      assert.deepEqual(
        keysOf(successor),
        ['c', '{b}read', ...keys],
      );
      assert.equal(written(node).length, 3);
      await until(() => !node.connections.has(first), 'it is left');
      await assertNoStrayAnswers(client, 'b');
    });
  });
}

for (const [what, isIt] of [
  ['a node that is slow', () => () => true],
  ['a node that keeps one connection back', (kept) => (context) => context.connection === kept],
]) {
  test(`${what} and answers after three times the timeout: all is answered, in order`, async () => {
    const state = {};
    const setup = { script: busy(state), options: options() };
    await onScriptedCluster(setup, async ({ cluster, client, events }) => {
      const [node] = cluster.nodes;
      assert.equal(await client.get('b'), 'node 0: b');
      state.isIt = isIt([...usedConnections(node)][0]);
      state.busyUntil = performance.now() + 3 * HANG_MS;
      const order = [];
      const run = (key) => client.incr(key).then((value) => order.push(value));
      const keys = ['{b}1', '{b}2', '{b}3', '{b}4', '{b}5', '{b}6'];
      const commands = keys.slice(0, 3).map(run);
      const before = node.accepted;
      await until(() => node.accepted > before, 'it is probed');
      assert.deepEqual(order, []);
      commands.push(...keys.slice(3).map(run));
      await Promise.all(commands);
      assert.ok(performance.now() >= state.busyUntil);
      assert.deepEqual(
        order,
        keys.map((key) => `node 0: ${key}`),
      );
      assert.deepEqual(
        keysOf(node),
        ['b', ...keys],
      );
      assert.equal(usedConnections(node).size, 1);
      assert.deepEqual(nodeErrors(events), []);
    });
  });
}

test('reads that a replica may answer go there while the primary hangs', async () => {
  const state = {};
  const setup = { primaries: 1, replicasPerPrimary: 1, script: deaf(state) };
  setup.options = { ...options(), useReplicas: true };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    const [primary, replica] = cluster.nodes;
    const seen = new Set();
    await until(async () => seen.add(await client.get('b')).size === 2, 'reads of both');
    state.isDeaf = ({ node }) => node === 0;
    const write = quietly(client.incr('c'));
    const before = primary.accepted;
    await until(() => primary.accepted > before, 'it is probed');
    const known = keysOf(primary);
    for (let count = 0; count < 10; count++) assert.equal(await client.get('b'), 'node 1: b');
    assert.deepEqual(keysOf(primary), known);
    assert.ok(written(replica).every(({ args: [name] }) => name === 'GET'));
    client.destroy();
    await assert.rejects(write, ours.DisconnectsClientError);
  });
});

for (const [args, reply, value] of [
  [['WAIT', '1', '0'], resp.number(7), 7],
  [['MODULE.WAIT', 'b'], resp.bulk('at last'), 'at last'],
]) {
  test(`${args[0]} may wait longer than that: the node is asked now and then, and the connection is kept`, async () => {
    const script = ([name], context) =>
      name === args[0] ? [6 * HANG_MS, reply] : answerOf([name], context);
    const setup = { primaries: 1, script, options: options() };
    await onScriptedCluster(setup, async ({ cluster, client, events }) => {
      const [node] = cluster.nodes;
      const before = node.accepted;
      const blocked = client.sendCommand('b', false, args);
      const behind = client.incr('{b}behind');
      assert.equal(await blocked, value);
      assert.match(await behind, /^node 0/);
      // After the first silence, and then once in five times as long.
      assert.ok(node.accepted - before <= 2, `${node.accepted - before} probes`);
      const users = node.received.filter(({ args: [name] }) => [args[0], 'INCR'].includes(name));
      assert.equal(new Set(users.map(({ connection }) => connection)).size, 1);
      assert.deepEqual(nodeErrors(events), []);
    });
  });
}

test('hangTimeout 0 turns it off; without it, it is a second', async () => {
  for (const [hangTimeout, silentFor] of [
    [0, 2 * DEFAULT_HANG_MS],
    [undefined, DEFAULT_HANG_MS],
  ]) {
    const state = {};
    const socket = hangTimeout === undefined ? {} : { hangTimeout };
    const setup = { script: busy(state), options: { defaults: { socket } } };
    await onScriptedCluster(setup, async ({ cluster, client, events }) => {
      const [node] = cluster.nodes;
      const before = node.accepted;
      const begin = performance.now();
      state.busyUntil = begin + silentFor + DEFAULT_HANG_MS;
      const slow = client.incr('b');
      let isOver = false;
      slow.finally(() => (isOver = true));
      await until(() => isOver || node.accepted > before, 'a probe, or an answer');
      const took = performance.now() - begin;
      assert.equal(isOver, hangTimeout === 0, 'probed or not');
      assert.ok(took >= silentFor - 20, `${took} ms`);
      assert.equal(await slow, 'node 0: b');
      assert.deepEqual(nodeErrors(events), []);
    });
  }
});
