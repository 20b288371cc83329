// How commands that block come to an end before they are answered: deadlines, aborts, close, destroy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { blPop, element, onBlockingCluster } from './support/blocking-script.mjs';
import {
  assertNoStrayAnswers,
  ours,
  quietly,
  until,
} from './support/engine-client.mjs';
import { TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';

test('TRYAGAIN for good: when its time is over it gets what the server said; abort ends the waiting', async () => {
  const script = ([name]) => (name === 'BLPOP' ? resp.error(TRYAGAIN) : undefined);
  await onBlockingCluster({ script }, async ({ cluster, client }) => {
    const impatient = client.withCommandOptions({ timeout: 60 });
    await assert.rejects(impatient.blPop('b', 0), { message: TRYAGAIN });
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ timeout: 0, abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    const before = cluster.nodes[0].commands('BLPOP').length;
    await until(() => cluster.nodes[0].commands('BLPOP').length > before + 1);
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
  });
});

test('timeout and responseTimeout count while they wait for a connection', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    for (const commandOptions of [{ timeout: 80 }, { timeout: 0, responseTimeout: 80 }]) {
      const begin = performance.now();
      const late = client.withCommandOptions(commandOptions).blPop('{b}2', 0);
      await assert.rejects(late, ours.TimeoutError);
      const took = performance.now() - begin;
      assert.ok(took >= 75 && took < 1_000, `${took} ms`);
    }
    blocking.push('{b}1');
    assert.deepEqual(await blocked, element('{b}1'));
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1, 'they were never sent');
  });
});

test('timeout does not count while it blocks, responseTimeout does and costs the connection', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const patient = quietly(client.withCommandOptions({ timeout: 30 }).blPop('{b}1', 0));
    const late = quietly(client.withCommandOptions({ responseTimeout: 100 }).blPop('{b}2', 0));
    await until(() => blocking.blocked.length === 2);
    const { connection } = blocking.blockedOn('{b}2');
    await assert.rejects(late, (error) => {
      return error instanceof ours.TimeoutError && /responseTimeout/.test(error.message);
    });
    await until(() => !node.connections.has(connection), 'it is closed');
    blocking.push('{b}1');
    assert.deepEqual(await patient, element('{b}1'));
    await assertNoStrayAnswers(client, 'b');
  });
});

test('an abort takes it back while it waits for a connection', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = abortable.blPop('{b}2', 0);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(aborted, ours.AbortError);
    blocking.push('{b}1');
    await blocked;
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1);
  });
});

test('an abort while it blocks ends the blocking on the server; the connection lives on', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    assert.deepEqual(blocking.unblocking, [['CLIENT', 'UNBLOCK', String(connection.id), 'ERROR']]);
    const { accepted } = cluster.nodes[0];
    const next = blPop(client, '{b}next');
    await until(() => blocking.isBlocked('{b}next'));
    assert.equal(blocking.blockedOn('{b}next').connection, connection);
    assert.equal(cluster.nodes[0].accepted, accepted);
    blocking.push('{b}next');
    await next;
  });
});

/** Something is pushed in the moment in which the waiting is to be ended. */
const poppedMeanwhile = (args, context, blocking) => {
  if (args[1] !== 'UNBLOCK') return undefined;
  blocking.push('b');
  return resp.number(0);
};

test('an abort that comes too late: what was popped is not lost', async () => {
  await onBlockingCluster({ script: poppedMeanwhile }, async ({ client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const popped = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    controller.abort();
    assert.deepEqual(await popped, element('b'));
  });
});

test('an abort that comes too late does not end the waiting of the next command', async () => {
  const script = (args, context, blocking) => {
    if (args[1] !== 'UNBLOCK') return undefined;
    blocking.push('b');
    return [60, resp.number(0)];
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const popped = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await popped;
    const next = blPop(client, '{b}next');
    await until(() => blocking.isBlocked('{b}next'));
    assert.notEqual(blocking.blockedOn('{b}next').connection, connection);
    await sleep(100);
    const later = blPop(client, '{b}later');
    await until(() => blocking.isBlocked('{b}later'));
    assert.equal(blocking.blockedOn('{b}later').connection, connection, 'free again');
    for (const key of ['{b}next', '{b}later']) blocking.push(key);
    await Promise.all([next, later]);
  });
});

test('where CLIENT UNBLOCK is not allowed, an abort closes the connection', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    blocking.unblocks = false;
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    await until(() => !cluster.nodes[0].connections.has(connection), 'it is closed');
  });
});

test('an abort before it is there does not send it', async () => {
  await onBlockingCluster({}, async ({ cluster, client }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    await client.get('b');
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 0);
  });
});

test('close() ends what blocks, waiting or not, and lets the others finish', async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = ([name]) => (name === 'INCR' ? held.then(() => resp.number(5)) : undefined);
  const setup = { script, options: { maxBlockingConnections: 1 } };
  await onBlockingCluster(setup, async ({ client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    const counted = client.incr('c');
    const closed = client.close();
    await assert.rejects(blocked, ours.ClientClosedError);
    await assert.rejects(waiting, ours.ClientClosedError);
    answer();
    assert.equal(await counted, 5);
    await closed;
  });
});

test('close() does not lose what is popped in the same moment', async () => {
  await onBlockingCluster({ script: poppedMeanwhile }, async ({ client, blocking }) => {
    const popped = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    await client.close();
    assert.deepEqual(await popped, element('b'));
  });
});

test('destroy() ends what blocks and what waits at once', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    const { connection } = blocking.blockedOn('{b}1');
    client.destroy();
    await assert.rejects(blocked, ours.DisconnectsClientError);
    await assert.rejects(waiting, ours.DisconnectsClientError);
    await until(() => !cluster.nodes[0].connections.has(connection), 'it is closed');
    await client.connect();
    const again = blPop(client, '{b}3');
    await until(() => blocking.isBlocked('{b}3'));
    blocking.push('{b}3');
    assert.deepEqual(await again, element('{b}3'));
  });
});
