// Connections are cut; clients come and go; programs end.

import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../../scripts/local-cluster.mjs';
import { RawConnection } from '../raw-connection.mjs';
import { Subject } from '../subject.mjs';
import * as targets from '../targets.mjs';
import { SHARDS, addressesOf, underLoad } from '../under-load.mjs';

const CUT_EVERY_MS = 200;
const CUTS = { quick: 15, full: 40 };
/** Many commands must be under way at any moment, or nothing is cut off. */
const CUT_PACE_MS = 2;
const CYCLES = 1_000;
const CYCLES_LIMIT_MS = 120_000;
/** A leak of 5 KB per cycle would exceed it. */
const CYCLES_NOISE_MB = 5;
const IN_FLIGHT = 100;
const ENDING_LIMIT_MS = 15_000;

async function cutConnections({ cluster, story, quick }) {
  const connections = cluster.nodes.map(({ port }) => new RawConnection(port));
  let cut = 0;
  try {
    for (let n = 0; n < CUTS[quick ? 'quick' : 'full']; n++) {
      story.fault({ name: 'CLIENT KILL', shards: [0, 1, 2] });
      const kill = (connection) => connection.send('CLIENT', 'KILL', 'TYPE', 'NORMAL');
      const counts = await Promise.all(connections.map(kill));
      cut += counts.reduce((sum, count) => sum + count, 0);
      await sleep(CUT_EVERY_MS);
    }
  } finally {
    for (const connection of connections) connection.close();
  }
  if (cut === 0) throw new Error('there were no connections to cut');
  story.prove(`${cut} connections cut`);
}

/** Starts a cluster without load for something that is done with a client process. */
function onQuietCluster(job) {
  return async (context) => {
    const cluster = await startCluster({
      binary: context.binary,
      primaries: SHARDS,
      replicasPerPrimary: 1,
    });
    try {
      return await job(context, cluster);
    } finally {
      await cluster.stop();
    }
  };
}

async function connectAndClose({ client }, cluster) {
  const seeds = addressesOf(cluster.primaries);
  const subject = new Subject({ job: 'cycles', client, seeds, cycles: CYCLES });
  try {
    const { wallMs, weights } = await subject.until('result', CYCLES_LIMIT_MS);
    const steps = weights.slice(1).map(({ rssMb }, part) => rssMb - weights[part].rssMb);
    const [before, after] = [weights[0], weights.at(-1)];
    const { lingered } = await subject.end();
    return {
      figures: {
        done: CYCLES,
        wallMs,
        rssGrowthMb: Math.min(...steps) * steps.length,
        handleGrowth: after.handles - before.handles,
        descriptorGrowth: after.descriptors - before.descriptors,
        lingered: Number(lingered),
      },
      proof: [
        `${(wallMs / CYCLES).toFixed(1)} ms per cycle`,
        `memory ${weights.map(({ rssMb }) => rssMb.toFixed(0)).join(', ')} MB`,
      ],
    };
  } finally {
    subject.kill();
  }
}

/** Runs a program that ends, and sees how long that takes. */
async function end(client, order) {
  const subject = new Subject({ job: 'ending', client, ...order });
  try {
    const result = await subject.until('result', ENDING_LIMIT_MS);
    const { at, lingered } = await subject.end();
    return { ...result, exitMs: lingered ? Infinity : at - result.endedAt };
  } finally {
    subject.kill();
  }
}

async function closeInFlight({ client }, cluster) {
  const keys = Array.from({ length: IN_FLIGHT }, (_, n) => `faults:close:${n}`);
  const order = { how: 'close', seeds: addressesOf(cluster.nodes), keys };
  const { done, failed, errors, calledAt, endedAt, exitMs } = await end(client, order);
  const closeMs = endedAt - calledAt;
  return { figures: { done, failedWrites: failed, errors, closeMs, exitMs }, proof: [] };
}

const describeExit = (ms) =>
  ms === Infinity ? 'process did not end' : `process ended after ${Math.round(ms)} ms`;

/** At once, in the middle of the handshake, and while no seed answers. */
async function destroyWhileConnecting({ client }, cluster) {
  const seeds = addressesOf(cluster.primaries);
  const proof = [];
  const exits = [];
  const run = async (what, afterMs) => {
    const { connected, exitMs } = await end(client, { how: 'destroy', seeds, afterMs });
    exits.push(exitMs);
    proof.push(`${what}: connect() ${connected}, ${describeExit(exitMs)}`);
  };
  await run('at once', 0);
  await run('after 1 ms', 1);
  for (const node of cluster.primaries) await cluster.kill(node, 'SIGSTOP');
  await run('when no seed has answered for 300 ms', 300);
  return { figures: { exitMs: Math.max(...exits) }, proof };
}

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'cut',
    title: `all client connections are cut every ${CUT_EVERY_MS} ms`,
    run: underLoad({ load: { paceMs: CUT_PACE_MS }, act: cutConnections }),
    targets: [
      targets.none('failed reads', 'failedReads'),
      targets.none('failed writes that were not in flight during a cut', 'strayFailures'),
      ...targets.INTEGRITY,
    ],
  },
  {
    id: 'cycles',
    title: `${CYCLES} times connect and close`,
    run: onQuietCluster(connectAndClose),
    targets: [
      targets.atMost('growth of memory, MB', 'rssGrowthMb', CYCLES_NOISE_MB),
      targets.none('more handles', 'handleGrowth'),
      targets.none('more descriptors', 'descriptorGrowth'),
      targets.none('a process that stays', 'lingered'),
    ],
  },
  {
    id: 'close',
    title: `close() with ${IN_FLIGHT} commands in flight`,
    run: onQuietCluster(closeInFlight),
    targets: [
      targets.atLeast('commands that finish', 'done', IN_FLIGHT),
      targets.atMost('the process ends after, ms', 'exitMs', 100),
    ],
  },
  {
    id: 'destroy',
    title: 'destroy() during connect()',
    run: onQuietCluster(destroyWhileConnecting),
    targets: [targets.atMost('the process ends after, ms', 'exitMs', 100)],
  },
];
