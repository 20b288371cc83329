// WAIT and WAITAOF are about the writes of this client: all of its connections are asked, the least counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oracle, subject, withCluster } from './parity/harness/clients.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';

/** One key on each primary. */
const KEYS = ['a', 'b', 'c'];
const PATIENCE_MS = 1_000;

forEachServer((server) => {
  const running = sharedCluster(server, { replicasPerPrimary: 1, args: ['--appendonly', 'yes'] });

  for (const side of [oracle, subject]) {
    test(`${side.name}: as many replicas as the last writes reached`, async () => {
      await withCluster(side, { rootNodes: running().seeds }, async (cluster) => {
        await Promise.all(KEYS.map((key) => cluster.set(key, side.name)));
        assert.equal(await cluster.wait(1, PATIENCE_MS), 1);
        assert.equal(await cluster.wait(0, PATIENCE_MS), 1);
        const all = await Promise.all([
          ...KEYS.map((key) => cluster.set(key, 'again')),
          cluster.sendCommand(undefined, false, ['WAIT', '1', String(PATIENCE_MS)]),
        ]);
        assert.deepEqual(all, ['OK', 'OK', 'OK', 1]);
        // More than there are: the time is over, and the answer is what there is.
        assert.equal(await cluster.wait(2, 50), 1);
      });
    });

    test(`${side.name}: a replica that stands still counts for all shards`, async () => {
      const frozen = running().nodes.find(({ role }) => role === 'replica');
      await withCluster(side, { rootNodes: running().seeds }, async (cluster) => {
        await running().kill(frozen, 'SIGSTOP');
        try {
          await Promise.all(KEYS.map((key) => cluster.set(key, 'unseen')));
          assert.equal(await cluster.wait(1, 100), 0);
        } finally {
          await running().kill(frozen, 'SIGCONT');
        }
        assert.equal(await cluster.wait(1, 5 * PATIENCE_MS), 1);
      });
    });

    test(`${side.name}: WAITAOF, in each place the least`, async (t) => {
      await withCluster(side, { rootNodes: running().seeds }, async (cluster) => {
        const wait = () => cluster.sendCommand(undefined, false, ['WAITAOF', '1', '1', '4000']);
        await Promise.all(KEYS.map((key) => cluster.set(key, 'on disk')));
        const answer = await wait().catch(({ message }) => message);
        // Servers before 7.2 do not know it; that it reaches all of them shows in engine-fanout.
        if (/unknown command/.test(answer)) return t.diagnostic(`${server.version}: ${answer}`);
        assert.deepEqual(answer, [1, 1]);
      });
    });
  }
});
