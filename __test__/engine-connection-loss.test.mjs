// When a connection is lost: what may have run is not sent again, what cannot have run is, and so is
// what only reads. Judged by what the servers received.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CuttingProxy } from './support/cutting-proxy.mjs';
import {
  assertNoStrayAnswers,
  createCluster,
  onScriptedCluster,
  ours,
  outcomes,
  quietly,
  recordEvents,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP, SILENCE } from './support/scripted-server.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

/** Answers everything, but node 0 keeps silent while `state.silent`. */
function answering(state = {}) {
  return ([name, ...args], { node }) => {
    if (name === 'ECHO') return resp.bulk(args[0]);
    if (!['GET', 'SET', 'INCR'].includes(name)) return undefined;
    if (node === 0 && state.silent) return SILENCE;
    return name === 'GET'
      ? resp.bulk(args[0])
      : name === 'INCR'
        ? resp.number(1)
        : resp.simple('OK');
  };
}

function isConnectionLoss(error) {
  return error instanceof ours.SocketClosedUnexpectedlyError || error.code === 'ECONNRESET';
}

/** Nobody listens at the node's port until `listen(node.port)`. */
const takeDown = (node) => node.close();
const bringBack = (node) => node.listen(node.port);

test('written: writes are rejected and sent once, reads are sent again', async () => {
  const state = { silent: true };
  await onScriptedCluster({ script: answering(state) }, async ({ cluster, client, events }) => {
    const [node, other] = cluster.nodes;
    const writes = ['{b}1', '{b}2', '{b}3'].map((key) => client.incr(key));
    const reads = ['{b}4', '{b}5'].map((key) => client.get(key));
    const elsewhere = client.incr('c');
    await until(() => userCommands(node).length === 5);
    state.silent = false;
    node.dropConnections();
    const { values, errors } = await outcomes(writes);
    assert.deepEqual(values, []);
    assert.ok(errors.every(isConnectionLoss), String(errors));
    assert.deepEqual(await Promise.all(reads), ['{b}4', '{b}5']);
    assert.equal(await elsewhere, 1);
    assert.deepEqual(userCommands(node), [
      ['INCR', '{b}1'],
      ['INCR', '{b}2'],
      ['INCR', '{b}3'],
      ['GET', '{b}4'],
      ['GET', '{b}5'],
      ['GET', '{b}4'],
      ['GET', '{b}5'],
    ]);
    assert.equal(userCommands(other).length, 1);
    assert.ok(events.some(([name, error]) => name === 'node-error' && isConnectionLoss(error)));
    await assertNoStrayAnswers(client, 'b');
  });
});

test('never written: sent after reconnect, once and in order', async () => {
  await onScriptedCluster({ script: answering() }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    await takeDown(node);
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    const keys = Array.from({ length: 100 }, (_, index) => `{b}${index}`);
    const queued = keys.map((key) => client.incr(key));
    assert.equal(await client.incr('c'), 1);
    await bringBack(node);
    assert.deepEqual(
      await Promise.all(queued),
      keys.map(() => 1),
    );
    assert.deepEqual(
      userCommands(node),
      keys.map((key) => ['INCR', key]),
    );
    assert.ok(
      events.some(([name, error]) => name === 'node-error' && error.code === 'ECONNREFUSED'),
    );
  });
});

test('cut within a command: it cannot have run, and is sent again', async () => {
  /** More than the buffers of both sockets take: it cannot have left the client as a whole. */
  const value = 'v'.repeat(30 << 20);
  let proxy;
  const prepare = async (cluster) => {
    proxy = await new CuttingProxy(cluster.nodes[0].port).listen();
    const ports = cluster.nodes.map(({ port }, node) => (node === 0 ? proxy.port : port));
    cluster.announce = (node) => ['127.0.0.1', ports[node]];
  };
  const use = async ({ cluster, client }) => {
    assert.equal(await client.incr('b'), 1);
    proxy.cutAfter = 1 << 20;
    assert.equal(await client.set('b', value), 'OK');
    assert.equal(proxy.cuts, 1);
    const received = cluster.nodes[0].commands('SET');
    assert.equal(received.length, 1);
    // Not by assert.equal, which would print both.
    assert.ok(received[0][2] === value);
  };
  await onScriptedCluster({ script: answering(), prepare }, use).finally(() => proxy?.close());
});

