// Addresses are used again: a node that is not the one that the topology names at its address is sent
// no command.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const OTHER_ID = 'c0ffee'.padStart(40, '0');

const script = ([name, key], { node }) => {
  if (name === 'ECHO') return resp.bulk(key);
  return name === 'GET' || name === 'SET' ? resp.bulk(`node ${node}: ${key}`) : undefined;
};

const wrongNode = (events, port) =>
  events.filter(([name, error, at]) => {
    return name === 'node-error' && at.port === port && error.message.includes(OTHER_ID);
  });

/** Node 0 says that it is somebody else from now on, and its connections are cut. */
async function replaceNode({ cluster, events }) {
  const [node] = cluster.nodes;
  cluster.myId = (asked) => (asked === 0 ? OTHER_ID : cluster.idOf(asked));
  node.dropConnections();
  await until(() => wrongNode(events, node.port).length > 0, 'it is found out');
  return node;
}

test('another node at the address after a reconnect: nothing is written to it', async () => {
  await onScriptedCluster({ script }, async (context) => {
    const { cluster, client, events } = context;
    const expected = cluster.idOf(0);
    assert.equal(await client.get('b'), 'node 0: b');
    const node = await replaceNode(context);
    const [[, error]] = wrongNode(events, node.port);
    assert.ok(error.message.includes(expected) && error.message.includes(OTHER_ID), error.message);
    const keys = ['{b}1', '{b}2', '{b}3'];
    const waiting = keys.map((key, at) => client[at % 2 ? 'get' : 'set'](key, '1'));
    const hurried = client.withCommandOptions({ timeout: 100 });
    await assert.rejects(hurried.set('{b}hurried', '1'), ours.TimeoutError);
    assert.equal(await client.get('c'), 'node 1: c');
    // It is tried again and again, as others are that cannot be connected to.
    const attempts = wrongNode(events, node.port).length;
    await until(() => wrongNode(events, node.port).length >= attempts + 3, 'more attempts');
    assert.deepEqual(userCommands(node), [['GET', 'b']]);

    // The cluster learns of the node's new name.
    cluster.idOf = (shown) => (shown === 0 ? OTHER_ID : expected.slice(0, -1) + shown);
    assert.deepEqual(
      await Promise.all(waiting),
      keys.map((key) => `node 0: ${key}`),
    );
    assert.deepEqual(
      userCommands(node).map(([, key]) => key),
      ['b', ...keys],
    );
    await assertNoStrayAnswers(client, 'b');
  });
});

test('what was written before the connection was lost is not sent to it again', async () => {
  const state = { isSilent: true };
  const setup = {
    script: (args, context) =>
      args[0] === 'GET' && context.node === 0 && state.isSilent ? SILENCE : script(args, context),
  };
  await onScriptedCluster(setup, async (context) => {
    const { cluster, client } = context;
    const read = client.get('{b}read');
    await until(() => userCommands(cluster.nodes[0]).length === 1, 'it is written');
    const node = await replaceNode(context);
    state.isSilent = false;
    // Its slots go to a node that is who the topology says.
    cluster.layout = [{ ...cluster.layout[0], nodes: [2] }, ...cluster.layout.slice(1)];
    assert.equal(await read, 'node 2: {b}read');
    assert.equal(await client.set('{b}write', '1'), 'node 2: {b}write');
    assert.deepEqual(userCommands(node), [['GET', '{b}read']]);
  });
});

test('another node at the address when the client connects', async () => {
  const prepare = (cluster) => {
    cluster.myId = (asked) => (asked === 0 ? OTHER_ID : cluster.idOf(asked));
  };
  await onScriptedCluster({ script, prepare }, async ({ cluster, client, events }) => {
    assert.equal(await client.get('c'), 'node 1: c');
    const [node] = cluster.nodes;
    await until(() => wrongNode(events, node.port).length > 0, 'it is found out');
    const waiting = client.set('b', '1');
    assert.equal(await client.get('a'), 'node 2: a');
    cluster.myId = (asked) => cluster.idOf(asked);
    assert.equal(await waiting, 'node 0: b');
    assert.deepEqual(userCommands(node), [['SET', 'b', '1']]);
    assert.ok(!events.some(([name, , at]) => name === 'node-error' && at.port !== node.port));
  });
});

for (const [what, answer] of [
  ['does not know CLUSTER MYID', resp.error("ERR unknown subcommand 'MYID'")],
  ['may not be asked', resp.error("NOPERM this user has no permissions to run 'cluster|myid'")],
  ['gives no id', resp.bulk('')],
  ['gives what is no id', resp.bulk('me')],
  ['gives a number', resp.number(7)],
  ['gives nothing', resp.null3],
]) {
  test(`a server that ${what} is taken for the one that it should be`, async () => {
    const setup = {
      script: (args, context) =>
        args[1]?.toUpperCase() === 'MYID' ? answer : script(args, context),
    };
    await onScriptedCluster(setup, async ({ cluster, client, events }) => {
      assert.equal(await client.get('b'), 'node 0: b');
      cluster.nodes[0].dropConnections();
      const readyCount = () => events.filter(([name]) => name === 'node-ready').length;
      await until(() => readyCount() === 4, 'it is back');
      assert.equal(await client.set('b', '1'), 'node 0: b');
      assert.ok(cluster.nodes[0].commands('CLUSTER').some(([, what]) => what === 'MYID'));
      assert.equal(events.filter(([name]) => name === 'node-error').length, 1);
      await assertNoStrayAnswers(client, 'b');
    });
  });
}

test('a layout without ids: each node is taken for the one that it should be', async () => {
  const prepare = (cluster) => {
    cluster.myId = () => OTHER_ID;
    cluster.idOf = () => '';
  };
  await onScriptedCluster({ script, prepare }, async ({ cluster, client, events }) => {
    for (const [node, key] of ['b', 'c', 'a'].entries()) {
      assert.equal(await client.get(key), `node ${node}: ${key}`);
    }
    assert.ok(cluster.nodes[0].commands('CLUSTER').some(([, what]) => what === 'MYID'));
    assert.deepEqual(events.filter(([name]) => name === 'node-error'), []);
  });
});
