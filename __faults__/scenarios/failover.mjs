// A primary is gone, hangs, sleeps, or hands over on purpose.

import { setTimeout as sleep } from 'node:timers/promises';
import { slotRange } from '../../scripts/cluster-formation.mjs';
import { now } from '../clock.mjs';
import { tagsIn } from '../keys.mjs';
import { RawConnection } from '../raw-connection.mjs';
import { handOver, membersOf, promotionOf, untilInSync } from '../servers.mjs';
import { Subject } from '../subject.mjs';
import * as targets from '../targets.mjs';
import { SHARDS, addressesOf, underLoad } from '../under-load.mjs';

const SHARD = 0;
const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);
/** Otherwise all nodes refuse everything until the replica is promoted. */
const PARTIAL_COVERAGE = { args: ['--cluster-require-full-coverage', 'no'] };
const HANG_MS = { quick: 5_000, full: 12_000 };
/**
 * There and back, and another. A node that is promoted a second time within seconds would count the
 * votes of the first time, and be demoted again by the others.
 */
const HAND_OVERS = [0, 0, 1];
const BETWEEN_FAILOVERS_MS = 500;
const SLEEP_S = 3;
/** Longer than the sleep: here nobody is to be promoted. */
const SLEEP_NODE_TIMEOUT_MS = 10_000;
const NEW_CLIENTS = 3;
const NEW_CLIENTS_LIMIT_MS = 30_000;

/** @param {number[]} refusing shards that do not answer before the promotion */
const killPrimary =
  (refusing) =>
  async ({ cluster, story }) => {
    const { primary, replicas } = await membersOf(cluster, SHARD);
    const promoted = promotionOf(replicas[0]);
    const killedAt = now();
    story.fault({ name: 'kill -9', shards: [SHARD], losesUnreplicated: true });
    await cluster.kill(primary);
    const at = await promoted;
    story.recovery({ name: 'promoted', shards: refusing, at });
    story.prove(`promoted ${Math.round(at - killedAt)} ms after the kill`);
  };

async function hangPrimary({ cluster, story, quick }) {
  const { primary, replicas } = await membersOf(cluster, SHARD);
  const promoted = promotionOf(replicas[0]);
  const stoppedAt = now();
  const endFault = story.fault({ name: 'SIGSTOP', shards: [SHARD], losesUnreplicated: true });
  await cluster.kill(primary, 'SIGSTOP');
  const at = await promoted;
  endFault();
  story.recovery({ name: 'promoted', shards: [SHARD], at });
  story.prove(`promoted ${Math.round(at - stoppedAt)} ms after SIGSTOP`);
  await sleep(HANG_MS[quick ? 'quick' : 'full'] - (now() - stoppedAt));
  story.fault({ name: 'SIGCONT', shards: [SHARD] });
  await cluster.kill(primary, 'SIGCONT');
  await untilInSync(primary);
  story.prove('the old primary woke up and became a replica');
}

async function handOverSome(stage) {
  for (const shard of HAND_OVERS) {
    const { replicas } = await membersOf(stage.cluster, shard);
    await handOver(stage, shard, replicas[0]);
    await sleep(BETWEEN_FAILOVERS_MS);
  }
  stage.story.prove(`${HAND_OVERS.length} hand-overs`);
}

/** One node does nothing for a while; meanwhile new clients come. */
async function putToSleep({ client, cluster, story }) {
  const { primary } = await membersOf(cluster, SHARD);
  const newcomers = await prepareNewcomers(client, cluster, primary);
  const connection = new RawConnection(primary.port);
  try {
    const endFault = story.fault({ name: 'DEBUG SLEEP', shards: [SHARD] });
    const sleeping = connection.send('DEBUG', 'SLEEP', String(SLEEP_S));
    await sleep(100);
    newcomers.send('start');
    await sleeping;
    endFault();
    story.recovery({ name: 'awake', shards: [SHARD] });
    const { times } = await newcomers.until('result', NEW_CLIENTS_LIMIT_MS);
    return {
      newClientConnectMs: Math.max(...times.map(({ connectMs }) => connectMs)),
      newClientAnswerMs: Math.max(...times.map(({ answerMs }) => answerMs)),
    };
  } finally {
    connection.close();
    newcomers.kill();
  }
}

/** They know all nodes, the sleeping one first, and ask for a key of another shard. */
async function prepareNewcomers(client, cluster, sleeper) {
  const nodes = [sleeper, ...cluster.nodes.filter((node) => node !== sleeper)];
  const [tag] = tagsIn('newcomer', slotRange(SHARD + 1, SHARDS), 1);
  const newcomers = new Subject({
    job: 'connectTimes',
    client,
    seeds: addressesOf(nodes),
    key: `faults:{${tag}}`,
    clients: NEW_CLIENTS,
  });
  await newcomers.until('ready', NEW_CLIENTS_LIMIT_MS);
  return newcomers;
}

const AFTER_A_KILL = [
  ...targets.ONLY_WRITES_IN_FLIGHT_FAIL,
  ...targets.backWithin(200),
  ...targets.INTEGRITY,
];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'kill',
    title: 'a primary is killed (kill -9)',
    run: underLoad({ server: PARTIAL_COVERAGE, act: killPrimary([SHARD]) }),
    targets: [...AFTER_A_KILL, ...targets.OTHER_SHARDS_UNTOUCHED],
  },
  {
    id: 'kill-full-coverage',
    title: 'a primary is killed; until the promotion all nodes answer CLUSTERDOWN',
    run: underLoad({ act: killPrimary(ALL) }),
    targets: AFTER_A_KILL,
  },
  {
    id: 'hang',
    title: 'a primary hangs (SIGSTOP), its replica is promoted, it wakes up',
    run: underLoad({ server: PARTIAL_COVERAGE, act: hangPrimary }),
    targets: [
      ...targets.ONLY_WRITES_IN_FLIGHT_FAIL,
      ...targets.backWithin(500),
      ...targets.INTEGRITY,
      ...targets.OTHER_SHARDS_UNTOUCHED,
    ],
  },
  {
    id: 'failover',
    title: `CLUSTER FAILOVER, ${HAND_OVERS.length} times`,
    run: underLoad({ probe: true, act: handOverSome }),
    targets: [...targets.NOTHING_FAILS, ...targets.STALL_BEYOND_SERVERS, ...targets.INTEGRITY],
  },
  {
    id: 'sleep',
    title: `a node sleeps ${SLEEP_S} s (DEBUG SLEEP), and new clients connect`,
    run: underLoad({ server: { nodeTimeoutMs: SLEEP_NODE_TIMEOUT_MS }, act: putToSleep }),
    targets: [
      ...targets.ONLY_WRITES_IN_FLIGHT_FAIL,
      ...targets.OTHER_SHARDS_UNTOUCHED,
      targets.atMost('a new client connects within, ms', 'newClientConnectMs', 100),
      ...targets.INTEGRITY,
    ],
  },
];
