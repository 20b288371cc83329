// The steady load: workers whose lanes each issue their next command every few milliseconds.

import { watchProcess } from '../../__bench__/meters.mjs';
import { createFaultClient } from '../clients.mjs';
import { now } from '../clock.mjs';
import { createLane, describeError, DONE, FAILED, issue, settle } from '../ledger.mjs';
import { KINDS } from './lanes.mjs';

const TICK_MS = 1;
/** Pushes under way per worker: when the servers stand still, so many are left hanging. */
const PUSH_WINDOW = 8;

/**
 * @typedef {object} LoadOrder
 * @property {string} client
 * @property {{ host: string, port: number }[]} seeds
 * @property {import('../keys.mjs').Worker[]} workers
 * @property {string[]} kinds of lanes
 * @property {number} paceMs between two rounds of a lane
 * @property {number} settleLimitMs how long promises may take after the last command was issued
 */

/**
 * @param {LoadOrder} order
 * @param {import('../child.mjs').Channel} channel
 */
export async function load(order, channel) {
  const client = createFaultClient(order.client, order.seeds);
  await client.connect();
  const { kinds, transactions } = await supportedKinds(client, order);
  const lanes = order.workers.flatMap((worker) => lanesOf(client, worker, kinds));
  const stopWatching = watchProcess();
  const stopIssuing = issueSteadily(lanes, order.paceMs);
  await channel.send('ready', { transactions });

  await channel.received('stop');
  stopIssuing();
  const stoppedAt = now();
  const deadline = stoppedAt + order.settleLimitMs;
  while (lanes.some(({ pending }) => pending > 0) && now() < deadline) await tick();
  const { holdMaxMs } = stopWatching();
  await channel.send('result', { lanes: lanes.map(({ lane }) => lane), stoppedAt, holdMaxMs });
  await client.close();
}

const tick = () => new Promise((resolve) => setTimeout(resolve, TICK_MS));

/** A client without transactions is not measured on them. */
async function supportedKinds(client, { kinds, workers }) {
  if (!kinds.includes('multi')) return { kinds };
  try {
    await client.transaction([`faults:probe:{${workers[0].tags[0]}}`], 'probe');
    return { kinds, transactions: 'measured' };
  } catch (error) {
    const why = describeError(error);
    return { kinds: kinds.filter((kind) => kind !== 'multi'), transactions: `left out: ${why}` };
  }
}

function lanesOf(client, worker, kinds) {
  const context = { client, lanes: {}, floors: [] };
  return kinds.map((name) => {
    const { kind, writes, perRound = 1, next } = KINDS[name];
    const window = kind === 'push' ? PUSH_WINDOW : 1;
    const lane = createLane(worker, { kind, writes, window });
    context.lanes[kind] = lane;
    return { lane, perRound, pending: 0, next: (index) => next(lane, index, context) };
  });
}

/** Lanes take turns over the ticks of a round: together they load the client evenly. */
function issueSteadily(lanes, paceMs) {
  let ticks = 0;
  const timer = setInterval(() => {
    for (let at = ticks++ % paceMs; at < lanes.length; at += paceMs) startRound(lanes[at]);
  }, TICK_MS);
  return () => clearInterval(timer);
}

function startRound(running) {
  const { lane, perRound } = running;
  for (let n = 0; n < perRound && running.pending < lane.window; n++) {
    const order = running.next(lane.issued.length);
    if (order === undefined) return;
    running.pending++;
    void follow(running, order);
  }
}

async function follow(running, { send, check }) {
  const { lane } = running;
  const index = issue(lane, now());
  try {
    const reply = await send();
    const at = now();
    settle(lane, index, at, DONE);
    const bad = check(reply, at);
    if (bad) lane.bad.push({ index, ...bad });
  } catch (error) {
    settle(lane, index, now(), FAILED);
    lane.errors.set(index, describeError(error));
  }
  running.pending--;
}
