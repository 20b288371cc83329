// The end of a client in the midst of things: what was accepted is answered, each command once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createCluster,
  onScriptedCluster,
  ours,
  outcomes,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const IN_FLIGHT = 1_000;
const KEYS = Array.from({ length: IN_FLIGHT }, (_, index) => `{${'abc'[index % 3]}}${index}`);

test('close() lets everything that is in flight finish, then the connections end', async () => {
  const script = ([name, key]) => (name === 'SET' ? [1, resp.bulk(key)] : undefined);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    let disconnects = 0;
    client.on('disconnect', () => (disconnects += 1));
    const settled = KEYS.map(() => 0);
    const commands = KEYS.map((key, at) => client.set(key, 'v').finally(() => (settled[at] += 1)));
    const closing = client.close();
    await assert.rejects(client.get('a'), ours.ClientClosedError);
    assert.equal(client.isOpen, false);
    await closing;
    assert.deepEqual(await Promise.all(commands), KEYS);
    assert.deepEqual(
      settled,
      KEYS.map(() => 1),
    );
    assert.equal(disconnects, 1);
    const received = cluster.nodes.flatMap((node) => userCommands(node));
    assert.equal(received.length, IN_FLIGHT);
    await until(() => cluster.nodes.every((node) => node.connections.size === 0));
  });
});

test('close() waits no longer for a node that is down than its commands do', async () => {
  const script = ([name]) => (name === 'INCR' ? resp.number(1) : undefined);
  await onScriptedCluster({ script }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    const hurried = outcomes([client.withCommandOptions({ timeout: 100 }).incr('b')]);
    const startedAt = performance.now();
    await client.close();
    assert.ok(performance.now() - startedAt < 1_000);
    assert.ok((await hurried).errors[0] instanceof ours.TimeoutError);
  });
});

test('destroy() rejects everything that is in flight, at once', async () => {
  const script = ([name]) => (name === 'SET' ? SILENCE : undefined);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const commands = outcomes(KEYS.map((key) => client.set(key, 'v')));
    await until(() => cluster.nodes.every((node) => userCommands(node).length > 0));
    client.destroy();
    const startedAt = performance.now();
    const { values, errors } = await commands;
    assert.ok(performance.now() - startedAt < 100);
    assert.deepEqual(values, []);
    assert.equal(errors.length, IN_FLIGHT);
    assert.ok(
      errors.every((error) => error instanceof ours.DisconnectsClientError),
      String(errors[0]),
    );
    await assert.rejects(client.get('a'), ours.ClientClosedError);
    await until(() => cluster.nodes.every((node) => node.connections.size === 0));
  });
});

test('destroy() in the tick of the commands: none is left without an answer', async () => {
  const script = ([name, key]) => (name === 'SET' ? resp.bulk(key) : undefined);
  await onScriptedCluster({ script }, async ({ client }) => {
    const commands = KEYS.map((key) => client.set(key, 'v'));
    client.destroy();
    const { values, errors } = await outcomes(commands);
    assert.equal(values.length + errors.length, IN_FLIGHT);
    assert.ok(
      errors.every((error) => error instanceof ours.DisconnectsClientError),
      String(errors[0]),
    );
  });
});

test('destroy() after every moment of the traffic: answers are right or missing, never wrong', async () => {
  const script = ([name, key]) => (name === 'SET' ? resp.bulk(key) : undefined);
  const cluster = await startScriptedCluster({ script });
  const client = createCluster({ rootNodes: cluster.seeds });
  try {
    let answered = 0;
    let unanswered = 0;
    for (let turns = 0; turns < 30; turns++) {
      await client.connect();
      const commands = Promise.allSettled(KEYS.slice(0, 300).map((key) => client.set(key, 'v')));
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      client.destroy();
      for (const [at, { status, value, reason }] of (await commands).entries()) {
        if (status === 'fulfilled') assert.equal(value, KEYS[at]);
        else assert.ok(reason instanceof ours.DisconnectsClientError, String(reason));
        if (status === 'fulfilled') answered += 1;
        else unanswered += 1;
      }
    }
    assert.ok(answered > 0 && unanswered > 0, `${answered} answered, ${unanswered} not`);
  } finally {
    client.destroy();
    await cluster.close();
  }
});

for (const end of ['destroy', 'close']) {
  for (const slow of ['HELLO', 'CLUSTER']) {
    test(`${end}() during connect(), which waits for ${slow}`, async () => {
      let isSilent = true;
      const script = ([name], { node }) => {
        if (name === slow && isSilent) return SILENCE;
        return name === 'GET' ? resp.bulk(String(node)) : undefined;
      };
      const cluster = await startScriptedCluster({ script });
      const client = createCluster({ rootNodes: cluster.seeds });
      try {
        const connecting = assert.rejects(client.connect(), { message: 'Cluster closed' });
        await until(() => cluster.nodes.some((node) => node.commands(slow).length > 0));
        await assert.rejects(client.get('a'), ours.ClientOfflineError);
        await client[end]();
        await connecting;
        assert.deepEqual([client.isOpen, client.isReady], [false, false]);
        await until(() => cluster.nodes.every((node) => node.connections.size === 0));
        isSilent = false;
        await client.connect();
        assert.equal(await client.get('a'), '2');
      } finally {
        client.destroy();
        await cluster.close();
      }
    });
  }
}
