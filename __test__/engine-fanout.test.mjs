// Commands for all nodes or all primaries: who is asked, and what the answers come to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
} from './support/engine-client.mjs';
import { answering, counts } from './support/fanout-nodes.mjs';
import { resp } from './support/resp-text.mjs';

const NOTBUSY = 'NOTBUSY No scripts in execution right now.';

for (const [useReplicas, nodes] of [
  [false, [1, 1, 0, 0]],
  [true, [1, 1, 1, 1]],
]) {
  test(`all nodes ${useReplicas ? 'and all replicas' : 'without replicas'}, all primaries`, async () => {
    const script = answering('SLOWLOG', (node) => resp.number(10 ** node));
    const both = (args, context) =>
      args[0] === 'DBSIZE' ? resp.number(1 + context.node) : script(args, context);
    const setup = { script: both, primaries: 2, replicasPerPrimary: 1, options: { useReplicas } };
    await onScriptedCluster(setup, async ({ cluster, client }) => {
      const sum = await client.sendCommand(undefined, false, ['SLOWLOG', 'LEN']);
      assert.equal(sum, useReplicas ? 1111 : 11);
      assert.deepEqual(counts(cluster, 'SLOWLOG'), nodes);
      assert.equal(await client.dbSize(), 3);
      assert.deepEqual(counts(cluster, 'DBSIZE'), [1, 1, 0, 0], 'each primary once');
    });
  });
}

test('a primary with many ranges of slots is asked once, one without slots is not', async () => {
  const prepare = (cluster) => {
    cluster.layout = Array.from({ length: 8 }, (_, part) => {
      return { first: part * 2048, last: part * 2048 + 2047, nodes: [part % 2] };
    });
  };
  const script = answering('DBSIZE', () => resp.number(1));
  await onScriptedCluster({ script, prepare }, async ({ cluster, client }) => {
    assert.equal(await client.dbSize(), 2);
    assert.deepEqual(counts(cluster, 'DBSIZE'), [1, 1, 0]);
  });
});

test('one must succeed: the first that does; if none does, the first in order', async () => {
  const state = { answers: [] };
  const script = answering('SCRIPT', (node) => state.answers[node]);
  await onScriptedCluster({ script }, async ({ client }) => {
    state.answers = [resp.error(NOTBUSY), [20, resp.simple('OK')], resp.error(NOTBUSY)];
    assert.equal(await client.scriptKill(), 'OK');
    state.answers = [[40, resp.error('ERR first')], resp.error('ERR second'), [20, resp.error('ERR third')]];
    await assert.rejects(client.scriptKill(), { message: 'ERR first' });
    state.answers = [[40, resp.error('ERR late')], resp.simple('OK'), [40, resp.simple('OK')]];
    const startedAt = performance.now();
    assert.equal(await client.scriptKill(), 'OK');
    assert.ok(performance.now() - startedAt < 35, 'nobody waits for the others');
    await assertNoStrayAnswers(client, 'b');
    await assertNoStrayAnswers(client, 'a');
  });
});

test('all must succeed: the first error at once, and what comes later is nobody\'s', async () => {
  const answers = [[40, resp.simple('OK')], [10, resp.error('ERR no')], [60, resp.error('ERR late')]];
  const script = answering('FLUSHALL', (node) => answers[node]);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const accepted = () => cluster.nodes.map((node) => node.accepted);
    const before = accepted();
    const startedAt = performance.now();
    const error = await client.flushAll().catch((reason) => reason);
    assert.ok(performance.now() - startedAt < 38);
    assert.deepEqual([error.message, 'failedKeys' in error], ['ERR no', false]);
    assert.deepEqual(counts(cluster, 'FLUSHALL'), [1, 1, 1]);
    for (const key of 'abc') await assertNoStrayAnswers(client, key);
    await sleep(70);
    assert.deepEqual(accepted(), before, 'no connection ended');
  });
});

test('numbers and lists of numbers, in each place', async () => {
  const state = { answers: [] };
  const script = answering('WAITAOF', (node) => state.answers[node]);
  const pair = (...numbers) => resp.array(numbers.map(resp.number));
  await onScriptedCluster({ script }, async ({ client }) => {
    const wait = () => client.sendCommand(undefined, false, ['WAITAOF', '1', '1', '0']);
    state.answers = [pair(1, 0), pair(0, 2), pair(1, 5)];
    assert.deepEqual(await wait(), [0, 0]);
    state.answers = [resp.number(3), resp.number(2 ** 40), resp.number(4)];
    assert.equal(await wait(), 3);
    state.answers = [pair(1, 0), pair(1), pair(1, 5)];
    await assert.rejects(wait(), { message: /numbers/ });
  });
});

test('sums are exact', async () => {
  const half = '4611686018427387000';
  const script = answering('DBSIZE', (node) => (node === 0 ? resp.number('7') : resp.number(half)));
  await onScriptedCluster({ script }, async ({ client }) => {
    const text = client.withTypeMapping({ [ours.RESP_TYPES.NUMBER]: String });
    assert.equal(await text.dbSize(), '9223372036854774007');
  });
});

test('lists are put together in the order of the nodes, equal texts once, equal lists not', async () => {
  const state = { answers: [] };
  const script = answering('KEYS', (node) => state.answers[node]);
  const list = (...texts) => resp.array(texts.map(resp.bulk));
  await onScriptedCluster({ script }, async ({ client }) => {
    state.answers = [[20, list('a', 'b')], list('b', 'x'.repeat(70_000)), list('', 'a', 'x'.repeat(70_000))];
    const keys = await client.keys('*');
    assert.deepEqual(keys.map((key) => key.slice(0, 3)), ['a', 'b', 'xxx', '']);
    const buffers = client.withTypeMapping({ [ours.RESP_TYPES.BLOB_STRING]: Buffer });
    assert.deepEqual((await buffers.keys('*')).map((key) => key.length), [1, 1, 70_000, 0]);
    state.answers = [resp.array([list('a')]), resp.array([list('a')]), resp.array([])];
    assert.deepEqual(await client.keys('*'), [['a'], ['a']]);
    state.answers = [list('a'), resp.simple('OK'), list('b')];
    await assert.rejects(client.keys('*'), { message: /cannot be put together/ });
  });
});

test('a random key: never none while a node has one', async () => {
  const state = { answers: [resp.null3, resp.bulk('k'), resp.null3] };
  const script = answering('RANDOMKEY', (node) => state.answers[node]);
  await onScriptedCluster({ script }, async ({ client }) => {
    const some = await Promise.all(Array.from({ length: 30 }, () => client.randomKey()));
    assert.ok(some.every((key) => key === 'k'), String(some));
    state.answers = [resp.null3, resp.null3, resp.null3];
    assert.equal(await client.randomKey(), null);
  });
});
