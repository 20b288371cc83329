// slots, masters, replicas and nodeByAddress, made of what the engine publishes.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

const { TopologyView } = createRequire(import.meta.url)('../js/topology-view.js');

const node = (id, port, readonly = false) => ({ id, host: 'h', port, readonly });
const TOPOLOGY = {
  epoch: 1,
  nodes: [node('a', 1), node('b', 2), node('ra', 3, true)],
  shards: [
    { primary: 0, replicas: [2], ranges: [[0, 99], [200, 299]] },
    { primary: 1, replicas: [], ranges: [[100, 199]] },
  ],
};

test('before a connection everything is empty', () => {
  const view = new TopologyView(() => undefined);
  assert.equal(view.slots.length, 16384);
  assert.equal(view.slots[0], undefined);
  assert.deepEqual([view.masters, view.replicas, view.nodeByAddress.size], [[], [], 0]);
});

test('slots lead to shards, nodes have the fields of node-redis\'s in their order', () => {
  const view = new TopologyView(() => undefined);
  view.update(TOPOLOGY, true);
  const [a, b] = view.masters;
  assert.deepEqual(Object.entries(a), [['host', 'h'], ['port', 1], ['id', 'a'], ['address', 'h:1'],
    ['readonly', false], ['client', undefined], ['connectPromise', undefined]]);
  assert.equal(view.slots[0].master, a);
  assert.equal(view.slots[99], view.slots[250]);
  assert.equal(view.slots[100].master, b);
  assert.equal(view.slots[300], undefined);
  assert.deepEqual(view.slots[0].replicas, view.replicas);
  assert.equal(view.replicas[0].readonly, true);
  assert.deepEqual([...view.nodeByAddress.keys()], ['h:1', 'h:3', 'h:2']);
});

test('a node asks for its client each time', () => {
  const asked = [];
  const view = new TopologyView((node) => { asked.push(node); return { of: node.port }; });
  view.update(TOPOLOGY, true);
  assert.equal(asked.length, 0);
  const [, b] = view.masters;
  assert.deepEqual([b.client, asked], [{ of: 2 }, [b]]);
});

test('without useReplicas there are none', () => {
  const view = new TopologyView(() => undefined);
  view.update(TOPOLOGY, false);
  assert.deepEqual([view.replicas, 'replicas' in view.slots[0], view.nodeByAddress.has('h:3')], [[], false, false]);
});

test('the same epoch changes nothing; a new one keeps the nodes that stay', () => {
  const view = new TopologyView(() => undefined);
  view.update(TOPOLOGY, true);
  const { slots, masters: [a, b], replicas: [ra] } = view;
  view.update(TOPOLOGY, true);
  assert.equal(view.slots, slots);
  view.update({ epoch: 2, nodes: [node('a', 1), node('b', 2), node('c', 4)], shards: [
    { primary: 0, replicas: [1], ranges: [[0, 10]] }, { primary: 2, replicas: [], ranges: [[11, 20]] }] }, true);
  assert.equal(view.masters[0], a);
  assert.notEqual(view.replicas[0], b, 'b changed its role');
  assert.equal(view.nodeByAddress.get('h:2'), view.replicas[0]);
  assert.equal(view.nodeByAddress.has(ra.address), false);
  view.clear();
  assert.deepEqual([view.masters, view.nodeByAddress.size, view.slots[0]], [[], 0, undefined]);
  view.update(TOPOLOGY, true);
  assert.equal(view.masters.length, 2);
});
