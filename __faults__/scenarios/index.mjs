// All scenarios, in the order in which they run.

import { scenarios as connections } from './connections.mjs';
import { scenarios as failover } from './failover.mjs';
import { scenarios as floods } from './floods.mjs';
import { scenarios as partition } from './partition.mjs';
import { scenarios as reshard } from './reshard.mjs';
import { scenarios as restarts } from './restarts.mjs';

/**
 * @typedef {object} Scenario
 * @property {string} id as given to --only
 * @property {string} title as printed
 * @property {(context: import('../under-load.mjs').Context) => Promise<{ figures: any, proof: string[] }>} run
 * @property {import('../targets.mjs').Target[]} targets
 */

/** @type {Scenario[]} */
export const SCENARIOS = [
  ...failover,
  ...partition,
  ...reshard,
  ...restarts,
  ...connections,
  ...floods,
];
