// Connections break under commands in parts and commands for all nodes, some of which are given up by their
// callers: every one ends, right or with an error that accounts for all of its keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster } from './support/engine-client.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const DURATION_MS = 2_500;
const KILL_EVERY_MS = 15;
const KEYS = Array.from({ length: 200 }, (_, index) => `kills:${index}`);

const below = (count) => Math.floor(Math.random() * count);
const someKeys = () => Array.from({ length: 2 + below(60) }, () => KEYS[below(KEYS.length)]);

/** Options by which a caller gives up early, or does not. */
function impatience() {
  return [
    { timeout: 1 + below(30) },
    { responseTimeout: 1 + below(20) },
    { abortSignal: AbortSignal.timeout(1 + below(5)) },
    {},
  ][below(4)];
}

/** Some command: what it is, what it must come to, and its keys if it may go in parts. */
function someCommand(client) {
  const keys = someKeys();
  return [
    () => [client.mSet(keys.map((key) => [key, key])), 'OK', keys],
    () => [client.mGet(keys), keys, keys],
    () => [client.exists(keys), keys.length, keys],
    () => [client.dbSize(), KEYS.length],
    () => [client.keys('*').then((found) => found.sort()), [...KEYS].sort()],
    () => [client.get(keys[0]), keys[0]],
  ][below(6)]();
}

function assertAccounted(error, keys) {
  if (keys === undefined || error.failedKeys === undefined) return;
  assert.ok(error.failedKeys.length > 0);
  assert.deepEqual([...error.failedKeys, ...error.succeededKeys].sort(), [...keys].sort());
}

withAnyServer((server) => {
  const running = sharedCluster(server, { replicasPerPrimary: 1 });

  for (const useReplicas of [false, true]) {
    test(`connections are killed, useReplicas ${useReplicas}`, async (t) => {
      const { nodes, seeds } = running();
      const admin = (node, ...args) => running().admin(node.port, ...args);
      const client = createCluster({ rootNodes: seeds, useReplicas });
      client.on('error', () => {});
      await client.connect();
      try {
        await client.mSet(KEYS.map((key) => [key, key]));
        await client.wait(1, 1_000);
        const end = performance.now() + DURATION_MS;
        const killing = (async () => {
          while (performance.now() < end) {
            await sleep(KILL_EVERY_MS);
            await admin(nodes[below(nodes.length)], 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          }
        })();
        const counts = { right: 0, failed: 0, partly: 0 };
        while (performance.now() < end) {
          const batch = Array.from({ length: 40 }, async () => {
            const [answer, want, keys] = someCommand(client.withCommandOptions(impatience()));
            const outcome = await answer.then((value) => ({ value }), (error) => ({ error }));
            if (outcome.error === undefined) assert.deepEqual(outcome.value, want);
            else assertAccounted(outcome.error, keys);
            counts[outcome.error === undefined ? 'right' : 'failed'] += 1;
            if (outcome.error?.succeededKeys?.length > 0) counts.partly += 1;
          });
          await Promise.all(batch);
        }
        await killing;
        t.diagnostic(JSON.stringify(counts));
        assert.ok(counts.right > 1_000 && counts.failed > 20 && counts.partly > 5, JSON.stringify(counts));
        assert.equal(await client.dbSize(), KEYS.length);
      } finally {
        client.destroy();
      }
    });
  }
});
