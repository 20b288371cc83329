// `responseTimeout` ends a command whose answer does not come, written or not; what comes late is
// swallowed, and the connection goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  quietly,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { refusing, TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';
import { SILENCE } from './support/scripted-server.mjs';

const TIMEOUT_MS = 150;

/** SETs of `late` keys are answered when `release` is called, and all behind them with them. */
function holding() {
  const state = {};
  const held = new Promise((resolve) => (state.release = resolve));
  state.script = ([name, key]) => {
    if (name === 'ECHO' || name === 'GET') return resp.bulk(key);
    if (name !== 'SET') return undefined;
    return key.includes('late') ? held.then(() => resp.simple('late')) : resp.simple('OK');
  };
  return state;
}

/** No probes: the test holds answers for as long as it likes. */
const options = (more) => ({
  ...more,
  defaults: { socket: { reconnectStrategy: 10, hangTimeout: 0 }, ...more?.defaults },
});

const usersConnections = (node) => {
  const used = node.received.filter(({ args: [name] }) => ['GET', 'SET', 'ECHO'].includes(name));
  return new Set(used.map(({ connection }) => connection));
};

async function assertTooLate(promise, begin = performance.now()) {
  const error = await promise.then(
    (value) => assert.fail(`it was answered ${value}`),
    (reason) => reason,
  );
  const took = performance.now() - begin;
  assert.ok(error instanceof ours.TimeoutError, String(error));
  assert.match(error.message, /responseTimeout/);
  assert.ok(took >= TIMEOUT_MS - 5 && took < TIMEOUT_MS + 1_500, `${took} ms`);
}

test('written and not answered: rejected in time, the late answer is swallowed', async () => {
  const { script, release } = holding();
  await onScriptedCluster({ script, options: options() }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    const hurried = client.withCommandOptions({ responseTimeout: TIMEOUT_MS });
    const begin = performance.now();
    const late = quietly(hurried.set('{b}late', '1'));
    const patient = client.get('{b}patient');
    const alsoLate = hurried.get('{b}behind');
    await until(() => userCommands(node).length === 3, 'all are written');
    await Promise.all([assertTooLate(late, begin), assertTooLate(alsoLate, begin)]);
    const next = client.get('{b}next');
    const accepted = node.accepted;
    release();
    assert.deepEqual(await Promise.all([patient, next]), ['{b}patient', '{b}next']);
    assert.equal(node.accepted, accepted);
    assert.equal(usersConnections(node).size, 1);
    assert.deepEqual(events.filter(([name]) => name.startsWith('node-err')), []);
    assert.equal(node.commands('SET').length, 1, 'it is not sent again');
    await assertNoStrayAnswers(client, 'b');
  });
});

test('answered in time: nothing happens', async () => {
  const { script } = holding();
  const commandOptions = { responseTimeout: 5_000 };
  await onScriptedCluster({ script, options: options({ commandOptions }) }, async ({ client }) => {
    const keys = Array.from({ length: 100 }, (_, index) => `{b}${index}`);
    assert.deepEqual(await Promise.all(keys.map((key) => client.get(key))), keys);
  });
});

test('each command has its own; withCommandOptions wins over commandOptions', async () => {
  const script = ([name]) => (name === 'SET' ? SILENCE : undefined);
  const commandOptions = { responseTimeout: 2 * TIMEOUT_MS };
  await onScriptedCluster({ script, options: options({ commandOptions }) }, async ({ client }) => {
    const order = [];
    const run = async (name, cluster) => {
      await assert.rejects(cluster.set('b', name), { message: /responseTimeout/ });
      order.push(name);
    };
    const begin = performance.now();
    const none = quietly(client.withCommandOptions({}).set('b', 'none'));
    none.catch(() => order.push('none'));
    await Promise.all([
      run('of the cluster', client),
      run('longest', client.withCommandOptions({ responseTimeout: 3 * TIMEOUT_MS })),
      run('shortest', client.withCommandOptions({ responseTimeout: TIMEOUT_MS })),
    ]);
    assert.ok(performance.now() - begin >= 3 * TIMEOUT_MS - 5);
    assert.deepEqual(order, ['shortest', 'of the cluster', 'longest']);
  });
});

test('its place in the queue is free at once', async () => {
  const { script, release } = holding();
  const setup = { script, options: options({ defaults: { commandsQueueMaxLength: 1 } }) };
  setup.options.defaults.socket = options().defaults.socket;
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    const [node] = cluster.nodes;
    const late = client.withCommandOptions({ responseTimeout: TIMEOUT_MS }).set('{b}late', '1');
    quietly(late);
    await until(() => userCommands(node).length === 1, 'it is written');
    await assert.rejects(client.get('{b}full'), { message: 'The queue is full' });
    await assertTooLate(late);
    const next = client.get('{b}next');
    await until(() => userCommands(node).length === 2, 'the next one is written');
    await assert.rejects(client.get('{b}full'), { message: 'The queue is full' });
    release();
    assert.equal(await next, '{b}next');
    assert.equal(await client.get('{b}last'), '{b}last');
  });
});

