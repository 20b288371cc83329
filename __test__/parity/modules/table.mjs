// Calls of module commands with realistic replies.

import { jsonAndSearch } from './json-and-search.mjs';
import { probabilistic } from './probabilistic.mjs';
import { timeSeries } from './time-series.mjs';

/**
 * @typedef {[path: string, args: unknown[], reply: unknown, resp3?: unknown]} ModuleCall
 *   `resp3` where RESP 3 differs by more than its notation
 */

/** @type {ModuleCall[]} */
export const moduleCalls = [...probabilistic, ...jsonAndSearch, ...timeSeries];

const CURSOR =
  'its cursor stays on one node: the reply is rewritten by cluster-wide cursor handling';

/** @type {Record<string, string>} bundled commands without a call here -> reason */
export const MODULE_EXCLUSIONS = {
  'ft.aggregateWithCursor': CURSOR,
  'ft.cursorRead': CURSOR,
  'ft.cursorDel': CURSOR,
  'ft.hybrid': 'experimental, and no server answers it in a settled format',
};

/** @param {ModuleCall} call */
export function replyOf([, , reply, resp3], protocol) {
  return protocol === 3 && resp3 !== undefined ? resp3 : reply;
}
