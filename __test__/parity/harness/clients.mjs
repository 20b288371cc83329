// The two packages under comparison. `PARITY_SUBJECT=redis` compares node-redis with itself: a
// difference that shows then comes from a test, not from our package.

import * as oraclePackage from 'redis';

const subjectPackage = await import(process.env.PARITY_SUBJECT ?? '../../../index.js');

/** True when node-redis is compared with itself. */
export const SUBJECT_IS_ORACLE = process.env.PARITY_SUBJECT === 'redis';

/**
 * @typedef {object} Side
 * @property {'node-redis' | 'ours'} name
 * @property {typeof import('redis')} package
 */

/** @type {Side} */
export const oracle = { name: 'node-redis', package: oraclePackage };
/** @type {Side} */
export const subject = { name: 'ours', package: subjectPackage };
export const SIDES = [oracle, subject];

/** A cluster of one side, with its errors collected instead of thrown. */
export function createCluster(side, options) {
  const cluster = side.package.createCluster(options);
  cluster.on('error', () => {});
  return cluster;
}

/**
 * Connects, lets `use` work, and closes whatever `use` left open.
 *
 * @template T
 * @param {Side} side
 * @param {object} options
 * @param {(cluster: any) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withCluster(side, options, use) {
  const cluster = createCluster(side, options);
  await cluster.connect();
  try {
    return await use(cluster);
  } finally {
    if (cluster.isOpen) cluster.destroy();
  }
}
