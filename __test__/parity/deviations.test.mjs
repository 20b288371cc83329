// Each deliberate deviation still deviates, on both sides in the way that the list says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster, withAnyServer } from '../support/servers.mjs';
import { deviations } from './deviations.mjs';
import { oracle, subject, SUBJECT_IS_ORACLE, withCluster } from './harness/clients.mjs';
import { resetCluster } from './harness/fixture.mjs';

withAnyServer((server) => {
  const getServers = sharedCluster(server);

  async function outcome(side, { options, run }) {
    const servers = getServers();
    await resetCluster(servers);
    return withCluster(side, { rootNodes: servers.seeds, ...options }, run);
  }

  for (const deviation of deviations) {
    test(`node-redis: ${deviation.name}`, async () => {
      assert.deepStrictEqual(await outcome(oracle, deviation), deviation.nodeRedis);
    });
    test(
      `ours: ${deviation.name}`,
      { skip: SUBJECT_IS_ORACLE && 'node-redis is the subject' },
      async () => {
        assert.deepStrictEqual(await outcome(subject, deviation), deviation.ours);
      },
    );
  }
});
