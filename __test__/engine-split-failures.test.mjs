// Some parts of a command fail and others succeed: the error is the first failure's, and names the keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  outcomes,
  quietly,
  SLOTS,
  until,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP, SILENCE } from './support/scripted-server.mjs';
import { partsAt, splitNodes } from './support/split-nodes.mjs';

const { SimpleError } = ours;
const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
/** `b` and `f` are on node 0, `c` on node 1, `a` on node 2. */
const KEYS = ['a', 'b', 'c', 'f', '{b}2'];
const SET = KEYS.map((key) => [key, '1']);

/** What a promise rejects with. */
const failureOf = (promise) => promise.then(() => assert.fail('it succeeded'), (error) => error);

/** @param {any} error */
function assertNames(error, failedKeys, succeededKeys) {
  assert.deepEqual([error.failedKeys, error.succeededKeys], [failedKeys, succeededKeys]);
}

async function takeDown(cluster, events, node) {
  await cluster.nodes[node].close();
  await until(() => events.some(([, error]) => error?.code === 'ECONNREFUSED'), 'it is down');
}

test('one part is refused: class, message and cause are the server error, and keys are named', async () => {
  const script = splitNodes(([, key]) => (key === 'b' ? resp.error(WRONGTYPE) : undefined));
  await onScriptedCluster({ script }, async ({ client }) => {
    const binary = KEYS.map((key) => Buffer.from(key));
    const runs = [
      () => client.mSet(SET),
      () => client.mGet(KEYS),
      () => client.unlink(KEYS),
      () => client.sendCommand(undefined, false, ['mset', ...SET.flat()]),
      () => client.withCommandOptions({}).exists(KEYS),
    ];
    for (const run of runs) {
      const error = await failureOf(run());
      assert.ok(error instanceof SimpleError, String(error));
      assert.equal(error.message, WRONGTYPE);
      assert.ok(error.cause instanceof SimpleError && error.cause.message === WRONGTYPE);
      assertNames(error, ['b', '{b}2'], ['a', 'c', 'f']);
      assert.deepEqual(Object.keys(error), ['failedKeys', 'succeededKeys']);
    }
    const error = await failureOf(client.del(binary));
    assertNames(error, [binary[1], binary[4]], [binary[0], binary[2], binary[3]]);
    await assertNoStrayAnswers(client, 'a');
  });
});

for (const keyPrefix of ['pre:', Buffer.from('pré:')]) {
  test(`keyPrefix ${keyPrefix}: decides about slots, and is not among the names`, async () => {
    const script = splitNodes(([, key]) => (key === `${keyPrefix}b` ? resp.error(WRONGTYPE) : undefined));
    await onScriptedCluster({ script, options: { keyPrefix } }, async ({ cluster, client }) => {
      const given = ['a', Buffer.from('b'), 'f'];
      const error = await failureOf(client.exists(given));
      assert.deepEqual(error.failedKeys.map(String), ['b']);
      assert.deepEqual(error.succeededKeys.map(String), ['a', 'f']);
      const sent = partsAt(...cluster.nodes).map(([, key]) => key).sort();
      assert.deepEqual(sent, given.map((key) => `${keyPrefix}${key}`));
      // A module that these nodes do not have.
      const { failedKeys } = await failureOf(client.json.mGet(['a', 'b'], '$'));
      assert.deepEqual(failedKeys.map(String), ['a', 'b']);
    });
  });
}

test('of several failures, the first in time', async () => {
  const script = splitNodes(([, key]) => {
    if (key === 'b') return [40, resp.error('ERR late')];
    return key === 'a' ? resp.error('ERR early') : undefined;
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const error = await failureOf(client.touch(KEYS));
    assert.equal(error.message, 'ERR early');
    assertNames(error, ['a', 'b', '{b}2'], ['c', 'f']);
  });
});

test('one slot only: the error is the server\'s, and there is nothing to name', async () => {
  const script = splitNodes(([name]) => (name === 'MGET' ? resp.error(WRONGTYPE) : undefined));
  await onScriptedCluster({ script }, async ({ client }) => {
    const error = await failureOf(client.mGet(['b', '{b}2']));
    assert.equal(error.message, WRONGTYPE);
    assert.ok(!('failedKeys' in error) && !('cause' in error));
  });
});

test('too many redirects of one part', async () => {
  const script = splitNodes(([, key], { cluster, node }) => {
    if (key !== 'b') return undefined;
    return resp.error(`MOVED ${SLOTS.b} ${cluster.address(node === 0 ? 1 : 0)}`);
  });
  const options = { maxCommandRedirections: 2 };
  await onScriptedCluster({ script, options }, async ({ client }) => {
    const error = await failureOf(client.mSet(SET));
    assert.ok(error instanceof ours.MaxCommandRedirectionsError, String(error));
    assertNames(error, ['b', '{b}2'], ['a', 'c', 'f']);
  });
});

