// `timeout` and `abortSignal` end a command only before it is written; afterwards it takes its time.

import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertNoStrayAnswers,
  assignSlot,
  hideLastNode,
  onScriptedCluster,
  ours,
  SLOTS,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const TIMEOUT_MS = 120;
const DEFAULT_TIMEOUT_MS = 5_000;

const script = ([name, key]) => {
  if (name === 'ECHO') return resp.bulk(key);
  if (name === 'SET') return [3 * TIMEOUT_MS, resp.simple('OK')];
  return name === 'INCR' ? resp.number(1) : undefined;
};

/** Runs `use` while nobody listens at node 0's port; brings it back when `use` calls for it. */
function withNodeDown(use, options) {
  return onScriptedCluster({ script, options }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() =>
      events.some(([name, error]) => name === 'node-error' && error.code === 'ECONNREFUSED'),
    );
    await use({ cluster, client, node, bringBack: () => node.listen(node.port) });
  });
}

/** How a command that is to be rejected ends. */
async function rejection(promise) {
  const startedAt = performance.now();
  const error = await promise.then(
    () => assert.fail('it was answered'),
    (reason) => reason,
  );
  return { error, took: performance.now() - startedAt };
}

test('a node that is down: rejected after its timeout, and never sent', async () => {
  await withNodeDown(async ({ client, node, bringBack }) => {
    const hurried = client.withCommandOptions({ timeout: TIMEOUT_MS });
    const { error, took } = await rejection(hurried.incr('b'));
    assert.ok(error instanceof ours.TimeoutError, String(error));
    assert.ok(took >= TIMEOUT_MS - 5 && took < TIMEOUT_MS + 500, `${took} ms`);
    await bringBack();
    assert.equal(await client.incr('{b}later'), 1);
    assert.deepEqual(userCommands(node), [['INCR', '{b}later']]);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('each command has its own timeout', async () => {
  await withNodeDown(async ({ client }) => {
    const order = [];
    const timeouts = [300, 50, 200, 100];
    await Promise.all(
      timeouts.map(async (timeout) => {
        await assert.rejects(client.withCommandOptions({ timeout }).incr('b'), ours.TimeoutError);
        order.push(timeout);
      }),
    );
    assert.deepEqual(order, [50, 100, 200, 300]);
  });
});

test('timeout 0 or undefined waits until the node is back; 5000 ms are the default', async () => {
  await withNodeDown(async ({ client, node, bringBack }) => {
    const patient = [0, undefined].map((timeout) =>
      client.withCommandOptions({ timeout }).incr('{b}patient'),
    );
    const { error, took } = await rejection(client.incr('{b}default'));
    assert.ok(error instanceof ours.TimeoutError, String(error));
    assert.ok(took >= DEFAULT_TIMEOUT_MS - 5 && took < DEFAULT_TIMEOUT_MS + 1_000, `${took} ms`);
    await bringBack();
    assert.deepEqual(await Promise.all(patient), [1, 1]);
    assert.deepEqual(userCommands(node), [
      ['INCR', '{b}patient'],
      ['INCR', '{b}patient'],
    ]);
  });
});

test('written and not answered: no timeout, and no abort', async () => {
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const controller = new AbortController();
    const options = { timeout: TIMEOUT_MS, abortSignal: controller.signal };
    const slow = client.withCommandOptions(options).set('b', '1');
    await until(() => userCommands(cluster.nodes[0]).length === 1);
    controller.abort();
    assert.equal(await slow, 'OK');
  });
});

test('aborted before it is written: rejected at once, and never sent', async () => {
  await withNodeDown(async ({ client, node, bringBack }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const abortable = client.withCommandOptions({ abortSignal: signal });
    const aborted = ['{b}1', '{b}2'].map((key) => rejection(abortable.incr(key)));
    const kept = client.incr('{b}3');
    await sleep(30);
    controller.abort();
    for (const { error, took } of await Promise.all(aborted)) {
      assert.ok(error instanceof ours.AbortError, String(error));
      assert.ok(took < 500, `${took} ms`);
    }
    const { error } = await rejection(abortable.incr('{b}4'));
    assert.ok(error instanceof ours.AbortError, String(error));
    await bringBack();
    assert.equal(await kept, 1);
    assert.deepEqual(userCommands(node), [['INCR', '{b}3']]);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('aborted in the tick in which it was given: answered or aborted, not both', async () => {
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const controller = new AbortController();
    const { signal } = controller;
    setMaxListeners(0, signal);
    const commands = Array.from({ length: 100 }, (_, index) =>
      client.withCommandOptions({ abortSignal: signal }).incr(`{b}${index}`),
    );
    controller.abort();
    const settled = await Promise.allSettled(commands);
    const answered = settled.filter(({ status }) => status === 'fulfilled').length;
    assert.equal(userCommands(cluster.nodes[0]).length, answered);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('held back behind an older command of a slot that moved: timeout and abort work there, too', async () => {
  const state = {};
  const moving = ([name, key], { node, cluster }) => {
    if (name === 'ECHO') return resp.bulk(key);
    if (name !== 'INCR') return undefined;
    if (node !== 0) return resp.number(node);
    state.seen = (state.seen ?? 0) + 1;
    // The first one is told where to go; of the second one nothing is ever heard.
    return state.seen === 1 ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`) : SILENCE;
  };
  await onScriptedCluster({ script: moving }, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 1);
    const first = client.incr('{b}1');
    const unanswered = client.incr('{b}2');
    assert.equal(await first, 1);
    const controller = new AbortController();
    const hurried = rejection(client.withCommandOptions({ timeout: TIMEOUT_MS }).incr('{b}3'));
    const abortable = rejection(
      client.withCommandOptions({ abortSignal: controller.signal }).incr('{b}4'),
    );
    // In the tick in which it was given, too; often, because the engine may just be looking.
    for (let count = 0; count < 50; count++) {
      const sudden = new AbortController();
      const aborted = rejection(
        client.withCommandOptions({ abortSignal: sudden.signal }).incr('{b}now'),
      );
      sudden.abort();
      const { error: reason } = await aborted;
      assert.ok(reason instanceof ours.AbortError, String(reason));
    }
    const patient = client.incr('{b}5');
    const { error, took } = await hurried;
    assert.ok(error instanceof ours.TimeoutError, String(error));
    assert.ok(took < TIMEOUT_MS + 500, `${took} ms`);
    controller.abort();
    assert.ok((await abortable).error instanceof ours.AbortError);
    // What was held goes on when the older command has ended, however it ended.
    cluster.nodes[0].dropConnections();
    await assert.rejects(unanswered);
    assert.equal(await patient, 1);
    assert.deepEqual(
      userCommands(cluster.nodes[1]).map(([, key]) => key),
      ['{b}1', '{b}5'],
    );
  });
});

test('redirected to a node that cannot be reached: the timeout still counts', async () => {
  const unreachable = ([name], { node, cluster }) =>
    name === 'INCR' && node === 0
      ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(3)}`)
      : undefined;
  const prepare = async (cluster) => {
    hideLastNode(cluster);
    await cluster.nodes[3].close();
  };
  await onScriptedCluster(
    { script: unreachable, primaries: 4, prepare },
    async ({ cluster, client }) => {
      assignSlot(cluster, SLOTS.b, 3);
      const { error, took } = await rejection(
        client.withCommandOptions({ timeout: TIMEOUT_MS }).incr('b'),
      );
      assert.ok(error instanceof ours.TimeoutError, String(error));
      assert.ok(took < TIMEOUT_MS + 500, `${took} ms`);
      assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    },
  );
});
