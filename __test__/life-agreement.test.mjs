// Nodes that see the cluster differently: which view the client believes, and that it asks for them over
// the connections that it has.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assignSlot,
  onScriptedCluster,
  SLOTS,
  slotsAsked,
  until,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';

/** The client looks about once a second then. */
const OFTEN = { topologyRefreshInterval: 50 };
/** The slot of `b`, which is node 0's, with another node. */
const withB = (layout, node) => {
  const moved = { layout };
  assignSlot(moved, SLOTS.b, node);
  return moved.layout;
};

const script = ([name, key], { node, cluster }) => {
  if (name !== 'GET') return undefined;
  const to = cluster.movedTo;
  if (key === 'b' && to !== undefined && node !== to) {
    return resp.error(`MOVED ${SLOTS.b} ${cluster.address(to)}`);
  }
  return resp.bulk(`node ${node}`);
};

/** Two looks that begin from now on have been answered. */
async function twoLooks(cluster) {
  const before = slotsAsked(cluster);
  for (let more = 1; more <= 3; more++) {
    await until(() => slotsAsked(cluster) >= before + more, 'more looks');
  }
}

const ownerOfB = (client, cluster) =>
  cluster.nodes.findIndex(({ port }) => port === client.slots[SLOTS.b].master.port);

// Side by side: what they do is mostly to wait for the next look.
describe('views of the cluster', { concurrency: true }, () => {
  for (const [what, views, epochs, believed] of [
    ['two of three say so', [2, 2, 0], [1, 1, 1], 2],
    ['two of three say so, whoever they are', [0, 1, 1], [1, 1, 1], 1],
    ['two of three say so, and the third has heard more', [0, 1, 1], [99, 1, 1], 1],
    ['all three differ: the latest epoch', [0, 1, 2], [3, 1, 2], 0],
    ['all three differ: the latest epoch, whoever has it', [0, 1, 2], [1, 2, 3], 2],
  ]) {
    test(`the majority is believed: ${what}`, async () => {
      await onScriptedCluster({ script, options: OFTEN }, async ({ cluster, client }) => {
        assert.equal(ownerOfB(client, cluster), 0);
        const { layout } = cluster;
        cluster.epochOf = (node) => epochs[node];
        cluster.viewOf = (asked) => withB(layout, views[asked]);
        // Where it stays as it is, it must not change in between either.
        if (believed === 0) await twoLooks(cluster);
        await until(() => ownerOfB(client, cluster) === believed, 'it is believed');
        await twoLooks(cluster);
        assert.equal(ownerOfB(client, cluster), believed);
        assert.equal(await client.get('b'), `node ${believed}`);
      });
    });
  }

  for (const [epochs, believed] of [
    [[7, 5], 1],
    [[5, 7], 0],
  ]) {
    test(`one against one: the later epoch of ${epochs}`, async () => {
      const setup = { script, primaries: 2, options: OFTEN };
      await onScriptedCluster(setup, async ({ cluster, client }) => {
        const { layout } = cluster;
        // Node 0 says node 1, and the other way round.
        cluster.epochOf = (node) => epochs[node];
        cluster.viewOf = (asked) => withB(layout, 1 - asked);
        if (believed === 0) await twoLooks(cluster);
        await until(() => ownerOfB(client, cluster) === believed, 'it is believed');
        await twoLooks(cluster);
        assert.equal(ownerOfB(client, cluster), believed);
      });
    });
  }

  test('a view of nothing never replaces a good one', async () => {
    await onScriptedCluster({ script, options: OFTEN }, async ({ cluster, client, events }) => {
      const { layout } = cluster;
      cluster.viewOf = (asked) => (asked === 2 ? layout : []);
      await twoLooks(cluster);
      cluster.viewOf = () => [];
      await twoLooks(cluster);
      assert.equal(client.masters.length, 3);
      for (const [node, key] of ['b', 'c', 'a'].entries()) {
        assert.equal(await client.get(key), `node ${node}`);
      }
      // All of them, for more than one look: it is told once.
      assert.equal(events.filter(([name]) => name === 'error').length, 1);
      assert.ok(!events.some(([name]) => name === 'node-error'));
      cluster.viewOf = () => withB(layout, 1);
      await until(() => ownerOfB(client, cluster) === 1, 'the next good one is believed');
    });
  });

  test('a view of another cluster never replaces a good one', async () => {
    const foreign = await startScriptedCluster({ primaries: 3 });
    foreign.idOf = (node) => String(node).padStart(40, 'f');
    const isForeign = new Set();
    const setup = {
      options: OFTEN,
      script: (args, context) =>
        args[1]?.toUpperCase() === 'SLOTS' && isForeign.has(context.node)
          ? foreign.clusterSlots(context.node, context.connection.protocol)
          : script(args, context),
    };
    try {
      await onScriptedCluster(setup, async ({ cluster, client, events }) => {
        // Else the good one might not be asked, and a root node is believed whatever it says.
        for (const key of ['b', 'c', 'a']) await client.get(key);
        isForeign.add(0).add(1);
        await twoLooks(cluster);
        cluster.layout = withB(cluster.layout, 2);
        await until(() => ownerOfB(client, cluster) === 2, 'the third one is believed');
        for (const [node, key] of [[1, 'c'], [2, 'a'], [2, 'b'], [0, 'f']]) {
          assert.equal(await client.get(key), `node ${node}`);
        }
        assert.ok(foreign.nodes.every(({ accepted }) => accepted === 0));
        assert.deepEqual(events.filter(([name]) => name.endsWith('error')), []);
      });
    } finally {
      await foreign.close();
    }
  });

  test('a view with fewer slots does not take away owners', async () => {
    await onScriptedCluster({ script, options: OFTEN }, async ({ cluster, client }) => {
      const whole = cluster.layout;
      const connection = [...cluster.nodes[0].connections];
      // All say so: node 0 and its slots are not in it.
      cluster.layout = whole.slice(1);
      await twoLooks(cluster);
      assert.equal(ownerOfB(client, cluster), 0);
      assert.equal(client.masters.length, 3);
      assert.equal(await client.get('b'), 'node 0');
      assert.ok(connection.some((one) => cluster.nodes[0].connections.has(one)), 'still connected');
      // What has an owner in it is as it says.
      cluster.layout = withB(whole, 1).filter(({ nodes }) => nodes[0] !== 0);
      await until(() => ownerOfB(client, cluster) === 1, 'the slot that has a new owner');
      assert.equal(await client.get('f'), 'node 0');
    });
  });

  for (const [what, options, cause] of [
    ['every so often', OFTEN, async () => {}],
    ['after a MOVED', { topologyRefreshInterval: 0 }, (client) => client.get('b')],
  ]) {
    test(`the layout is asked for over the connections there are: ${what}`, async () => {
      await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
        const accepted = () => cluster.nodes.map((node) => node.accepted);
        // The connection that stays is there once it has answered; those of the discovery go.
        for (const key of ['b', 'c', 'a']) await client.get(key);
        await until(() => cluster.nodes.every(({ connections }) => connections.size === 1));
        const before = [accepted(), slotsAsked(cluster)];
        cluster.movedTo = 1;
        cluster.layout = withB(cluster.layout, 1);
        await cause(client);
        await until(() => slotsAsked(cluster) > before[1], 'it is asked for');
        await until(() => ownerOfB(client, cluster) === 1, 'the new owner shows');
        if (options === OFTEN) await twoLooks(cluster);
        assert.equal(await client.get('b'), 'node 1');
        assert.deepEqual(accepted(), before[0]);
      });
    });
  }

  test('topologyRefreshInterval 0: nobody asks without a reason', async () => {
    const options = { topologyRefreshInterval: 0 };
    await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
      const before = slotsAsked(cluster);
      const begin = performance.now();
      while (performance.now() - begin < 1_500) {
        assert.equal(await client.get('c'), 'node 1');
        await sleep(50);
      }
      assert.equal(slotsAsked(cluster), before);
    });
  });
});
