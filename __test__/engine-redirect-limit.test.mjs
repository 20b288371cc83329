// maxCommandRedirections: redirects that lead nowhere end after as many attempts, and with the same
// error, as with node-redis on the very same servers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as nodeRedis from 'redis';
import { createCluster, onScriptedCluster, ours, SLOTS, slotsAsked, userCommands } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';

/** What one GET comes to. */
async function attempt(create, cluster, maxCommandRedirections) {
  const client = create({ rootNodes: cluster.seeds, maxCommandRedirections });
  client.on('error', () => {});
  await client.connect();
  const attemptsNow = () => cluster.nodes.reduce((sum, node) => sum + userCommands(node).length, 0);
  const before = attemptsNow();
  try {
    const error = await client.get('b').then(assert.fail, (reason) => reason);
    return {
      attempts: attemptsNow() - before,
      class: error.constructor,
      message: error.message,
      causeClass: error.cause.constructor,
      causeMessage: error.cause.message,
    };
  } finally {
    client.destroy();
  }
}

for (const kind of ['MOVED', 'ASK']) {
  for (const limit of [0, 1, 16]) {
    test(`${kind} in a circle, at most ${limit}`, async () => {
      const script = ([name], { cluster }) =>
        name === 'GET' ? resp.error(`${kind} ${SLOTS.b} ${cluster.address(1)}`) : undefined;
      const cluster = await startScriptedCluster({ script });
      try {
        const theirs = await attempt(nodeRedis.createCluster, cluster, limit);
        const got = await attempt(createCluster, cluster, limit);
        assert.deepEqual(got, theirs);
        assert.equal(got.attempts, limit + 1);
        assert.equal(got.class, ours.MaxCommandRedirectionsError);
        assert.equal(got.causeMessage, `${kind} ${SLOTS.b} ${cluster.address(1)}`);
      } finally {
        await cluster.close();
      }
    });
  }
}

test('by default 16 are followed, between two nodes that name each other', async () => {
  const script = ([name], { node, cluster }) =>
    name === 'GET' ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(1 - node)}`) : undefined;
  const cluster = await startScriptedCluster({ script });
  try {
    const begin = performance.now();
    const got = await attempt(createCluster, cluster, undefined);
    assert.equal(got.attempts, 17);
    assert.match(got.causeMessage, new RegExp(`^MOVED ${SLOTS.b} 127.0.0.1:\\d+$`));
    // The first three at once, the others after growing waits, and the map was asked for meanwhile.
    assert.ok(performance.now() - begin > 200, 'a hot loop');
    assert.ok(slotsAsked(cluster) > 1, 'a refresh');
  } finally {
    await cluster.close();
  }
});

test('ASK and TRYAGAIN in turn, while keys are on their way, are no circle', async () => {
  let times = 0;
  const script = ([name], { node, cluster }) => {
    if (name !== 'MSET') return undefined;
    if (node === 0) return resp.error(`ASK ${SLOTS.b} ${cluster.address(1)}`);
    times += 1;
    return times < 6 ? resp.error('TRYAGAIN Multiple keys request during rehashing of slot') : resp.simple('OK');
  };
  await onScriptedCluster(
    { script, options: { maxCommandRedirections: 2 } },
    async ({ client }) => assert.equal(await client.mSet({ '{b}1': '1', '{b}2': '2' }), 'OK'),
  );
  assert.equal(times, 6);
});

test('a circle that lasts longer than the command may is called one', async () => {
  const script = ([name], { node, cluster }) =>
    name === 'GET' ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(1 - node)}`) : undefined;
  const options = { maxCommandRedirections: 10_000, commandOptions: { responseTimeout: 300 } };
  await onScriptedCluster({ script, options }, async ({ client }) => {
    const error = await client.get('b').then(assert.fail, (reason) => reason);
    // Between two attempts, or while one of them is under way.
    const expected = [ours.MaxCommandRedirectionsError, ours.TimeoutError];
    assert.ok(expected.includes(error.constructor), String(error));
  });
});
