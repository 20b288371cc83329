// Real clusters for the parity tests: three primaries of one server, one cluster per test file.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findServers } from '../../../scripts/servers.mjs';
import { sharedCluster } from '../../support/servers.mjs';

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
  await Promise.all(
    cluster.nodes.map(async ({ port, role }) => {
      await cluster.admin(port, 'SCRIPT', 'FLUSH');
      await cluster.admin(port, 'ACL', 'LOG', 'RESET');
      await cluster.admin(port, 'CONFIG', 'RESETSTAT');
      if (role !== 'primary') return;
      await cluster.admin(port, 'FLUSHALL');
      await cluster.admin(port, 'FUNCTION', 'FLUSH');
      await cluster.admin(port, 'FUNCTION', 'LOAD', LIBRARY);
    }),
  );
}

// A faster clock tick, because a server looks only then for blocked clients that are due.
const ARGS = ['--hz', '100', '--dynamic-hz', 'no'];

/**
 * Declares tests that need a cluster of one server. A server that this machine lacks shows in the
 * output with the reason; where all of them are required (`CI`), it is a failure.
 *
 * @param {string} id which server, see `findServers()`
 * @param {(get: () => import('../../../scripts/local-cluster.mjs').LocalCluster) => void} declare
 */
export async function describeOnServer(id, declare) {
  const server = (await findServers()).find((one) => one.id === id);
  if (server?.available) {
    describe(`parity on ${id} (${server.version})`, () =>
      declare(sharedCluster(server, { args: ARGS })));
    return;
  }
  const reason = `${id} is not available: ${server?.reason}`;
  test(`parity on ${id}`, { skip: process.env.CI ? false : reason }, () => assert.fail(reason));
}
