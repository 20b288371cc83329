// One node is down or hangs, nobody replaces it, and commands keep coming.

import { setTimeout as sleep } from 'node:timers/promises';
import { slotRange } from '../../scripts/cluster-formation.mjs';
import { startCluster } from '../../scripts/local-cluster.mjs';
import { tagsIn } from '../keys.mjs';
import { isRunning } from '../servers.mjs';
import { Subject } from '../subject.mjs';
import * as targets from '../targets.mjs';
import { SHARDS, addressesOf } from '../under-load.mjs';

const SHARD = 0;
const KEYS_PER_SHARD = 1_000;
/** The same load on healthy servers first: what it takes by itself is not the fault's doing. */
const WARM_UP_MS = 2_000;
const FLOOD_MS = 5_000;
/** The clients' default timeout and some. */
const SETTLE_LIMIT_MS = 8_000;
const LIMIT_MS = 60_000;
/** The queue's default bound, and as much again for promises and what the allocator keeps. */
const GROWTH_MB = 64 + 64;
const OTHERS_SLOWEST_MS = 200;

const SMALL = { perSecond: 20_000, valueBytes: 100, turns: [0, 1, 2] };
/** 50 MB a second for the one shard: more than any bound would hold. */
const LARGE = { perSecond: 4_000, valueBytes: 16_384, turns: [0, 0, 0, 0, 1, 2] };

const SERVER_ARGS = [
  ...['--cluster-require-full-coverage', 'no'],
  ...['--cluster-replica-no-failover', 'yes'],
];

/**
 * @param {typeof SMALL} load
 * @param {NodeJS.Signals} signal what strikes the node
 */
function flood(load, signal) {
  return async ({ binary, client }) => {
    const cluster = await startCluster({
      binary,
      primaries: SHARDS,
      replicasPerPrimary: 1,
      args: SERVER_ARGS,
    });
    const subject = new Subject(floodOrder(load, client, cluster));
    try {
      return await strike(subject, cluster, signal);
    } finally {
      subject.kill();
      await cluster.stop();
    }
  };
}

function floodOrder({ perSecond, valueBytes, turns }, client, cluster) {
  const keys = Array.from({ length: SHARDS }, (_, shard) => {
    const tags = tagsIn(`s${shard}-`, slotRange(shard, SHARDS), KEYS_PER_SHARD);
    return tags.map((tag) => `faults:flood:{${tag}}`);
  });
  const rest = { perSecond, valueBytes, turns, settleLimitMs: SETTLE_LIMIT_MS };
  return { job: 'flood', client, seeds: addressesOf(cluster.nodes), keys, ...rest };
}

async function strike(subject, cluster, signal) {
  await subject.until('ready', LIMIT_MS);
  await sleep(WARM_UP_MS);
  const growth = subject.watchGrowth();
  const node = cluster.primaries[SHARD];
  await cluster.kill(node, signal);
  subject.send('fault');
  await sleep(FLOOD_MS);
  subject.send('stop');
  await subject.until('stopped', LIMIT_MS);
  const { seconds, shards } = await subject.until('result', LIMIT_MS);
  const rssGrowthMb = growth();
  const struck = shards[SHARD];
  const others = shards.filter((_, shard) => shard !== SHARD);
  const sum = (name) => others.reduce((total, shard) => total + shard[name], 0);
  const issued = struck.issued + sum('issued');
  return {
    figures: {
      done: struck.done + sum('done'),
      failedWrites: struck.failed,
      hung: struck.pending + sum('pending'),
      rssGrowthMb,
      perSecond: issued / seconds,
      failedElsewhere: sum('failed'),
      stallElsewhereMs: Math.max(...others.map(({ slowestMs }) => slowestMs)),
      errors: struck.errors,
    },
    proof: [
      `${Math.round(issued / seconds)} commands a second, ${struck.issued} for the struck shard`,
      `the node is ${isRunning(node) ? 'stopped' : 'gone'}`,
    ],
  };
}

const BOUNDED = [
  targets.atMost('growth of memory, MB', 'rssGrowthMb', GROWTH_MB),
  targets.none('failed commands of other shards', 'failedElsewhere'),
  targets.atMost('slowest command of other shards, ms', 'stallElsewhereMs', OTHERS_SLOWEST_MS),
  targets.none('promises that never settle', 'hung'),
];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'flood-down',
    title: 'a node is down, 20,000 SETs of 100 bytes a second',
    run: flood(SMALL, 'SIGKILL'),
    targets: BOUNDED,
  },
  {
    id: 'flood-hung',
    title: 'a node hangs, 20,000 SETs of 100 bytes a second',
    run: flood(SMALL, 'SIGSTOP'),
    targets: BOUNDED,
  },
  {
    id: 'flood-large',
    title: 'a node hangs, 50 MB a second for it in SETs of 16 KB',
    run: flood(LARGE, 'SIGSTOP'),
    targets: [...BOUNDED, targets.atLeast('rejected past the bound', 'failedWrites', 1)],
  },
];
