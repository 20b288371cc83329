// How the waiting of commands that no server could run comes to an end without success.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  SLOTS,
  until,
} from './support/engine-client.mjs';
import { keysOf, LOADING, refusing, TRYAGAIN } from './support/refusals.mjs';

const TIMEOUT_MS = 200;

/** How a command ends, and when. */
async function ending(promise) {
  const begin = performance.now();
  const error = await promise.then(
    (value) => assert.fail(`it was answered ${value}`),
    (reason) => reason,
  );
  return { error, took: performance.now() - begin };
}

function assertTook(took) {
  assert.ok(took >= TIMEOUT_MS - 5 && took < TIMEOUT_MS + 1_500, `${took} ms`);
}

for (const option of ['timeout', 'responseTimeout']) {
  test(`its ${option} is over: the caller gets the server's last error`, async () => {
    let asked = 0;
    const script = refusing((key) => (key === 'b' ? `CLUSTERDOWN no. ${(asked += 1)}` : undefined));
    await onScriptedCluster({ script }, async ({ cluster, client }) => {
      const hurried = client.withCommandOptions({ [option]: TIMEOUT_MS });
      for (const run of [() => hurried.set('b', '1'), () => hurried.get('b')]) {
        asked = 0;
        const { error, took } = await ending(run());
        assert.ok(error instanceof ours.SimpleError, String(error));
        assert.equal(error.message, `CLUSTERDOWN no. ${asked}`);
        assertTook(took);
        // 4, 8, 16, 32, 64, 64, 64 ms, or up to twice as often.
        assert.ok(asked >= 3 && asked <= 15, `${asked} attempts`);
      }
      assert.equal(await client.set('{b}next', '1'), 'OK');
      assert.equal(keysOf(cluster.nodes[0]).at(-1), '{b}next');
      await assertNoStrayAnswers(client, 'b');
    });
  });
}

test("without a timeout: so many attempts, then the server's error", async () => {
  const askedAt = [];
  const script = refusing((key) => {
    if (key !== 'b') return undefined;
    askedAt.push(performance.now());
    return TRYAGAIN;
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const patient = client.withCommandOptions({ timeout: 0 });
    const younger = () => patient.set('{b}younger', '1');
    const waiting = patient.set('b', '1');
    const behind = younger();
    await assert.rejects(waiting, (error) => {
      assert.ok(error instanceof ours.SimpleError, String(error));
      assert.equal(error.message, TRYAGAIN);
      return true;
    });
    assert.equal(await behind, 'OK');
    const took = askedAt.at(-1) - askedAt[0];
    // Some seconds, like the default timeout of the others.
    assert.ok(askedAt.length > 20 && askedAt.length <= 100, `${askedAt.length} attempts`);
    assert.ok(took > 1_000, `${took} ms`);
  });
});

test('abort: an AbortError, and what is younger goes on', async () => {
  const script = refusing((key) => (key === '{b}old' ? TRYAGAIN : undefined));
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const waiting = ending(abortable.set('{b}old', '1'));
    await until(() => keysOf(cluster.nodes[0]).length >= 4, 'it waits');
    const young = client.set('{b}young', '1');
    controller.abort();
    const { error } = await waiting;
    assert.ok(error instanceof ours.AbortError, String(error));
    assert.equal(await young, 'OK');
    await assertNoStrayAnswers(client, 'b');
  });
});

test('abort while an attempt is with the server: if that is refused, it is the last one', async () => {
  let answer;
  const state = { asked: 0 };
  const refused = refusing((key) => (key === 'b' ? TRYAGAIN : undefined));
  const script = (args, context) => {
    if (args[1] === 'b') state.asked += 1;
    const answered = refused(args, context);
    // The third attempt is on its way until the test says so.
    return args[1] === 'b' && state.asked === 3
      ? new Promise((resolve) => (answer = () => resolve(answered)))
      : answered;
  };
  await onScriptedCluster({ script }, async ({ client }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const waiting = ending(abortable.set('b', '1'));
    await until(() => answer !== undefined, 'the third attempt');
    controller.abort();
    // The engine has seen it: this goes to another node, in order behind it.
    assert.equal(await client.set('c', '1'), 'OK');
    answer();
    const { error } = await waiting;
    assert.ok(error instanceof ours.AbortError, String(error));
    assert.equal(state.asked, 3);
  });
});

test('destroy(): a DisconnectsClientError', async () => {
  const script = refusing(() => TRYAGAIN);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const commands = ['b', 'b', 'c'].map((key) => ending(client.set(key, '1')));
    await until(() => keysOf(cluster.nodes[1]).length >= 3, 'they wait');
    commands.push(ending(client.set('{b}younger', '1')));
    client.destroy();
    for (const { error } of await Promise.all(commands)) {
      assert.ok(error instanceof ours.DisconnectsClientError, String(error));
    }
  });
});

test('close() lets them wait', async () => {
  const state = { reason: LOADING };
  const script = refusing(() => state.reason);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const waiting = client.set('b', '1');
    const younger = client.set('{b}younger', '1');
    await until(() => keysOf(cluster.nodes[0]).length >= 4, 'it waits');
    let isClosed = false;
    const closing = client.close().then(() => (isClosed = true));
    const before = keysOf(cluster.nodes[0]).length;
    await until(() => keysOf(cluster.nodes[0]).length >= before + 4, 'it is still being tried');
    assert.equal(isClosed, false);
    state.reason = undefined;
    assert.deepEqual(await Promise.all([waiting, younger]), ['OK', 'OK']);
    await closing;
  });
});

test('a slot without an owner: an error after the timeout, success when it has one', async () => {
  let whole;
  const prepare = (cluster) => {
    whole = cluster.layout;
    cluster.layout = whole.slice(1);
  };
  const script = refusing(() => undefined);
  await onScriptedCluster({ script, prepare }, async ({ cluster, client }) => {
    const hurried = client.withCommandOptions({ timeout: TIMEOUT_MS });
    const { error, took } = await ending(hurried.set('b', '1'));
    assert.equal(error.message, `No node of the cluster serves slot ${SLOTS.b}`);
    assertTook(took);
    const keys = ['{b}1', '{b}2', '{b}3'];
    const waiting = keys.map((key) => client.set(key, '1'));
    assert.equal(await client.set('c', '1'), 'OK');
    assert.equal(cluster.nodes[0].accepted, 0);
    cluster.layout = whole;
    assert.deepEqual(
      await Promise.all(waiting),
      keys.map(() => 'OK'),
    );
    assert.deepEqual(keysOf(cluster.nodes[0]), keys);
  });
});
