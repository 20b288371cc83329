// Errors by which a server says that it could not run a command: the command waits and is tried again,
// in order, and its caller sees only what comes of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { keysOf, READONLY, REFUSALS, refusing, TRYAGAIN } from './support/refusals.mjs';

const TIMES = 4;
/** Of the n-th wait: 4 ms doubled each time, up to 64 ms, of which chance takes less than a half. */
const shortestWait = (n) => Math.min(4 * 2 ** n, 64) / 2;

for (const reason of REFUSALS) {
  for (const [kind, run, expected] of [
    ['write', (client) => client.set('b', '1'), 'OK'],
    ['read', (client) => client.get('b'), 'node 0'],
  ]) {
    test(`a ${kind} is tried again, and not in a hot loop: ${reason}`, async () => {
      const askedAt = [];
      const script = refusing(() => {
        askedAt.push(performance.now());
        return askedAt.length <= TIMES ? reason : undefined;
      });
      await onScriptedCluster({ script }, async ({ client }) => {
        assert.equal(await run(client), expected);
        assert.equal(askedAt.length, TIMES + 1);
        const gaps = askedAt.slice(1).map((time, index) => time - askedAt[index]);
        assert.ok(
          gaps.every((gap, index) => gap >= shortestWait(index)),
          `after ${gaps} ms`,
        );
        await assertNoStrayAnswers(client, 'b');
      });
    });
  }
}

test('younger commands of the slot stay behind, those of other slots go on', async () => {
  const state = { reason: TRYAGAIN };
  const script = refusing((key) => (key === '{b}old' ? state.reason : undefined));
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const [node] = cluster.nodes;
    const order = [];
    const run = (key) => client.set(key, '1').then(() => order.push(key));
    const old = run('{b}old');
    await until(() => keysOf(node).length > 1, 'the old one was refused');
    const young = ['{b}1', '{b}2', '{b}3'].map(run);
    // On the same node and on another one, each in a tick of its own.
    for (const key of ['f', 'c', 'f', 'c']) await run(key);
    const before = keysOf(node).length;
    await until(() => keysOf(node).length > before, 'the old one is still being tried');
    assert.deepEqual(order.splice(0), ['f', 'c', 'f', 'c']);
    state.reason = undefined;
    await Promise.all([old, ...young]);
    assert.deepEqual(order, ['{b}old', '{b}1', '{b}2', '{b}3']);
    const ofSlot = keysOf(node).filter((key) => key !== 'f');
    assert.deepEqual(ofSlot.slice(-4), order);
    assert.ok(
      ofSlot.slice(0, -3).every((key) => key === '{b}old'),
      `none before its time: ${ofSlot}`,
    );
  });
});

test('many that are refused together keep their order, each is run once', async () => {
  const state = { reason: 'CLUSTERDOWN The cluster is down' };
  const ran = [];
  const script = refusing((key) => {
    if (state.reason === undefined) ran.push(key);
    return state.reason;
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const keys = Array.from({ length: 60 }, (_, index) => `{b}${index}`);
    const first = keys.slice(0, 20).map((key) => client.set(key, '1'));
    await until(() => keysOf(cluster.nodes[0]).length >= 40, 'all were tried twice');
    const second = keys.slice(20).map((key) => client.set(key, '1'));
    await until(() => keysOf(cluster.nodes[0]).length >= 80, 'and twice again');
    state.reason = undefined;
    assert.deepEqual(
      await Promise.all([...first, ...second]),
      keys.map(() => 'OK'),
    );
    assert.deepEqual(ran, keys);
  });
});

test('refused at different times, in one slot: they keep their order all the same', async () => {
  const asked = { '{b}1': 0, '{b}2': 0 };
  const ran = [];
  const refused = refusing((key) => {
    asked[key] += 1;
    // The second one takes its time to say no; by then the first one has been tried again, in vain.
    if (asked[key] === 1 || (key === '{b}1' && asked[key] === 2)) return TRYAGAIN;
    ran.push(key);
    return undefined;
  });
  const script = (args, context) => {
    const answer = refused(args, context);
    return args[1] === '{b}2' && asked['{b}2'] === 1 ? [100, answer] : answer;
  };
  await onScriptedCluster({ script }, async ({ client }) => {
    const keys = Object.keys(asked);
    const values = await Promise.all(keys.map((key) => client.set(key, '1')));
    assert.deepEqual(values, ['OK', 'OK']);
    assert.deepEqual(ran, keys);
  });
});

test('slots wait each for itself', async () => {
  const state = { b: TRYAGAIN, f: TRYAGAIN };
  const script = refusing((key) => state[key]);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const [first, second] = ['b', 'f'].map((key) => client.set(key, '1'));
    let isOver = false;
    first.then(() => (isOver = true));
    await until(() => ['b', 'f'].every((key) => keysOf(cluster.nodes[0]).includes(key)));
    state.f = undefined;
    assert.equal(await second, 'OK');
    assert.equal(isOver, false);
    state.b = undefined;
    assert.equal(await first, 'OK');
  });
});

test("a script's own words are its answer, the server's are tried again", async () => {
  const own = REFUSALS.map((reason) => `${reason.split(' ')[0]} my own words`);
  const servers = [...REFUSALS, `${READONLY} script: 4f5a, on @user_script:1.`];
  const state = {};
  const script = refusing(() => (state.left-- > 0 ? state.reason : undefined));
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const asked = () => userCommands(cluster.nodes[0]).length;
    for (const name of ['EVAL', 'FCALL']) {
      const run = () => client.sendCommand('b', false, [name, 'body', '1', 'b']);
      for (const message of own) {
        const before = asked();
        Object.assign(state, { reason: message, left: 1 });
        await assert.rejects(run(), { message });
        assert.equal(asked(), before + 1, message);
      }
      for (const reason of servers) {
        const before = asked();
        Object.assign(state, { reason, left: 2 });
        assert.equal(await run(), 'OK', reason);
        assert.equal(asked(), before + 3, reason);
      }
    }
  });
});

test('other errors are delivered at once', async () => {
  const errors = [
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair or user is disabled.',
    "NOPERM User default has no permissions to run the 'get' command",
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'BUSY Redis is busy running a script.',
    'MISCONF Redis is configured to save RDB snapshots',
    `ERR ${TRYAGAIN}`,
    'TRYAGAINX Multiple keys request during rehashing of slot',
    'tryagain Multiple keys request during rehashing of slot',
  ];
  const state = {};
  const script = refusing(() => state.message);
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    for (const message of errors) {
      state.message = message;
      await assert.rejects(client.get('b'), { message });
      await assert.rejects(client.set('b', '1'), { message });
    }
    assert.equal(userCommands(cluster.nodes[0]).length, 2 * errors.length);
  });
});
