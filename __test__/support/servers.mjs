// Which servers a test file runs against, and one cluster of its own for it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster } from '../../scripts/local-cluster.mjs';
import { findServers } from '../../scripts/servers.mjs';

const servers = await findServers();

/**
 * Declares the suite once for each server. One that cannot be had on this machine becomes a skipped
 * test that says why (in CI: a failed one), so that the summary never passes over it in silence.
 *
 * @param {(server: { id: string, binary: string, version: string }) => void} suite
 */
export function forEachServer(suite) {
  for (const { id, available, binary, version, reason } of servers) {
    if (available) describe(id, () => suite({ id, binary, version }));
    else missing(id, reason);
  }
}

/** The same for tests that need a cluster but not every server: the first one that can be had. */
export function withAnyServer(suite) {
  const found = servers.find(({ available }) => available);
  if (found) describe(found.id, () => suite(found));
  else missing('a Redis server', servers.map(({ reason }) => reason).join('; '));
}

function missing(name, reason) {
  const skip = process.env.CI ? false : reason;
  test(`${name} is available`, { skip }, () => assert.fail(reason));
}

/**
 * A cluster that starts before the tests of the enclosing suite and ends after them.
 *
 * @param {{ binary: string }} server
 * @param {Omit<Parameters<typeof startCluster>[0], 'binary'>} [options]
 * @returns {() => import('../../scripts/local-cluster.mjs').LocalCluster} to be called inside tests
 */
export function sharedCluster({ binary }, options = {}) {
  let cluster;
  before(async () => {
    cluster = await startCluster({ binary, ...options });
  });
  after(() => cluster?.stop());
  return () => cluster;
}
