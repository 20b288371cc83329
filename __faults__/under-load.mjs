// Runs one fault under the steady load: starts a cluster and a client, lets the fault happen, and
// audits the servers afterwards.

import { setTimeout as sleep } from 'node:timers/promises';
import { watchProcess } from '../__bench__/meters.mjs';
import { slotRange } from '../scripts/cluster-formation.mjs';
import { startCluster } from '../scripts/local-cluster.mjs';
import { judge } from './audit.mjs';
import { readContents } from './contents.mjs';
import { describeFailures, describeStall, loadFigures, writeCapacity } from './figures.mjs';
import { tagsIn } from './keys.mjs';
import { Probe } from './probe.mjs';
import { untilSettled } from './servers.mjs';
import { Story } from './story.mjs';
import { Subject } from './subject.mjs';

export const SHARDS = 3;
const WORKERS_PER_SHARD = 3;
const TAGS_PER_WORKER = 16;
const PACE_MS = 8;
const KINDS = ['incr', 'set', 'push', 'get'];

const CONNECT_LIMIT_MS = 15_000;
/** Twice the clients' default timeout, and some: what has not settled by then never will. */
const SETTLE_LIMIT_MS = 12_000;
const RESULT_LIMIT_MS = SETTLE_LIMIT_MS + 30_000;

/** From here on, times of a scenario are not the client's alone. */
const HOLD_MS = 50;
/** Before and after the fault, in ms. */
const PHASES = { quick: { calm: 1_000, after: 2_500 }, full: { calm: 2_000, after: 6_000 } };

/**
 * @typedef {object} Context
 * @property {string} binary of the server
 * @property {string} client
 * @property {boolean} quick
 * @property {(text: string) => void} log
 *
 * @typedef {Context & Stage0} Stage
 * @typedef {object} Stage0
 * @property {import('../scripts/local-cluster.mjs').LocalCluster} cluster
 * @property {Story} story
 * @property {Probe | undefined} probe
 * @property {Subject} subject
 *
 * @typedef {object} FaultUnderLoad
 * @property {(stage: Stage) => Promise<object | void>} act causes the fault, and waits until the
 *   servers have recovered; what it returns joins the figures
 * @property {object} [server] options of startCluster
 * @property {{ paceMs?: number, kinds?: string[], tags?: number, ranges?: object[] }} [load] ranges:
 *   of slots per shard, if not all of them
 * @property {boolean} [probe] whether the servers' own outage is measured
 * @property {(cluster: any) => any[]} [seeds] nodes that the client is told of; all of them by default
 */

/**
 * @param {FaultUnderLoad} fault
 * @returns {(context: Context) => Promise<{ figures: any, proof: string[] }>}
 */
export function underLoad(fault) {
  return async (context) => {
    const cluster = await startCluster({
      binary: context.binary,
      primaries: SHARDS,
      replicasPerPrimary: 1,
      ...fault.server,
    });
    const closing = [() => cluster.stop()];
    try {
      return await perform(fault, context, cluster, closing);
    } finally {
      for (const close of closing.reverse()) await close();
    }
  };
}

async function perform(fault, context, cluster, closing) {
  const phases = context.quick ? PHASES.quick : PHASES.full;
  const subject = new Subject(loadOrder(fault, context.client, cluster));
  closing.push(() => subject.kill());
  const { transactions } = await subject.until('ready', CONNECT_LIMIT_MS);
  const probe = fault.probe ? new Probe(cluster, SHARDS) : undefined;
  closing.push(() => probe?.stop());
  await sleep(phases.calm);

  const story = new Story();
  const growth = subject.watchGrowth();
  const stopWatching = watchProcess();
  closing.push(stopWatching);
  const more = await fault.act({ ...context, cluster, story, probe, subject });
  await sleep(phases.after);
  tellHold(story, stopWatching().holdMaxMs);
  subject.send('stop');
  const { lanes, stoppedAt, holdMaxMs } = await subject.until('result', RESULT_LIMIT_MS);
  const rssGrowthMb = growth();
  const outageMs = probe?.longestOutage(shardsOf(story), story.faults[0]?.at);
  const { lingered } = await subject.end();

  probe?.stop();
  await untilSettled(cluster);
  const findings = judge(lanes, await readContents(cluster, lanes), story.faults);
  const details = [
    describeStall(lanes, story, stoppedAt),
    ...describeFailures(lanes, story),
    ...findings.details,
  ];
  if (transactions) story.prove(`MULTI ${transactions}`);
  if (lingered) story.prove('after close() the process did not end within 3 s');
  const measured = { rssGrowthMb, holdMaxMs, outageMs, writeCapacity: writeCapacity(lanes, story) };
  const figures = {
    ...loadFigures(lanes, story, stoppedAt),
    ...findings,
    ...measured,
    details,
    ...more,
  };
  return { figures, proof: story.proof };
}

/** What held the harness held servers and clients too: other work on the machine. */
function tellHold(story, holdMs) {
  if (holdMs < HOLD_MS) return;
  story.prove(`the machine was busy: the harness itself had to wait ${Math.round(holdMs)} ms`);
}

const shardsOf = ({ faults }) => [...new Set(faults.flatMap(({ shards }) => shards))];

export const addressesOf = (nodes) => nodes.map(({ port }) => ({ host: '127.0.0.1', port }));

function loadOrder({ load = {}, seeds = ({ nodes }) => nodes }, client, cluster) {
  return {
    job: 'load',
    client,
    seeds: addressesOf(seeds(cluster)),
    workers: createWorkers(load),
    kinds: load.kinds ?? KINDS,
    paceMs: load.paceMs ?? PACE_MS,
    settleLimitMs: SETTLE_LIMIT_MS,
  };
}

function createWorkers({ ranges, tags = TAGS_PER_WORKER }) {
  return Array.from({ length: SHARDS * WORKERS_PER_SHARD }, (_, id) => {
    const shard = id % SHARDS;
    const range = ranges?.[shard] ?? slotRange(shard, SHARDS);
    return { id, shard, tags: tagsIn(`w${id}-`, range, tags) };
  });
}
