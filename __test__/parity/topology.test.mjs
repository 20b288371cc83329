// What a cluster tells about its nodes: slots, masters, replicas, nodeByAddress.

import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { comparePrograms } from './harness/programs.mjs';

/** The connection itself is not compared. */
const CONNECTION_FIELDS = ['client', 'connectPromise'];

const nodeOf = (node) =>
  node &&
  Object.fromEntries(Object.entries(node).filter(([name]) => !CONNECTION_FIELDS.includes(name)));
const byAddress = (nodes) => nodes.map(nodeOf).sort((a, b) => (a.address < b.address ? -1 : 1));

async function describeTopology({ record }, cluster) {
  await record('kinds', [
    Array.isArray(cluster.slots),
    Array.isArray(cluster.masters),
    Array.isArray(cluster.replicas),
    cluster.nodeByAddress instanceof Map,
  ]);
  await record('masters', byAddress(cluster.masters));
  await record('replicas', byAddress(cluster.replicas));
  await record(
    'nodeByAddress',
    [...cluster.nodeByAddress].map(([address, node]) => [address, nodeOf(node)]).sort(),
  );
  for (const slot of [0, 5460, 5461, 8191, 10922, 10923, 16383, 16384, -1]) {
    const shard = cluster.slots[slot];
    await record(
      `slot ${slot}`,
      shard && {
        fields: Object.keys(shard).filter((name) => name !== 'nodesIterator'),
        master: nodeOf(shard.master),
        replicas: shard.replicas?.map(nodeOf),
      },
    );
  }
  await record('slots', cluster.slots.length);
  await record('identities', [
    cluster.slots[0] === cluster.slots[1],
    cluster.slots[0].master === cluster.nodeByAddress.get(cluster.slots[0].master.address),
    cluster.masters.includes(cluster.slots[0].master),
    cluster.getMasters() === cluster.masters,
    cluster.getSlotMaster(7) === cluster.slots[7].master,
    cluster.slots === cluster.slots,
  ]);
}

withAnyServer((server) => {
  const getServers = sharedCluster(server, { replicasPerPrimary: 1 });
  const compare = (name, options) =>
    comparePrograms(name, getServers, async (context) => {
      const cluster = context.open(options(context.servers));
      await cluster.connect();
      await describeTopology(context, cluster);
      await describeTopology(context, cluster.withTypeMapping({}));
    });

  compare('topology', () => ({}));
  compare('topology with replicas', () => ({ useReplicas: true }));
  compare('topology with lazy connections', () => ({ minimizeConnections: true }));
  compare('topology with mapped addresses', (servers) => ({
    nodeAddressMap: Object.fromEntries(
      servers.nodes.map(({ port }) => [`127.0.0.1:${port}`, { host: 'localhost', port }]),
    ),
  }));

  comparePrograms(
    'asking for a slot that does not exist',
    getServers,
    async ({ open, attempt }) => {
      const cluster = open();
      await attempt('before connect', async () => void cluster.getSlotMaster(0));
      await cluster.connect();
      await attempt('no such slot', async () => void cluster.getSlotMaster(16384));
    },
  );
});
