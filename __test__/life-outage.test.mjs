// All nodes that are known are gone: the root nodes are asked again, and what waits goes to the nodes
// that they name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onScriptedCluster, SLOTS, until, userCommands } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

/** Nodes 0 to 2 are the cluster before the outage, 3 to 5 after it; 6 is an address that stays. */
const DOOR = 6;
const layoutOf = (...nodes) => [
  { first: 0, last: 5_460, nodes: [nodes[0]] },
  { first: 5_461, last: 10_922, nodes: [nodes[1]] },
  { first: 10_923, last: 16_383, nodes: [nodes[2]] },
];
const BEFORE = layoutOf(0, 1, 2);
const AFTER = layoutOf(3, 4, 5);

/** Runs `use` with a client that knows the door only by its name. */
function onMovingCluster(use) {
  const state = { isShut: false, asked: 0 };
  const setup = {
    primaries: 7,
    script: ([name, key], { node }) => {
      if (name === 'GET' || name === 'SET') return resp.bulk(`node ${node}`);
      if (name !== 'CLUSTER' || key.toUpperCase() !== 'SLOTS' || node !== DOOR) return undefined;
      state.asked += 1;
      return state.isShut ? resp.error('ERR it is shut') : undefined;
    },
    prepare: (cluster) => {
      cluster.layout = BEFORE;
      const { port } = cluster.nodes[DOOR];
      setup.options.rootNodes = [{ socket: { host: 'localhost', port } }];
    },
    options: { defaults: { socket: { reconnectStrategy: 20 } } },
  };
  return onScriptedCluster(setup, (context) => use({ ...context, state }));
}

/** Returns when the client has noticed: what it writes before that may be lost. */
async function takeDown({ cluster, events }, nodes) {
  const before = events.length;
  await Promise.all(nodes.map((node) => cluster.nodes[node].close()));
  const lost = () => events.slice(before).filter(([name]) => name === 'node-error');
  const isMissed = (node) => lost().some(([, , { port }]) => port === cluster.nodes[node].port);
  await until(() => nodes.every(isMissed), 'they are missed');
}

/** Back on their ports. */
const bringBack = (cluster, nodes) =>
  Promise.all(nodes.map((node) => cluster.nodes[node].listen(cluster.nodes[node].port)));
const errorsOf = (events) => events.filter(([name]) => name === 'error').map(([, error]) => error);
const mastersOf = (client, cluster) =>
  client.masters.map(({ port }) => cluster.nodes.findIndex((node) => node.port === port)).sort();
const ownerOfB = (client, cluster) =>
  cluster.nodes.findIndex(({ port }) => port === client.slots[SLOTS.b].master.port);

test('the cluster is elsewhere: found by the root node at one look, and nobody is told of an error', async () => {
  await onMovingCluster(async (context) => {
    const { cluster, client, events, state } = context;
    assert.equal(await client.get('b'), 'node 0');
    assert.deepEqual(mastersOf(client, cluster), [0, 1, 2]);
    const { asked } = state;
    cluster.layout = AFTER;
    await takeDown(context, [0, 1, 2]);
    const waiting = ['b', 'c', 'a'].map((key) => client.set(key, '1'));
    assert.deepEqual(await Promise.all(waiting), ['node 3', 'node 4', 'node 5']);
    assert.deepEqual(mastersOf(client, cluster), [3, 4, 5]);
    assert.equal(ownerOfB(client, cluster), 3);
    assert.ok(state.asked > asked, 'the root node was asked');
    assert.deepEqual(errorsOf(events), []);
    await until(() => {
      const ready = events.filter(([name]) => name === 'node-ready').map(([, { port }]) => port);
      return [3, 4, 5].every((node) => ready.includes(cluster.nodes[node].port));
    }, 'all of them are connected');
    // What is gone is forgotten: nobody tries to connect to it any more.
    const failures = () => events.filter(([name]) => name === 'node-error').length;
    await until(async () => {
      const before = failures();
      await sleep(200);
      return failures() === before;
    }, 'the old nodes are left alone');
    assert.equal(await client.get('b'), 'node 3');
  });
});

test('nobody can say where it is for a while: one error for each outage', async () => {
  await onMovingCluster(async (context) => {
    const { cluster, client, events, state } = context;
    assert.equal(await client.get('b'), 'node 0');
    const outage = async (from, to, layout, told) => {
      state.isShut = true;
      cluster.layout = layout;
      await takeDown(context, from);
      const { asked } = state;
      const waiting = client.set('b', '1');
      await until(() => state.asked >= asked + 4, 'it is looked for again and again');
      assert.equal(errorsOf(events).length, told);
      const error = errorsOf(events).at(-1);
      assert.ok(
        error.errors.some(({ message }) => message === 'ERR it is shut'),
        String(error.errors),
      );
      state.isShut = false;
      assert.equal(await waiting, `node ${to}`);
      assert.equal(ownerOfB(client, cluster), to);
    };
    await outage([0, 1, 2], 3, AFTER, 1);
    await bringBack(cluster, [0, 1, 2]);
    await outage([3, 4, 5], 0, BEFORE, 2);
    assert.equal(await client.get('c'), 'node 1');
    assert.equal(errorsOf(events).length, 2);
  });
});

test('the same nodes come back: nothing but their connections is new', async () => {
  await onMovingCluster(async (context) => {
    const { cluster, client, events, state } = context;
    state.isShut = true;
    await takeDown(context, [0, 1, 2]);
    const keys = Array.from({ length: 30 }, (_, index) => `{b}${index}`);
    const waiting = keys.map((key) => client.set(key, '1'));
    await until(() => errorsOf(events).length > 0, 'it is missed');
    await bringBack(cluster, [0, 1, 2]);
    assert.deepEqual(
      await Promise.all(waiting),
      keys.map(() => 'node 0'),
    );
    assert.deepEqual(
      userCommands(cluster.nodes[0]).map(([, key]) => key),
      keys,
    );
    assert.deepEqual(mastersOf(client, cluster), [0, 1, 2]);
    assert.equal(errorsOf(events).length, 1);
  });
});

test('one node of three is gone for good: others say who has its slots, no root node is asked', async () => {
  await onMovingCluster(async (context) => {
    const { cluster, client, events, state } = context;
    await until(() => [0, 1, 2].every((node) => cluster.nodes[node].connections.size > 0));
    const { asked } = state;
    await takeDown(context, [0]);
    const waiting = client.set('b', '1');
    await sleep(300);
    cluster.layout = [{ ...BEFORE[0], nodes: [3] }, ...BEFORE.slice(1)];
    assert.equal(await waiting, 'node 3');
    assert.deepEqual(mastersOf(client, cluster), [1, 2, 3]);
    assert.equal(state.asked, asked);
    assert.deepEqual(errorsOf(events), []);
  });
});
