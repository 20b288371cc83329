// Real clusters for the parity tests: three primaries of one server, started once per test file.

import { after, before, describe, test } from 'node:test';
import { startCluster } from '../../../scripts/local-cluster.mjs';
import { findServers } from '../../../scripts/servers.mjs';

/** A library of functions that the bodies may call. */
const LIBRARY = `#!lua name=parity
redis.register_function('parity_echo', function(keys, args) return {keys, args} end)
redis.register_function{
  function_name = 'parity_read',
  callback = function(keys, args) return redis.call('GET', keys[1]) end,
  flags = {'no-writes'},
}`;

/** Brings every node to the same state: no data, no scripts, one library, no statistics. */
export async function resetCluster(cluster) {
  await Promise.all(cluster.nodes.map(async ({ port }) => {
    await cluster.admin(port, 'FLUSHALL');
    await cluster.admin(port, 'SCRIPT', 'FLUSH');
    await cluster.admin(port, 'FUNCTION', 'FLUSH');
    await cluster.admin(port, 'FUNCTION', 'LOAD', LIBRARY);
    await cluster.admin(port, 'ACL', 'LOG', 'RESET');
    await cluster.admin(port, 'CONFIG', 'RESETSTAT');
  }));
}

/**
 * Declares tests that need a cluster of one server. A server that this machine lacks shows in the
 * output with the reason; where all of them are required (`CI`), it is a failure.
 *
 * @param {string} id which server, see `findServers()`
 * @param {(get: () => import('../../../scripts/local-cluster.mjs').LocalCluster) => void} declare
 * @param {object} [options] for `startCluster()`
 */
export async function describeOnServer(id, declare, options = {}) {
  const server = (await findServers()).find((one) => one.id === id);
  if (!server?.available) {
    const reason = `${id} is not available: ${server?.reason}`;
    test(`parity on ${id}`, { skip: process.env.CI ? false : reason }, () => {
      throw new Error(reason);
    });
    return;
  }
  describe(`parity on ${id} (${server.version})`, () => {
    let cluster;
    before(async () => {
      // A faster clock tick, because a server looks only then for blocked clients that are due.
      const args = ['--hz', '100', '--dynamic-hz', 'no'];
      cluster = await startCluster({ binary: server.binary, primaries: 3, args, ...options });
    });
    after(() => cluster?.stop());
    declare(() => cluster);
  });
}

/** For what does not depend on the server: the first one that this machine has. */
export async function anyServer() {
  const server = (await findServers()).find((one) => one.available);
  return server?.id ?? 'redis-7.0';
}
