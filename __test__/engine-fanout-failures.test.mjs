// Commands for all nodes when a node refuses, is down, is lost, leaves, or is slow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, ours, SLOTS, until, userCommands } from './support/engine-client.mjs';
import { answering, counts } from './support/fanout-nodes.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP, SILENCE } from './support/scripted-server.mjs';

test('redirects and refusals of a node are its answer: nobody else is asked', async () => {
  const state = {};
  const script = answering('DBSIZE', (node, _, { cluster }) => {
    return node === 1 ? resp.error(state.say(cluster)) : resp.number(1);
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    for (const say of [
      () => `MOVED ${SLOTS.c} ${cluster.address(0)}`,
      () => 'CLUSTERDOWN The cluster is down',
      () => 'LOADING Redis is loading the dataset in memory',
    ]) {
      Object.assign(state, { say });
      await assert.rejects(client.dbSize(), { message: say() });
    }
    assert.deepEqual(counts(cluster, 'DBSIZE'), [3, 3, 3]);
    assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
  });
});

test('a node is down: KEYS and DBSIZE end with an error in time, and go on when it is back', async () => {
  const script = (args) => {
    if (args[0] === 'KEYS') return resp.array([]);
    return args[0] === 'DBSIZE' ? resp.number(1) : undefined;
  };
  await onScriptedCluster({ script }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() => events.some(([, error]) => error?.code === 'ECONNREFUSED'));
    const hurried = client.withCommandOptions({ timeout: 80 });
    const startedAt = performance.now();
    await assert.rejects(hurried.keys('*'), ours.TimeoutError);
    await assert.rejects(hurried.dbSize(), ours.TimeoutError);
    assert.ok(performance.now() - startedAt < 1_000);
    const patient = client.dbSize();
    await node.listen(node.port);
    assert.equal(await patient, 3);
    assert.equal(userCommands(node).length, 1);
  });
});

test('a connection is lost: what reads is asked of the same node again, what writes fails', async () => {
  const state = { isCut: true };
  const script = (args, { node }) => {
    const answer = { DBSIZE: resp.number(1), FLUSHALL: resp.simple('OK') }[args[0]];
    if (answer === undefined || node !== 1 || !state.isCut) return answer;
    state.isCut = false;
    return [HANG_UP];
  };
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assert.equal(await client.dbSize(), 3);
    assert.deepEqual(counts(cluster, 'DBSIZE'), [1, 2, 1]);
    state.isCut = true;
    await assert.rejects(client.flushAll(), ours.SocketClosedUnexpectedlyError);
    assert.deepEqual(counts(cluster, 'FLUSHALL'), [1, 1, 1]);
  });
});

test('a node leaves the cluster while it is asked', async () => {
  const script = answering('DBSIZE', (node) => (node === 2 ? SILENCE : resp.number(1)));
  const options = { topologyRefreshInterval: 20 };
  await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
    const asked = client.dbSize();
    await until(() => counts(cluster, 'DBSIZE')[2] === 1);
    cluster.layout = [{ first: 0, last: 8191, nodes: [0] }, { first: 8192, last: 16_383, nodes: [1] }];
    await cluster.nodes[2].close();
    await assert.rejects(asked, ours.SocketClosedUnexpectedlyError);
    assert.equal(await client.dbSize(), 2);
  });
});

test('responseTimeout, abort and destroy() of a command for all nodes', async () => {
  const script = answering('DBSIZE', (node) => (node === 2 ? [120, resp.number(1)] : resp.number(1)));
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const hurried = client.withCommandOptions({ responseTimeout: 30 });
    await assert.rejects(hurried.dbSize(), ours.TimeoutError);
    const abort = new AbortController();
    const written = client.withCommandOptions({ abortSignal: abort.signal }).dbSize();
    await until(() => counts(cluster, 'DBSIZE')[2] === 2);
    abort.abort();
    assert.equal(await written, 3, 'what is written is not recalled');
    const ended = client.dbSize();
    client.destroy();
    await assert.rejects(ended, ours.DisconnectsClientError);
  });
});
