// One client of this package on one scripted cluster, for tests of what the engine sends where.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { startScriptedCluster } from './scripted-cluster.mjs';

export const { createCluster, ...ours } = createRequire(import.meta.url)('../../index.js');

/** Keys and their slots. Three primaries share the slots evenly: `b` is on node 0, `c` on 1, `a` on 2. */
export const SLOTS = Object.freeze({ a: 15_495, b: 3_300, c: 7_365, f: 3_168 });

const PATIENCE_MS = 5_000;

/** Waits until `condition` holds; fails, naming it, if it never does. */
export async function until(condition, what = String(condition)) {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `it never came to: ${what}`);
    await sleep(1);
  }
}

/**
 * Runs `use` with a connected client on a scripted cluster of its own, and ends both.
 *
 * @param {object} setup
 * @param {import('./scripted-cluster.mjs').ClusterScript} [setup.script]
 * @param {number} [setup.primaries]
 * @param {number} [setup.replicasPerPrimary]
 * @param {(cluster: import('./scripted-cluster.mjs').ScriptedCluster) => void | Promise<void>} [setup.prepare]
 *   called before the client connects
 * @param {Record<string, any>} [setup.options] for `createCluster`
 * @param {(context: { cluster: import('./scripted-cluster.mjs').ScriptedCluster, client: any,
 *   events: [name: string, ...args: any[]][] }) => Promise<void>} use
 */
export async function onScriptedCluster(setup, use) {
  const { prepare, options } = setup;
  const cluster = await startScriptedCluster(setup);
  let client;
  try {
    await prepare?.(cluster);
    const listed = new Set(cluster.layout.flatMap(({ nodes }) => nodes));
    client = createCluster({
      rootNodes: cluster.seeds.filter((_, node) => listed.has(node)),
      defaults: { socket: { reconnectStrategy: 10 } },
      ...options,
    });
    const events = recordEvents(client);
    await client.connect();
    await use({ cluster, client, events });
  } finally {
    client?.destroy();
    await cluster.close();
  }
}

/** @returns {[name: string, ...args: any[]][]} grows with every error that the client tells of */
export function recordEvents(client) {
  const events = [];
  for (const name of ['error', 'node-error', 'node-ready', 'node-reconnecting']) {
    client.on(name, (...args) => events.push([name, ...args]));
  }
  return events;
}

/** How often the node that was asked most was asked for the slots: each refresh asks three nodes once. */
export function slotsAsked(cluster) {
  return Math.max(...cluster.nodes.map((node) => {
    return node.commands('CLUSTER').filter(([, what]) => what === 'SLOTS').length;
  }));
}

/** Arguments of what a node was sent to do for users, in the order of arrival, on all connections. */
export function userCommands(node) {
  const setup = new Set(['HELLO', 'CLIENT', 'CLUSTER', 'READONLY', 'ASKING']);
  return node.received.map(({ args }) => args).filter(([name]) => !setup.has(name.toUpperCase()));
}

/** As `prepare`: the last of four nodes is up, but no other node knows it. */
export function hideLastNode(cluster) {
  cluster.layout = cluster.layout.slice(0, -1);
  cluster.layout.at(-1).last = 16_383;
}

/** Gives a slot to another node in what CLUSTER SLOTS says from now on. */
export function assignSlot(cluster, slot, node) {
  cluster.layout = cluster.layout.flatMap((range) => {
    if (slot < range.first || slot > range.last) return [range];
    const parts = [
      { ...range, last: slot - 1 },
      { first: slot, last: slot, nodes: [node] },
      { ...range, first: slot + 1 },
    ];
    return parts.filter(({ first, last }) => first <= last);
  });
}

/** Lets a promise reject before anybody looks at it. */
export function quietly(promise) {
  promise.catch(() => {});
  return promise;
}

/**
 * Waits for all, however they end.
 *
 * @param {Promise<any>[]} promises
 * @returns {Promise<{ values: any[], errors: any[] }>}
 */
export async function outcomes(promises) {
  const settled = await Promise.allSettled(promises);
  return {
    values: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    errors: settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
  };
}

/**
 * Numbers of commands are used again. Had anything been answered twice, its second answer would now
 * be taken for somebody else's.
 */
export async function assertNoStrayAnswers(client, key) {
  const names = Array.from({ length: 50 }, (_, index) => `{${key}}stray${index}`);
  const answers = await Promise.all(
    names.map((name) => client.sendCommand(name, true, ['ECHO', name])),
  );
  assert.deepEqual(answers, names);
}
