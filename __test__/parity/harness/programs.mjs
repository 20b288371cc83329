// Whole programs, connections included, run on each side in turn and compared step by step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oracle, SIDES } from './clients.mjs';
import { resetCluster } from './fixture.mjs';
import { createContext } from './recorder.mjs';

/**
 * Step by step, so that the first difference is named by its command.
 *
 * @param {unknown[][]} actual
 * @param {unknown[][]} expected
 */
export function compareRecords(actual, expected) {
  for (const [index, step] of expected.entries()) {
    assert.deepStrictEqual(actual[index], step, `step ${index + 1}, ${step[0]}`);
  }
  assert.equal(actual.length, expected.length);
}

/**
 * @typedef {ReturnType<typeof createContext> & {
 *   side: import('./clients.mjs').Side,
 *   servers: import('../../../scripts/local-cluster.mjs').LocalCluster,
 *   open: (options?: object) => any,
 * }} ProgramContext `open()` makes a cluster that is destroyed after the program
 */

/**
 * @param {string} name
 * @param {() => import('../../../scripts/local-cluster.mjs').LocalCluster} getServers
 * @param {(context: ProgramContext) => Promise<void>} program
 */
export function comparePrograms(name, getServers, program) {
  test(name, async () => {
    const seen = new Map();
    for (const side of SIDES) {
      await resetCluster(getServers());
      seen.set(side, await runProgram(side, getServers(), program));
    }
    for (const [, records] of seen) compareRecords(records, seen.get(oracle));
  });
}

async function runProgram(side, servers, program) {
  const opened = [];
  const open = (options = {}) => {
    const cluster = side.package.createCluster({ rootNodes: servers.seeds, ...options });
    cluster.on('error', () => {});
    opened.push(cluster);
    return cluster;
  };
  const context = createContext(undefined);
  try {
    await program({ ...context, side, servers, open });
  } finally {
    for (const cluster of opened) if (cluster.isOpen) cluster.destroy();
  }
  return context.records;
}
