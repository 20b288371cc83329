// Commands that are for one node, on scripted nodes: they go there and nowhere else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, ours, SLOTS, until, userCommands } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP } from './support/scripted-server.mjs';

const ADDRESSED = (node) => resp.bulk(`node ${node}`);
const answering = ([name], { node }) => (name === 'GET' || name === 'SET' ? ADDRESSED(node) : undefined);
const nodeOf = (cluster, client, index) => client.nodeByAddress.get(cluster.address(index));

test('each node gets its own, whatever the key', async () => {
  await onScriptedCluster({ script: answering, replicasPerPrimary: 1, options: { useReplicas: true } }, async ({ cluster, client }) => {
    for (let index = 0; index < cluster.nodes.length; index++) {
      const one = nodeOf(cluster, client, index).client;
      assert.deepEqual(await Promise.all([one.get('a'), one.set('b', 'x'), one.get('c')]), Array(3).fill(`node ${index}`));
      assert.equal(userCommands(cluster.nodes[index]).length, 3);
    }
  });
});

test('MOVED and ASK are answers, and the layout is not changed by them', async () => {
  const script = ([name, key], { cluster }) => {
    if (name !== 'GET') return undefined;
    return resp.error(`${key === 'a' ? 'MOVED' : 'ASK'} ${SLOTS[key]} ${cluster.address(2)}`);
  };
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const one = nodeOf(cluster, client, 0).client;
    await assert.rejects(one.get('a'), { message: `MOVED ${SLOTS.a} ${cluster.address(2)}` });
    await assert.rejects(one.get('b'), { message: `ASK ${SLOTS.b} ${cluster.address(2)}` });
    assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
    assert.equal(userCommands(cluster.nodes[2]).length, 0);
  });
});

test('a read that was lost with the connection is sent again to the same node, a write is not', async () => {
  let lost = 0;
  const script = ([name], { node }) => {
    if (name !== 'GET' && name !== 'SET') return undefined;
    return lost++ === 0 ? HANG_UP : ADDRESSED(node);
  };
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const one = nodeOf(cluster, client, 1).client;
    assert.equal(await one.get('a'), 'node 1');
    lost = 0;
    await assert.rejects(one.set('a', 'x'), ours.SocketClosedUnexpectedlyError);
    assert.equal(await one.set('a', 'x'), 'node 1');
    assert.equal(one.socketEpoch, 3);
  });
});

test('a node that leaves the cluster: its clients are closed', async () => {
  await onScriptedCluster({ script: answering }, async ({ cluster, client }) => {
    const node = nodeOf(cluster, client, 2);
    const { client: one } = node;
    assert.equal(await one.get('a'), 'node 2');
    cluster.layout = [{ first: 0, last: 9_999, nodes: [0] }, { first: 10_000, last: 16_383, nodes: [1] }];
    cluster.nodes[2].dropConnections();
    await until(() => client.nodeByAddress.size === 2, 'it has left');
    await until(() => !one.isOpen, 'its client says so');
    await assert.rejects(one.get('a'), ours.ClientClosedError);
    await assert.rejects((await client.nodeClient(node)).get('a'), ours.ClientClosedError);
    assert.equal(await nodeOf(cluster, client, 0).client.get('a'), 'node 0');
  });
});
