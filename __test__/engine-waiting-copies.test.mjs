// A node that has no data to answer from (LOADING, MASTERDOWN): what other nodes can answer goes there
// at once, and goes there first for a while.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, until, userCommands } from './support/engine-client.mjs';
import { LOADING, MASTERDOWN, READONLY, refusing, TRYAGAIN } from './support/refusals.mjs';

/** One shard: node 0 is the primary, 1 and 2 are its replicas. */
const SHARD = { primaries: 1, replicasPerPrimary: 2, options: { useReplicas: true } };
/** As long as reads avoid a node after it has said so. */
const AVOIDED_MS = 1_000;

const counts = (cluster) => cluster.nodes.map((node) => userCommands(node).length);

/** All nodes are connected, so that each of them has its turn. */
const untilWhole = (cluster) =>
  until(() => cluster.nodes.every(({ connections }) => connections.size > 0), 'connections');

for (const reason of [LOADING, MASTERDOWN]) {
  const name = reason.split(' ')[0];

  test(`${name} from a replica: the read goes to another copy, later ones do without it`, async () => {
    const state = { reason, saidAt: [] };
    const script = refusing((_, { node }) => {
      if (node !== 1 || state.reason === undefined) return undefined;
      state.saidAt.push(performance.now());
      return state.reason;
    });
    await onScriptedCluster({ ...SHARD, script }, async ({ cluster, client }) => {
      await untilWhole(cluster);
      const answers = [];
      for (let count = 0; count < 30; count++) answers.push(await client.get('b'));
      const took = performance.now() - state.saidAt[0];
      assert.ok(answers.every((answer) => answer === 'node 0' || answer === 'node 2'));
      // On a machine that is so slow that the while is over, it may have been asked again.
      const again = Math.floor(took / AVOIDED_MS);
      assert.ok(state.saidAt.length >= 1 && state.saidAt.length <= 1 + again, String(state.saidAt));
      const [primary, , replica] = counts(cluster);
      assert.ok(primary >= 10 && replica >= 10, String(counts(cluster)));
      state.reason = undefined;
      await until(async () => (await client.get('b')) === 'node 1', 'it has its turn again');
      const avoidedFor = performance.now() - state.saidAt.at(-1);
      assert.ok(avoidedFor >= AVOIDED_MS * 0.9, `${avoidedFor} ms`);
    });
  });

  test(`${name} from all copies: the read waits for the first that can answer`, async () => {
    const state = { reason };
    const script = refusing(() => state.reason);
    await onScriptedCluster({ ...SHARD, script }, async ({ cluster, client }) => {
      await untilWhole(cluster);
      const read = client.get('b');
      await until(() => counts(cluster).reduce((sum, count) => sum + count) >= 6, 'attempts');
      assert.ok(
        counts(cluster).every((count) => count > 0),
        `each was asked: ${counts(cluster)}`,
      );
      state.reason = undefined;
      assert.match(await read, /^node [012]$/);
    });
  });

  test(`${name} from the primary: its replicas answer reads, its writes wait`, async () => {
    const state = { reason };
    const script = refusing((_, { node }) => (node === 0 ? state.reason : undefined));
    await onScriptedCluster({ ...SHARD, script }, async ({ cluster, client }) => {
      await untilWhole(cluster);
      // Of another slot: reads stay behind writes of their own.
      const write = client.set('c', '1');
      for (let count = 0; count < 12; count++) assert.match(await client.get('b'), /^node [12]$/);
      await until(() => cluster.nodes[0].commands('SET').length >= 3, 'the write is being tried');
      state.reason = undefined;
      assert.equal(await write, 'OK');
      const writes = cluster.nodes.slice(1).flatMap((node) => node.commands('SET'));
      assert.deepEqual(writes, []);
    });
  });

  test(`${name}: without useReplicas only the primary is asked`, async () => {
    const state = { left: 5 };
    const script = refusing(() => (state.left-- > 0 ? reason : undefined));
    const setup = { ...SHARD, options: {}, script };
    await onScriptedCluster(setup, async ({ cluster, client }) => {
      assert.equal(await client.get('b'), 'node 0');
      assert.deepEqual(counts(cluster), [6, 0, 0]);
    });
  });

  test(`${name} to a command without a key: another primary is asked at once`, async () => {
    const saidAt = [];
    const script = refusing((_, { node }) => {
      if (node !== 0) return undefined;
      saidAt.push(performance.now());
      return reason;
    });
    await onScriptedCluster({ script }, async ({ cluster, client }) => {
      const answers = [];
      for (let count = 0; count < 12; count++) {
        answers.push(await client.sendCommand(undefined, true, ['TIME']));
      }
      const again = Math.floor((performance.now() - saidAt[0]) / AVOIDED_MS);
      assert.ok(answers.every((answer) => answer === 'node 1' || answer === 'node 2'));
      assert.ok(saidAt.length >= 1 && saidAt.length <= 1 + again, String(counts(cluster)));
    });
  });
}

test('READONLY and TRYAGAIN are not the fault of the copy: no other one is asked for that', async () => {
  for (const reason of [READONLY, TRYAGAIN]) {
    const state = { left: 4 };
    const script = refusing(() => (state.left-- > 0 ? reason : undefined));
    await onScriptedCluster({ ...SHARD, script }, async ({ cluster, client }) => {
      await untilWhole(cluster);
      assert.equal(await client.set('b', '1'), 'OK');
      assert.deepEqual(counts(cluster), [5, 0, 0]);
    });
  }
});
