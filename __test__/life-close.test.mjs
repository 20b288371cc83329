// close({ timeout }): what is answered in time is delivered, the rest is rejected, and then it is over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onScriptedCluster, ours, quietly, until, userCommands } from './support/engine-client.mjs';
import { refusing, TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const TIMEOUT_MS = 200;
const IN_FLIGHT = 100;

/** Node 0 never answers, node 1 does so when `state.held` is kept, node 2 does at once. */
const answering = (state) => ([name, key], { node }) => {
  if (name !== 'SET') return undefined;
  if (node === 0) return SILENCE;
  return node === 1 ? state.held.then(() => resp.bulk(key)) : resp.bulk(key);
};

function held() {
  const state = {};
  state.held = new Promise((resolve) => (state.release = resolve));
  return state;
}

const setAll = (client, key) =>
  Array.from({ length: IN_FLIGHT }, (_, index) => quietly(client.set(`{${key}}${index}`, '1')));

async function assertCutOff(promises) {
  const settled = await Promise.allSettled(promises);
  for (const { reason } of settled) {
    assert.ok(reason instanceof ours.DisconnectsClientError, String(reason));
  }
}

function assertTook(begin) {
  const took = performance.now() - begin;
  assert.ok(took >= TIMEOUT_MS - 5 && took < TIMEOUT_MS + 1_500, `${took} ms`);
}

test('answers that come in time are delivered, the rest is rejected when the time is over', async () => {
  const state = held();
  await onScriptedCluster({ script: answering(state) }, async ({ cluster, client }) => {
    let disconnects = 0;
    client.on('disconnect', () => (disconnects += 1));
    const [never, late, soon] = ['b', 'c', 'a'].map((key) => setAll(client, key));
    const begin = performance.now();
    const closing = client.close({ timeout: TIMEOUT_MS });
    await assert.rejects(client.set('a', '1'), ours.ClientClosedError);
    assert.equal(client.isOpen, false);
    let isOver = false;
    closing.then(() => (isOver = true));
    await until(() => userCommands(cluster.nodes[1]).length === IN_FLIGHT, 'all are written');
    state.release();
    const keys = (key) => never.map((_, index) => `{${key}}${index}`);
    assert.deepEqual(await Promise.all(late), keys('c'));
    assert.deepEqual(await Promise.all(soon), keys('a'));
    assert.equal(isOver, false);
    await closing;
    assertTook(begin);
    assert.equal(disconnects, 1);
    await assertCutOff(never);
    await until(() => cluster.nodes.every(({ connections }) => connections.size === 0));
  });
});

test('all is answered in time: it is over at once', async () => {
  const state = held();
  await onScriptedCluster({ script: answering(state) }, async ({ cluster, client }) => {
    const commands = [...setAll(client, 'c'), ...setAll(client, 'a')];
    let isOver = false;
    const closing = client.close({ timeout: 60_000 }).then(() => (isOver = true));
    await until(() => userCommands(cluster.nodes[1]).length === IN_FLIGHT, 'all are written');
    assert.equal(isOver, false);
    state.release();
    await Promise.all(commands);
    await until(() => isOver, 'it is over');
    await closing;
  });
});

test('what waits for a node that is down, or to be tried again, is rejected too', async () => {
  const script = refusing((key) => (key === 'c' ? TRYAGAIN : undefined));
  await onScriptedCluster({ script }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'), 'it is down');
    const refused = quietly(client.set('c', '1'));
    await until(() => userCommands(cluster.nodes[1]).length >= 3, 'it waits');
    const waiting = [refused, client.set('{c}behind', '1'), client.set('b', '1')].map(quietly);
    const begin = performance.now();
    await client.close({ timeout: TIMEOUT_MS });
    assertTook(begin);
    await assertCutOff(waiting);
    await until(() => cluster.nodes[1].connections.size === 0, 'all that was sent has arrived');
    const { length } = userCommands(cluster.nodes[1]);
    await client.connect();
    assert.equal(await client.set('a', '1'), 'OK');
    assert.equal(userCommands(cluster.nodes[1]).length, length, 'nothing of it is sent later');
  });
});

test('many that are tried again and again: all are rejected in the same way', async () => {
  const script = refusing(() => TRYAGAIN);
  for (let round = 0; round < 25; round++) {
    await onScriptedCluster({ script }, async ({ cluster, client }) => {
      // Of as many slots, so that there is always one that is just being tried.
      const keys = Array.from({ length: 500 }, (_, index) => `key ${index}`);
      const commands = keys.map((key) => quietly(client.set(key, '1')));
      await until(() => cluster.nodes.every((node) => userCommands(node).length > 300));
      await client.close({ timeout: 20 + round });
      await assertCutOff(commands);
    });
  }
});

test('timeout 0: nothing is waited for, but what is answered already is delivered', async () => {
  const state = held();
  await onScriptedCluster({ script: answering(state) }, async ({ client }) => {
    assert.equal(await client.set('a', '1'), 'a');
    const never = setAll(client, 'b');
    await client.close({ timeout: 0 });
    await assertCutOff(never);
  });
});

test('without a timeout, or with undefined, there is no limit; destroy() ends the waiting', async () => {
  for (const args of [[], [{}], [{ timeout: undefined }], [{ timeout: Infinity }]]) {
    const state = held();
    await onScriptedCluster({ script: answering(state) }, async ({ cluster, client }) => {
      const never = setAll(client, 'b');
      let isOver = false;
      const closing = client.close(...args).then(() => (isOver = true));
      await until(() => userCommands(cluster.nodes[0]).length === IN_FLIGHT, 'all are written');
      await sleep(TIMEOUT_MS);
      assert.equal(isOver, false);
      client.destroy();
      await closing;
      await assertCutOff(never);
    });
  }
});

test('what is no time is refused by name, and nothing is closed', async () => {
  await onScriptedCluster({ script: answering(held()) }, async ({ client }) => {
    for (const timeout of [-1, NaN, '100', null, true, {}, -Infinity]) {
      await assert.rejects(client.close({ timeout }), (error) => {
        assert.ok(error instanceof TypeError, String(error));
        assert.match(error.message, /timeout/);
        return true;
      });
      assert.equal(client.isOpen, true);
      assert.equal(await client.set('a', '1'), 'a');
    }
  });
});

test('a client that was never opened, and one that is closed', async () => {
  await onScriptedCluster({ script: answering(held()) }, async ({ client }) => {
    await client.duplicate().close({ timeout: TIMEOUT_MS });
    await client.close({ timeout: TIMEOUT_MS });
    await client.close({ timeout: TIMEOUT_MS });
    await client.connect();
    assert.equal(await client.set('a', '1'), 'a');
  });
});
