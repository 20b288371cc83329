// Makes one cluster of separate nodes with CLUSTER commands, and waits until it is whole.

import { setTimeout as sleep } from 'node:timers/promises';

const SLOTS = 16_384;
const POLL_MS = 25;
const READY_TIMEOUT_MS = 20_000;

/**
 * Which slots a primary gets: equal shares, in order.
 *
 * @param {number} index
 * @param {number} primaries
 */
export function slotRange(index, primaries) {
  return {
    first: Math.floor((index * SLOTS) / primaries),
    last: Math.floor(((index + 1) * SLOTS) / primaries) - 1,
  };
}

/** @param {import('./local-cluster.mjs').LocalCluster} cluster of nodes that were just started */
export async function formCluster(cluster) {
  const { nodes, primaries } = cluster;
  await Promise.all(
    nodes.map(async (node, index) => {
      node.id = await cluster.admin(node.port, 'CLUSTER', 'MYID');
      // Distinct epochs from the start: nodes would otherwise have to settle collisions first.
      await cluster.admin(node.port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }),
  );
  await Promise.all(
    primaries.map(({ port }, index) => {
      const { first, last } = slotRange(index, primaries.length);
      return cluster.admin(port, 'CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
    }),
  );
  await introduce(cluster);
  await Promise.all(
    nodes
      .filter((node) => node.role === 'replica')
      .map(({ port, primaryIndex }) =>
        cluster.admin(port, 'CLUSTER', 'REPLICATE', primaries[primaryIndex].id),
      ),
  );
  await until(cluster, 'the cluster is ok', (node) => isReady(cluster, node));
}

/** Each node meets each other one: waiting for gossip to spread the news would take seconds. */
async function introduce(cluster) {
  const { nodes } = cluster;
  await Promise.all(
    nodes.flatMap((node, index) =>
      nodes
        .slice(index + 1)
        .map(({ port }) => cluster.admin(node.port, 'CLUSTER', 'MEET', '127.0.0.1', String(port))),
    ),
  );
  await until(cluster, 'all nodes know each other', async ({ port }) => {
    const known = await cluster.admin(port, 'CLUSTER', 'NODES');
    return !known.includes('handshake') && nodes.every(({ id }) => known.includes(id));
  });
}

async function isReady(cluster, { port, role }) {
  const info = await cluster.admin(port, 'CLUSTER', 'INFO');
  if (!info.includes('cluster_state:ok')) return false;
  if (role === 'replica') {
    const replication = await cluster.admin(port, 'INFO', 'replication');
    if (!replication.includes('master_link_status:up')) return false;
  }
  const slots = await cluster.admin(port, 'CLUSTER', 'SLOTS');
  const listed = new Set(slots.flatMap(([, , ...copies]) => copies.map(([, port]) => port)));
  return listed.size === cluster.nodes.length;
}

/** Asks every node again and again until each has said yes. */
async function until(cluster, what, isTrue) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  const wait = async (node) => {
    while (!(await isTrue(node))) {
      if (Date.now() > deadline) throw new Error(`port ${node.port}: not in time: ${what}`);
      await sleep(POLL_MS);
    }
  };
  await Promise.all(cluster.nodes.map(wait));
}