test('a connection is lost: parts that read are sent again, parts that write are not', async () => {
  let isCut = true;
  const script = splitNodes(([name, key]) => {
    if (key !== 'c' || name === 'ECHO' || !isCut) return undefined;
    isCut = false;
    return [HANG_UP];
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assert.deepEqual(await client.mGet(['b', 'c']), ['0:b', '1:c']);
    assert.equal(partsAt(cluster.nodes[1]).length, 2);
    isCut = true;
    const error = await failureOf(client.mSet(SET));
    assert.ok(error instanceof ours.SocketClosedUnexpectedlyError, String(error));
    assertNames(error, ['c'], ['a', 'b', 'f', '{b}2']);
    assert.equal(partsAt(cluster.nodes[1]).length, 3);
    await assertNoStrayAnswers(client, 'c');
  });
});

for (const [what, options, isIt] of [
  ['timeout', { timeout: 60 }, (error) => error instanceof ours.TimeoutError],
  ['abortSignal', { timeout: 0, abortSignal: 60 }, (error) => error instanceof ours.AbortError],
]) {
  test(`${what}: counts for the parts that are not written`, async () => {
    await onScriptedCluster({ script: splitNodes() }, async ({ cluster, client, events }) => {
      await takeDown(cluster, events, 0);
      const { abortSignal, ...rest } = options;
      const signal = abortSignal && { abortSignal: AbortSignal.timeout(abortSignal) };
      const hurried = client.withCommandOptions({ ...rest, ...signal });
      const errors = await Promise.all([hurried.mSet(SET), hurried.mGet(KEYS)].map(failureOf));
      for (const error of errors) {
        assert.ok(isIt(error), String(error));
        assertNames(error, ['b', 'f', '{b}2'], ['a', 'c']);
      }
      await cluster.nodes[0].listen(cluster.nodes[0].port);
      assert.deepEqual(await client.mGet(['b', 'a']), ['0:b', '2:a']);
      assert.deepEqual(partsAt(cluster.nodes[0]), [['MGET', 'b']], 'nothing of them comes later');
    });
  });
}

test('an abort that comes before the command, and one that comes too late', async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = splitNodes(([, key]) => (key === 'b' ? held.then(() => resp.array([resp.bulk('b')])) : undefined));
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const abort = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: abort.signal });
    const written = abortable.mGet(['a', 'b']);
    await until(() => partsAt(cluster.nodes[0]).length === 1);
    abort.abort();
    await assert.rejects(abortable.mGet(['a', 'b']), ours.AbortError);
    answer();
    assert.deepEqual(await written, ['2:a', 'b']);
    assert.equal(partsAt(...cluster.nodes).length, 2);
  });
});

test('responseTimeout: for each part, and what comes later is dropped', async () => {
  const script = splitNodes(([name], { node }) => {
    return node === 1 && name === 'MGET' ? [150, resp.array([resp.bulk('late')])] : undefined;
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const hurried = client.withCommandOptions({ responseTimeout: 50 });
    const startedAt = performance.now();
    const error = await failureOf(hurried.mGet(KEYS));
    assert.ok(performance.now() - startedAt < 140);
    assert.ok(error instanceof ours.TimeoutError, String(error));
    assertNames(error, ['c'], ['a', 'b', 'f', '{b}2']);
    assert.deepEqual(await client.exists(['c', 'a']), 2, 'behind the late one');
    await assertNoStrayAnswers(client, 'c');
  });
});

test('the queue of one node is full: its parts are refused, the others run', async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = splitNodes(([name, key], { node }) =>
    node === 0 && name === 'GET' ? held.then(() => resp.bulk(key)) : undefined);
  const options = { defaults: { commandsQueueMaxLength: 2, socket: { reconnectStrategy: 10 } } };
  await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
    const first = client.get('b');
    await until(() => cluster.nodes[0].commands('GET').length === 1);
    const split = failureOf(client.mSet(SET));
    await until(() => partsAt(...cluster.nodes).length === 3);
    answer();
    const error = await split;
    assert.equal(error.message, 'The queue is full');
    // Slots in ascending order: `f` came before `b`.
    assertNames(error, ['b', '{b}2'], ['a', 'c', 'f']);
    assert.equal(await first, 'b');
    assert.equal(await client.mSet([['a', '1'], ['b', '1']]), 'OK');
  });
});

test('close() waits for all parts; destroy() rejects the command at once', async () => {
  const slow = splitNodes(([name], { node }) =>
    node === 0 && name === 'MGET' ? [50, resp.array([resp.bulk('slow')])] : undefined);
  await onScriptedCluster({ script: slow }, async ({ client }) => {
    const split = client.mGet(['a', 'b']);
    await client.close();
    assert.deepEqual(await split, ['2:a', 'slow']);
  });
  const script = splitNodes(([name], { node }) =>
    node === 0 && name === 'MGET' ? SILENCE : undefined);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const split = outcomes([quietly(client.mGet(['a', 'b'])), quietly(client.mGet(KEYS))]);
    await until(() => partsAt(cluster.nodes[2]).length === 2);
    client.destroy();
    const startedAt = performance.now();
    const { errors } = await split;
    assert.ok(performance.now() - startedAt < 100);
    assert.equal(errors.length, 2);
    assert.ok(errors.every((error) => error instanceof ours.DisconnectsClientError), String(errors));
    await client.connect();
    await assertNoStrayAnswers(client, 'a');
  });
});
