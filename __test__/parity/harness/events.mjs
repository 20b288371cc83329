// The events of a cluster in a form that does not depend on which node happened to be quicker.

import { describe } from './describe-value.mjs';

const CLUSTER_EVENTS = ['connect', 'disconnect', 'error'];
const NODE_EVENTS = [
  'node-connect',
  'node-ready',
  'node-reconnecting',
  'node-disconnect',
  'node-error',
];

/** Starts to listen. @returns {unknown[][]} `[name, ...arguments]` as they come */
export function collectEvents(cluster) {
  const events = [];
  for (const name of [...CLUSTER_EVENTS, ...NODE_EVENTS]) {
    cluster.on(name, (...args) => events.push([name, ...args]));
  }
  return events;
}

/**
 * Between two events of the cluster, only the order of each single node's events is settled.
 *
 * @param {unknown[][]} events
 */
export function settledOrder(events) {
  const phases = [];
  let byNode = new Map();
  const closePhase = () => {
    const nodes = [...byNode].sort(([a], [b]) => (a < b ? -1 : 1));
    if (nodes.length > 0) phases.push(nodes);
    byNode = new Map();
  };
  for (const [name, ...args] of events) {
    if (CLUSTER_EVENTS.includes(name)) {
      closePhase();
      phases.push([name, describe(args)]);
      continue;
    }
    const node = args.at(-1);
    const address = `${node?.host}:${node?.port}`;
    byNode.set(address, [
      ...(byNode.get(address) ?? []),
      [name, Object.isFrozen(node), describe(args)],
    ]);
  }
  closePhase();
  return phases;
}
