// commandsQueueMaxBytes and queueMaxBytes: how many bytes of commands may wait for one node, and for all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  onScriptedCluster,
  ours,
  outcomes,
  quietly,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { refusing, TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';

const BOUND = 64_000;
const VALUE = 'v'.repeat(10_000);
const MIB = 1 << 20;

/** Answers everything, but on node 0 only when the promise `state.held` is kept, if there is one. */
const answering = (state) => ([name, key], { node }) => {
  if (name === 'ECHO') return resp.bulk(key);
  if (name !== 'SET' && name !== 'GET') return undefined;
  return node === 0 && state.held ? state.held.then(() => resp.bulk(key)) : resp.bulk(key);
};

function options(defaults, more) {
  const socket = { reconnectStrategy: 10, hangTimeout: 0 };
  return { ...more, defaults: { socket, ...defaults }, commandOptions: { timeout: 0 } };
}

/** Bytes of a SET of ASCII on the wire. */
const wireLength = (key, value) =>
  `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n\r\n`.length + value.length;

/** How many of them are taken: one more is, as long as the others are below the bound. */
const capacity = (bound, key, value) => Math.ceil(bound / wireLength(key, value));

async function takeDown(nodes, events) {
  const ports = nodes.map(({ port }) => port);
  await Promise.all(nodes.map((node) => node.close()));
  const isDown = (port) =>
    events.some(([, error, at]) => error?.code === 'ECONNREFUSED' && at?.port === port);
  await until(() => ports.every(isDown), 'they are down');
}

/**
 * Gives so many SETs to one node that the last one is rejected. By then each before it has been
 * rejected, too, or is taken.
 */
async function fill(client, key, count, value = VALUE) {
  const commands = [];
  for (let index = 0; index < count; index++) {
    const one = { promise: quietly(client.set(key, value)) };
    one.promise.catch((error) => (one.error = error));
    commands.push(one);
    // Some go in one tick, some one by one.
    if (index % 3 === 0) await new Promise(setImmediate);
  }
  await until(() => commands.at(-1).error !== undefined, 'the last one is rejected');
  return {
    taken: commands.filter(({ error }) => error === undefined).map(({ promise }) => promise),
    errors: commands.flatMap(({ error }) => error ?? []),
  };
}

function assertFull(errors, where, bound, option) {
  assert.ok(errors.length > 0);
  for (const error of errors) {
    assert.equal(error.constructor, Error);
    assert.ok(error.message.startsWith('The queue is full'), error.message);
    for (const part of [where, String(bound), option]) {
      assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
    }
  }
}

for (const kind of ['dead', 'silent']) {
  test(`a ${kind} node: commands past its bound are rejected at once, other nodes are free`, async () => {
    let release;
    const state = { held: new Promise((resolve) => (release = resolve)) };
    const setup = { script: answering(state), options: options({ commandsQueueMaxBytes: BOUND }) };
    await onScriptedCluster(setup, async ({ cluster, client, events }) => {
      const [node] = cluster.nodes;
      if (kind === 'dead') await takeDown([node], events);
      const { taken, errors } = await fill(client, 'b', 20);
      assert.equal(taken.length, capacity(BOUND, 'b', VALUE));
      assertFull(errors, cluster.address(0), BOUND, 'commandsQueueMaxBytes');
      // Small ones, too.
      await assert.rejects(client.get('b'), /^Error: The queue is full/);
      const elsewhere = Array.from({ length: 3 }, () => client.set('c', VALUE));
      assert.deepEqual(await Promise.all(elsewhere), ['c', 'c', 'c']);
      release();
      if (kind === 'dead') await node.listen(node.port);
      assert.deepEqual(
        await Promise.all(taken),
        taken.map(() => 'b'),
      );
      assert.equal(userCommands(node).length, taken.length);
      // What is answered takes no room.
      for (let count = 0; count < 20; count++) assert.equal(await client.set('b', VALUE), 'b');
      await assertNoStrayAnswers(client, 'b');
    });
  });
}

test('what waits to be tried again, and what waits behind it, counts', async () => {
  const state = { reason: TRYAGAIN };
  const setup = {
    script: refusing((_, { node }) => (node === 0 ? state.reason : undefined)),
    options: options({ commandsQueueMaxBytes: BOUND }),
  };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    const commands = outcomes(Array.from({ length: 40 }, () => client.set('b', VALUE)));
    await until(() => userCommands(cluster.nodes[0]).length > 10, 'they are tried again');
    const more = outcomes(Array.from({ length: 40 }, () => client.set('b', VALUE)));
    // It goes the same way, behind them.
    assert.equal(await client.set('c', '1'), 'OK');
    state.reason = undefined;
    const errors = [...(await commands).errors, ...(await more).errors];
    assertFull(errors, cluster.address(0), BOUND, 'commandsQueueMaxBytes');
    const most = capacity(BOUND, 'b', VALUE);
    // What is being tried at this moment is with the node, and does not count with what waits.
    const taken = 80 - errors.length;
    assert.ok(taken >= most && taken <= 2 * most, `${taken} are taken`);
    for (let count = 0; count < 20; count++) await client.set('b', VALUE);
  });
});

