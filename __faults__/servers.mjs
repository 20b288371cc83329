// What the scenarios do with the nodes of a cluster, and what they wait for.

import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../scripts/server-process.mjs';
import { now } from './clock.mjs';
import { RawConnection } from './raw-connection.mjs';

/** Fine enough for targets of 100 ms; a ROLE costs the server some microseconds. */
const ROLE_POLL_MS = 3;
const POLL_MS = 20;
const ASK_TIMEOUT_MS = 1_000;
const PATIENCE_MS = 30_000;

/** @typedef {import('../scripts/local-cluster.mjs').LocalCluster} LocalCluster */
/** @typedef {import('../scripts/local-cluster.mjs').ClusterNode} ClusterNode */

export const isRunning = ({ process: child }) =>
  child.exitCode === null && child.signalCode === null;

/** One question on a connection of its own. Rejects if there is no answer within a second. */
export async function ask(port, ...args) {
  const connection = new RawConnection(port);
  const late = sleep(ASK_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`port ${port} does not answer ${args.join(' ')}`);
  });
  try {
    return await Promise.race([connection.send(...args), late]);
  } finally {
    late.catch(() => {});
    connection.close();
  }
}

async function eventually(what, isTrue) {
  const deadline = now() + PATIENCE_MS;
  let last;
  while (!(await isTrue().catch((error) => ((last = error), false)))) {
    if (now() > deadline) {
      throw new Error(`the servers did not get there in ${PATIENCE_MS} ms: ${what}`, {
        cause: last,
      });
    }
    await sleep(POLL_MS);
  }
}

/** The nodes of a shard by their role of today. */
export async function membersOf(cluster, shard) {
  const members = cluster.nodes.filter((node) => node.primaryIndex === shard && isRunning(node));
  const roles = await Promise.all(members.map(({ port }) => ask(port, 'ROLE')));
  const withRole = (wanted) => members.filter((_, index) => roles[index][0] === wanted);
  return { primary: withRole('master')[0], replicas: withRole('slave') };
}

/** Waits until a node calls itself a primary. @returns {Promise<number>} when it was seen */
export async function promotionOf({ port }) {
  const connection = new RawConnection(port);
  const deadline = now() + PATIENCE_MS;
  try {
    for (;;) {
      const [role] = await connection.send('ROLE');
      if (role === 'master') return now();
      if (now() > deadline) throw new Error(`port ${port} was not promoted in ${PATIENCE_MS} ms`);
      await sleep(ROLE_POLL_MS);
    }
  } finally {
    connection.close();
  }
}

/** A replica that has its primary's data, and a view of the cluster that is ok. */
export async function untilInSync({ port }) {
  await eventually(`port ${port} is a replica in sync`, async () => {
    const [replication, info] = await Promise.all([
      ask(port, 'INFO', 'replication'),
      ask(port, 'CLUSTER', 'INFO'),
    ]);
    return replication.includes('master_link_status:up') && info.includes('cluster_state:ok');
  });
}

/**
 * Waits until all nodes that run agree on who owns what, who replicates whom and which epoch it is,
 * and call none of them failing. A hand-over that begins before the last change has got round may
 * be refused or undone by the servers.
 */
export async function untilSettled(cluster) {
  const running = cluster.nodes.filter(isRunning);
  await eventually('all nodes agree and are ok', async () => {
    const views = await Promise.all(running.map(({ port }) => viewOf(port, running)));
    return views.every(({ isOk, picture }) => isOk && picture === views[0].picture);
  });
}

/** How one node sees those that run. */
async function viewOf(port, running) {
  const info = await ask(port, 'CLUSTER', 'INFO');
  const lines = (await ask(port, 'CLUSTER', 'NODES')).trim().split('\n');
  const known = running.map(({ id }) => {
    const [, , flags = 'unknown', primary] =
      lines.find((line) => line.startsWith(id))?.split(' ') ?? [];
    return { id, flags: flags.replace('myself,', ''), primary };
  });
  const epoch = /cluster_current_epoch:(\d+)/.exec(info)?.[1];
  return {
    isOk:
      info.includes('cluster_state:ok') &&
      known.every(({ flags }) => /^(master|slave)$/.test(flags)),
    picture: JSON.stringify({ epoch, known, owners: await ownersAt(port) }),
  };
}

/** @returns {Promise<number[]>} the port of the primary of each slot, as one node sees it */
export async function ownersAt(port) {
  const owners = [];
  for (const [first, last, [, primary]] of await ask(port, 'CLUSTER', 'SLOTS')) {
    for (let slot = first; slot <= last; slot++) owners[slot] = primary;
  }
  return owners;
}

/** Starts one more node, with the arguments of its shard's primary, as a replica of that. */
export async function addReplica(cluster, primary) {
  const server = await startServer({ binary: primary.binary, args: primary.args });
  const id = await ask(server.port, 'CLUSTER', 'MYID');
  const { primaryIndex } = primary;
  const node = { ...server, id, role: /** @type {const} */ ('replica'), primaryIndex };
  cluster.nodes.push(node);
  for (const { port } of cluster.nodes.filter((one) => one !== node && isRunning(one))) {
    await ask(server.port, 'CLUSTER', 'MEET', '127.0.0.1', String(port));
  }
  // Refused until the primary is known.
  await eventually(`port ${server.port} replicates`, async () => {
    return (await ask(server.port, 'CLUSTER', 'REPLICATE', primary.id)) === 'OK';
  });
  await untilInSync(node);
  await untilSettled(cluster);
  return node;
}

/** The others stop asking a node that is gone for good. */
export async function forget(cluster, gone) {
  for (const { port } of cluster.nodes.filter(isRunning)) {
    await ask(port, 'CLUSTER', 'FORGET', gone.id);
  }
}

/** How often all nodes have answered with some error since they were started. */
export async function errorCounts(cluster, ...names) {
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  for (const { port } of cluster.nodes.filter(isRunning)) {
    const stats = await ask(port, 'INFO', 'errorstats');
    for (const name of names) {
      counts[name] += Number(new RegExp(`errorstat_${name}:count=(\\d+)`).exec(stats)?.[1] ?? 0);
    }
  }
  return counts;
}

/**
 * A replica takes over as an operator has it do so; returns when the one before follows it.
 *
 * @param {{ cluster: LocalCluster, story: import('./story.mjs').Story }} stage
 * @param {number} shard
 * @param {ClusterNode} successor
 * @returns {Promise<ClusterNode>} the one before
 */
export async function handOver({ cluster, story }, shard, successor) {
  const { primary } = await membersOf(cluster, shard);
  const promoted = promotionOf(successor);
  story.fault({ name: 'CLUSTER FAILOVER', shards: [shard] });
  await ask(successor.port, 'CLUSTER', 'FAILOVER');
  story.recovery({ name: 'promoted', shards: [shard], at: await promoted });
  await untilInSync(primary);
  await untilSettled(cluster);
  return primary;
}