test('a node that is down: rejected, and never sent; the earlier of both timeouts counts', async () => {
  const { script } = holding();
  await onScriptedCluster({ script, options: options() }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() => events.some(([, error]) => error.code === 'ECONNREFUSED'), 'it is down');
    const limits = (timeout, responseTimeout) =>
      client.withCommandOptions({ timeout, responseTimeout }).set('{b}1', '1');
    await Promise.all([
      assertTooLate(limits(0, TIMEOUT_MS)),
      assertTooLate(limits(5_000, TIMEOUT_MS)),
      assert.rejects(limits(TIMEOUT_MS, 5_000), (error) => {
        assert.ok(error instanceof ours.TimeoutError, String(error));
        assert.doesNotMatch(error.message, /responseTimeout/);
        return true;
      }),
    ]);
    await node.listen(node.port);
    assert.equal(await client.get('{b}next'), '{b}next');
    assert.deepEqual(userCommands(node), [['GET', '{b}next']]);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('the connection is lost behind it: an abandoned read is not sent again', async () => {
  const state = { isSilent: true };
  const script = ([name, key]) => {
    if (name !== 'GET') return undefined;
    return state.isSilent ? SILENCE : resp.bulk(key);
  };
  await onScriptedCluster({ script, options: options() }, async ({ cluster, client }) => {
    const [node] = cluster.nodes;
    const late = client.withCommandOptions({ responseTimeout: TIMEOUT_MS }).get('{b}late');
    const patient = client.get('{b}patient');
    await assertTooLate(late);
    state.isSilent = false;
    node.dropConnections();
    assert.equal(await patient, '{b}patient');
    const keys = userCommands(node).map(([, key]) => key);
    assert.deepEqual(keys, ['{b}late', '{b}patient', '{b}patient']);
  });
});

test('refused again and again: after that time it is not tried any more', async () => {
  let asked = 0;
  const script = refusing((key) => (key === 'b' ? ((asked += 1), TRYAGAIN) : undefined));
  await onScriptedCluster({ script, options: options() }, async ({ client }) => {
    const hurried = client.withCommandOptions({ timeout: 0, responseTimeout: TIMEOUT_MS });
    await assert.rejects(hurried.set('b', '1'), { message: TRYAGAIN });
    const before = asked;
    assert.ok(before >= 3, `${before} attempts`);
    for (let count = 0; count < 20; count++) await client.set('{b}next', '1');
    assert.equal(asked, before);
  });
});

test('values are checked like those of `timeout`', async () => {
  const { script } = holding();
  await onScriptedCluster({ script, options: options() }, async ({ client }) => {
    const outcome = (commandOptions) =>
      client
        .withCommandOptions(commandOptions)
        .get('b')
        .catch(({ name, code, message }) => [name, code, message]);
    const values = [-1, 1.5, 2 ** 32, Infinity, '10', {}, true, null, undefined, 0, NaN, 1_000];
    const outcomes = await Promise.all(values.map((value) => outcome({ responseTimeout: value })));
    const likeTimeout = await Promise.all(values.map((value) => outcome({ timeout: value })));
    assert.deepEqual(outcomes, likeTimeout);
    assert.equal(outcomes.filter((one) => one === 'b').length, 5);
    assert.equal(outcomes[0][1], 'ERR_OUT_OF_RANGE');
  });
});

/** The engine asks for the layout after a command was too late, here on the connection that is silent. */
const untilAsked = (node) =>
  until(() => node.received.at(-1).args.join(' ') === 'CLUSTER INFO', 'it is asked for the layout');

test("the engine's own questions take nobody's place", async () => {
  const { script, release } = holding();
  const setup = { script, options: options({ defaults: { commandsQueueMaxLength: 1 } }) };
  setup.options.defaults.socket = options().defaults.socket;
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    const hurried = client.withCommandOptions({ responseTimeout: TIMEOUT_MS });
    await assertTooLate(hurried.set('{b}late', '1'));
    await untilAsked(cluster.nodes[0]);
    const next = client.get('{b}next');
    quietly(next);
    release();
    assert.equal(await next, '{b}next');
  });
});

for (const [when, before] of [
  ['right after them', () => {}],
  ['after the engine has asked for the layout', untilAsked],
]) {
  test(`close() does not wait for answers that nobody waits for, ${when}`, async () => {
    const script = ([name]) => (name === 'SET' ? SILENCE : undefined);
    await onScriptedCluster({ script, options: options() }, async ({ cluster, client }) => {
      const hurried = client.withCommandOptions({ responseTimeout: TIMEOUT_MS });
      await assertTooLate(hurried.set('b', '1'));
      await before(cluster.nodes[0]);
      let isClosed = false;
      client.close().then(() => (isClosed = true));
      await until(() => isClosed, 'it is closed');
    });
  });
}