test('a queue that is empty takes a command of any size', async () => {
  const large = 'v'.repeat(5 * BOUND);
  const setup = {
    script: answering({}),
    options: options({ commandsQueueMaxBytes: BOUND }, { queueMaxBytes: 2 * BOUND }),
  };
  await onScriptedCluster(setup, async ({ cluster, client, events }) => {
    assert.equal(await client.set('b', large), 'b');
    await takeDown(cluster.nodes.slice(0, 1), events);
    const waiting = client.set('b', large);
    await assert.rejects(client.set('b', '1'), /^Error: The queue is full/);
    await cluster.nodes[0].listen(cluster.nodes[0].port);
    assert.equal(await waiting, 'b');
  });
});

test('commands that time out make room', async () => {
  const setup = { script: answering({}), options: options({ commandsQueueMaxBytes: BOUND }) };
  await onScriptedCluster(setup, async ({ cluster, client, events }) => {
    await takeDown(cluster.nodes.slice(0, 1), events);
    const hurried = client.withCommandOptions({ timeout: 100 });
    const commands = outcomes(Array.from({ length: 20 }, () => hurried.set('b', VALUE)));
    const messages = (await commands).errors.map(({ message }) => message);
    const full = messages.filter((message) => message.startsWith('The queue is full'));
    assert.equal(messages.length - full.length, capacity(BOUND, 'b', VALUE));
    const { taken } = await fill(client, 'b', 20);
    assert.equal(taken.length, capacity(BOUND, 'b', VALUE));
  });
});

test('queueMaxBytes: nodes that do not answer cannot take the share of those that do', async () => {
  const bound = 12 * BOUND;
  const setup = {
    script: answering({}),
    options: options({ commandsQueueMaxBytes: 0 }, { queueMaxBytes: bound }),
  };
  await onScriptedCluster(setup, async ({ cluster, client, events }) => {
    await takeDown(cluster.nodes.slice(0, 2), events);
    const first = await fill(client, 'b', 100);
    // Alone, it can take all that is not set aside for others.
    assert.equal(first.taken.length, capacity(bound / 2, 'b', VALUE));
    const second = await fill(client, 'c', 100);
    assert.equal(second.taken.length, capacity(bound / 2 / 3, 'c', VALUE));
    for (const { errors } of [first, second]) {
      assertFull(errors, 'all nodes together', bound, 'queueMaxBytes');
      assert.ok(errors.every(({ message }) => !message.includes('commandsQueueMaxBytes')));
    }
    for (let count = 0; count < 20; count++) assert.equal(await client.set('a', VALUE), 'a');
    const burst = Array.from({ length: 10 }, () => client.set('a', VALUE));
    assert.deepEqual(
      await Promise.all(burst),
      burst.map(() => 'a'),
    );
    await cluster.nodes[0].listen(cluster.nodes[0].port);
    await Promise.all(first.taken);
    assert.equal(userCommands(cluster.nodes[0]).length, first.taken.length);
    // And now there is room for the one that is still down.
    const third = await fill(client, 'c', 100);
    assert.ok(third.taken.length > second.taken.length, `${third.taken.length} more`);
  });
});

test('the defaults: 64 MiB for a node, 256 MiB for all; 0 turns them off', async () => {
  const value = Buffer.alloc(MIB, 'v');
  await onScriptedCluster({ options: options({}) }, async ({ cluster, client, events }) => {
    await takeDown(cluster.nodes, events);
    for (const [node, key] of ['b', 'c'].entries()) {
      const { taken, errors } = await fill(client, key, 70, value);
      assert.equal(taken.length, capacity(64 * MIB, key, value));
      assertFull(errors, cluster.address(node), 64 * MIB, 'commandsQueueMaxBytes');
    }
    // Half of 256 MiB is used up: what is left is each node's own part.
    const { taken, errors } = await fill(client, 'a', 70, value);
    assert.equal(taken.length, capacity((128 * MIB) / 3, 'a', value));
    assertFull(errors, 'all nodes together', 256 * MIB, 'queueMaxBytes');
  });
  const unbounded = options({ commandsQueueMaxBytes: 0 }, { queueMaxBytes: 0 });
  await onScriptedCluster({ options: unbounded }, async ({ cluster, client, events }) => {
    await takeDown(cluster.nodes, events);
    let isRejected = false;
    for (let count = 0; count < 100; count++) {
      client.set('b', value).catch(() => (isRejected = true));
    }
    const last = client.withCommandOptions({ timeout: 50 }).set('b', value);
    await assert.rejects(last, ours.TimeoutError);
    assert.equal(isRejected, false);
  });
});