test('cut within an answer: half of it is no answer', async () => {
  const seen = { GET: 0, SET: 0 };
  const script = ([name, key]) => {
    if (name === 'ECHO') return resp.bulk(key);
    if (!(name in seen)) return undefined;
    seen[name] += 1;
    if (seen[name] === 1) return [name === 'GET' ? '$5\r\nhel' : '+O', HANG_UP];
    return name === 'GET' ? resp.bulk('hello') : resp.simple('OK');
  };
  await onScriptedCluster({ script }, async ({ client }) => {
    await assert.rejects(client.set('b', '1'), isConnectionLoss);
    assert.equal(await client.get('b'), 'hello');
    assert.deepEqual(seen, { GET: 2, SET: 1 });
    await assertNoStrayAnswers(client, 'b');
  });
});

test('a connection that is lost with every attempt: reads end, too', async () => {
  const script = ([name]) => (name === 'GET' ? [HANG_UP] : undefined);
  const options = { maxCommandRedirections: 3 };
  await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
    await assert.rejects(client.get('b'), isConnectionLoss);
    assert.equal(cluster.nodes[0].commands('GET').length, 4);
  });
});

for (const [what, answer, isReplied] of [
  ['bytes that are not RESP', '@nonsense\r\n', false],
  ['a length that is no number', '$five\r\nhello\r\n', false],
  ['two answers to one command', '+first\r\n+second\r\n', true],
]) {
  test(`${what} from one node: its connection ends, the others go on`, async () => {
    const ordinary = answering();
    const script = (args, context) =>
      args[0] === 'SET' && context.node === 0 ? answer : ordinary(args, context);
    await onScriptedCluster({ script }, async ({ cluster, client, events }) => {
      const others = Array.from({ length: 200 }, (_, index) => client.incr(`{c}${index}`));
      const bad = client.set('b', '1');
      if (isReplied) assert.equal(await bad, 'first');
      else await assert.rejects(bad, /^Error: Protocol error: /);
      await Promise.all(others);
      const isProtocolError = ([name, error]) =>
        name === 'node-error' && /Protocol error/.test(error.message);
      await until(() => events.some(isProtocolError));
      const errors = events.filter(([name]) => name === 'node-error');
      assert.ok(
        errors.every(([, , { port }]) => port === cluster.nodes[0].port),
        String(errors),
      );
      assert.equal(cluster.nodes[0].commands('SET').length, 1);
      await assertNoStrayAnswers(client, 'b');
      assert.equal(await client.incr('b'), 1);
    });
  });
}

withAnyServer((server) => {
  // With a primary gone, the others go on.
  const running = sharedCluster(server, { args: ['--cluster-require-full-coverage', 'no'] });

  test('a server is killed under load: every command ends, and none ran twice', async () => {
    const cluster = running();
    const client = createCluster({
      rootNodes: cluster.seeds,
      commandOptions: { timeout: 300 },
      defaults: { socket: { reconnectStrategy: 20 } },
    });
    recordEvents(client);
    await client.connect();
    try {
      const keys = { a: [], b: [], c: [] };
      const submit = () => {
        for (const key of Object.keys(keys)) keys[key].push(quietly(client.incr(key)));
      };
      for (let round = 0; round < 100; round++) {
        for (let count = 0; count < 20; count++) submit();
        if (round === 50) await cluster.kill(cluster.primaries[0]);
        await new Promise(setImmediate);
      }
      const dead = await outcomes(keys.b);
      assert.equal(dead.values.length + dead.errors.length, 2_000);
      assert.ok(dead.values.length > 0 && dead.errors.length > 0);
      const expected = (error) => isConnectionLoss(error) || error instanceof ours.TimeoutError;
      assert.deepEqual(
        dead.errors.filter((error) => !expected(error)),
        [],
      );
      assert.deepEqual(
        dead.values,
        dead.values.map((_, index) => index + 1),
      );
      for (const key of ['a', 'c']) {
        const { values, errors } = await outcomes(keys[key]);
        assert.deepEqual([values.length, errors], [2_000, []]);
        assert.deepEqual(
          values,
          values.map((_, index) => index + 1),
        );
      }
    } finally {
      client.destroy();
    }
  });
});
