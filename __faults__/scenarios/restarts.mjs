// Nodes are restarted, replaced, or gone for good; the whole cluster is down.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  addReplica,
  forget,
  handOver,
  membersOf,
  promotionOf,
  untilInSync,
  untilSettled,
} from '../servers.mjs';
import * as targets from '../targets.mjs';
import { SHARDS, underLoad } from '../under-load.mjs';

const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);
const DOWN_MS = { quick: 3_000, full: 5_000 };
/**
 * The other nodes try every 100 ms to reach a node that was restarted. Until they do, their votes
 * for it are lost, and it asks again only after 4 s; meanwhile its primary refuses all writes.
 */
const BUS_RECONNECTS_MS = 500;
/** Before the next seed is killed, the others must have settled: they vote. */
const BETWEEN_KILLS_MS = 1_000;
/** Each write waits for the disk here. */
const DURABLE_PACE_MS = 20;
const DURABLE = { args: ['--appendonly', 'yes', '--appendfsync', 'always'] };

async function restart({ cluster, story }, node) {
  story.fault({ name: 'restart', shards: [node.primaryIndex] });
  await cluster.kill(node, 'SIGTERM');
  await cluster.restart(node);
  await untilInSync(node);
  await sleep(BUS_RECONNECTS_MS);
  await untilSettled(cluster);
}

/** As an operator does it: no primary is ever restarted, it hands over first. */
async function restartAll(stage) {
  for (const shard of ALL) {
    const { replicas } = await membersOf(stage.cluster, shard);
    await restart(stage, replicas[0]);
    await restart(stage, await handOver(stage, shard, replicas[0]));
  }
  stage.story.prove(`${stage.cluster.nodes.length} nodes restarted`);
}

async function replaceNode(stage) {
  const { cluster, story } = stage;
  const { primary, replicas } = await membersOf(cluster, 0);
  const newcomer = await addReplica(cluster, primary);
  await handOver(stage, 0, newcomer);
  await untilInSync(replicas[0]);
  await untilSettled(cluster);
  story.fault({ name: 'the old node ends', shards: [0] });
  await cluster.kill(primary, 'SIGTERM');
  await forget(cluster, primary);
  story.prove(`port ${primary.port} gave way to ${newcomer.port}`);
}

/** The client knows the three primaries only; each is killed after the one before was replaced. */
async function killSeeds({ cluster, story }) {
  for (const shard of ALL) {
    const { primary, replicas } = await membersOf(cluster, shard);
    const promoted = promotionOf(replicas[0]);
    story.fault({ name: 'kill -9', shards: [shard], losesUnreplicated: true });
    await cluster.kill(primary);
    story.recovery({ name: 'promoted', shards: [shard], at: await promoted });
    await sleep(BETWEEN_KILLS_MS);
  }
  story.prove(`${ALL.length} of ${ALL.length} seeds killed`);
}

async function killAll({ cluster, story, probe, quick }) {
  const endFault = story.fault({ name: 'all down', shards: ALL });
  await Promise.all(cluster.nodes.map((node) => cluster.kill(node)));
  await sleep(DOWN_MS[quick ? 'quick' : 'full']);
  await Promise.all(cluster.nodes.map((node) => cluster.restart(node)));
  await untilAnswering({ story, probe, endFault });
}

async function pauseAll({ cluster, story, probe, quick }) {
  const endFault = story.fault({ name: 'all paused', shards: ALL });
  await Promise.all(cluster.nodes.map((node) => cluster.kill(node, 'SIGSTOP')));
  await sleep(DOWN_MS[quick ? 'quick' : 'full']);
  await Promise.all(cluster.nodes.map((node) => cluster.kill(node, 'SIGCONT')));
  await untilAnswering({ story, probe, endFault });
}

/** The servers are back when each shard has accepted a write of the probe. */
async function untilAnswering({ story, probe, endFault }) {
  const { at: downAt } = story.faults[0];
  // The last answers from before may still arrive; an outage this long has no other cause.
  const resumed = await Promise.all(ALL.map((shard) => probe.acceptedAfter(shard, downAt + 1_000)));
  endFault();
  for (const [shard, at] of resumed.entries()) {
    story.recovery({ name: 'answers', shards: [shard], at });
  }
  const seconds = (Math.max(...resumed) - downAt) / 1000;
  story.prove(`no shard was served for up to ${seconds.toFixed(1)} s`);
}

const AFTER_AN_OUTAGE = [
  ...targets.backWithin(200),
  targets.none('commands that failed before their deadline', 'earlyFailures'),
  ...targets.INTEGRITY,
];
const UNNOTICED = [...targets.NOTHING_FAILS, ...targets.STALL_BEYOND_SERVERS, ...targets.INTEGRITY];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'rolling-restart',
    title: 'all nodes are restarted one after the other',
    run: underLoad({ probe: true, act: restartAll }),
    targets: UNNOTICED,
  },
  {
    id: 'replace',
    title: 'a node is replaced by one on a new port',
    run: underLoad({ probe: true, act: replaceNode }),
    targets: UNNOTICED,
  },
  {
    id: 'seeds-gone',
    title: 'all seeds are killed one after the other',
    run: underLoad({
      server: { args: ['--cluster-require-full-coverage', 'no'] },
      seeds: ({ primaries }) => primaries,
      act: killSeeds,
    }),
    targets: [
      ...targets.ONLY_WRITES_IN_FLIGHT_FAIL,
      ...targets.backWithin(200),
      ...targets.INTEGRITY,
    ],
  },
  {
    id: 'all-down',
    title: 'all nodes are killed and started again',
    run: underLoad({
      server: DURABLE,
      load: { paceMs: DURABLE_PACE_MS },
      probe: true,
      act: killAll,
    }),
    targets: AFTER_AN_OUTAGE,
  },
  {
    id: 'all-paused',
    title: 'all nodes are paused (SIGSTOP, SIGCONT)',
    run: underLoad({ probe: true, act: pauseAll }),
    targets: AFTER_AN_OUTAGE,
  },
];
