// A command whose keys are in several slots goes to one node, and its answer is the server's own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCluster, ours, SLOTS } from './support/engine-client.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';

const { SimpleError } = ours;

/** `a` and `b` belong to different nodes, `b` and `f` to different slots of one node. */
const PAIRS = [['a', 'b'], ['b', 'f']];
const COMMANDS = {
  mGet: (client, keys) => client.mGet(keys),
  del: (client, keys) => client.del(keys),
  mSet: (client, keys) => client.mSet(keys.map((key) => [key, 'changed'])),
};

forEachServer((server) => {
  const running = sharedCluster(server);

  test('keys of several slots: CROSSSLOT, and nothing is changed', async () => {
    const cluster = running();
    assert.notEqual(cluster.primaryOf(SLOTS.a).port, cluster.primaryOf(SLOTS.b).port);
    assert.equal(cluster.primaryOf(SLOTS.b).port, cluster.primaryOf(SLOTS.f).port);
    const client = createCluster({ rootNodes: cluster.seeds });
    await client.connect();
    try {
      for (const key of ['a', 'b', 'f']) await client.set(key, key);
      for (const keys of PAIRS) {
        for (const [name, run] of Object.entries(COMMANDS)) {
          await assert.rejects(run(client, keys), (error) => {
            assert.ok(error instanceof SimpleError, `${name}: ${error}`);
            assert.match(error.message, /^CROSSSLOT /, name);
            return true;
          });
        }
      }
      assert.deepEqual(await Promise.all(['a', 'b', 'f'].map((key) => client.get(key))), ['a', 'b', 'f']);
      assert.deepEqual(await client.mGet(['{b}1', '{b}2']), [null, null], 'one slot is served');
      assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
    } finally {
      client.destroy();
    }
  });
});
