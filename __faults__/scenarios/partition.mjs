// A node is cut off by dropping packets: nobody is told, no port is closed.

import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../clock.mjs';
import { cutOff, cutOffClients, enter, isInside, runInside } from '../namespace.mjs';
import { fromJsonValue } from '../report.mjs';
import { membersOf, promotionOf, untilInSync } from '../servers.mjs';
import * as targets from '../targets.mjs';
import { underLoad } from '../under-load.mjs';

const SHARD = 0;
/** Otherwise all nodes refuse everything until the replica is promoted. */
const PARTIAL_COVERAGE = { args: ['--cluster-require-full-coverage', 'no'] };
/** Longer than it takes to replace the node. */
const CUT_OFF_MS = { quick: 5_000, full: 10_000 };
const CLIENTS_CUT_OFF_MS = 3_000;
/** What was sent meanwhile is repeated by the system, at intervals that double: then it goes on. */
const BACK_AFTER_CLIENTS_MS = 3_500;

async function cutOffPrimary({ cluster, story, quick }) {
  const { primary, replicas } = await membersOf(cluster, SHARD);
  const promoted = promotionOf(replicas[0]);
  const cutAt = now();
  const endFault = story.fault({ name: 'cut off', shards: [SHARD], losesUnreplicated: true });
  const { heal } = await cutOff(primary);
  const at = await promoted;
  endFault();
  story.recovery({ name: 'promoted', shards: [SHARD], at });
  story.prove(`promoted ${Math.round(at - cutAt)} ms after the cut`);
  await sleep(CUT_OFF_MS[quick ? 'quick' : 'full'] - (now() - cutAt));
  story.fault({ name: 'healed', shards: [SHARD] });
  await heal();
  await untilInSync(primary);
  story.prove('the old primary came back and became a replica');
}

async function cutOffItsClients({ cluster, story }) {
  const { primary } = await membersOf(cluster, SHARD);
  const endFault = story.fault({ name: 'clients cut off', shards: [SHARD] });
  const { heal } = await cutOffClients(primary);
  await sleep(CLIENTS_CUT_OFF_MS);
  await heal();
  endFault();
  story.recovery({ name: 'healed', shards: [SHARD] });
}

/** Outside, it starts itself inside of a network of its own. */
function isolated(id, fault) {
  return async (context) => {
    if (!isInside()) return runInside(id, context, fromJsonValue);
    const { binary, remove } = await enter(context.binary);
    try {
      return await underLoad({ server: PARTIAL_COVERAGE, ...fault })({ ...context, binary });
    } finally {
      remove();
    }
  };
}

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    id: 'partition',
    title: 'all packets of a primary are dropped, its replica is promoted, the network heals',
    run: isolated('partition', { act: cutOffPrimary }),
    targets: [
      ...targets.ONLY_WRITES_IN_FLIGHT_FAIL,
      ...targets.backWithin(500),
      ...targets.INTEGRITY,
    ],
  },
  {
    id: 'partition-clients',
    title: 'all packets between clients and a primary are dropped for 3 s',
    run: isolated('partition-clients', { act: cutOffItsClients }),
    targets: [
      ...targets.NOTHING_FAILS,
      ...targets.backWithin(BACK_AFTER_CLIENTS_MS),
      ...targets.INTEGRITY,
    ],
  },
];
