// Commands that a user brings along: scripts, functions and modules.

import { RESP_TYPES } from '@redis/client';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { comparePrograms } from './harness/programs.mjs';
import { functions, modules, scripts } from './harness/user-commands.mjs';

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };

async function flushScripts(servers) {
  await Promise.all(servers.nodes.map(({ port }) => servers.admin(port, 'SCRIPT', 'FLUSH')));
}

withAnyServer((server) => {
  const getServers = sharedCluster(server);

  for (const RESP of [2, 3]) {
    const compare = (name, program) =>
      comparePrograms(`${name}, RESP ${RESP}`, getServers, async (context) => {
        const cluster = context.open({ RESP, scripts, functions, modules });
        await cluster.connect();
        await program(context, cluster);
      });

    compare('scripts', async ({ attempt, key, servers }, cluster) => {
      for (const round of ['first', 'known', 'forgotten']) {
        if (round === 'forgotten') await flushScripts(servers);
        await attempt(`${round}: setAndGet`, () => cluster.setAndGet(key('a'), 'value'));
        await attempt(`${round}: readOnly`, () => cluster.readOnly(key('a')));
        await attempt(`${round}: countsItsKeys`, () => cluster.countsItsKeys([key('a'), key('b')]));
        await attempt(`${round}: withoutKeys`, () => cluster.withoutKeys('text'));
        await attempt(`${round}: fails`, () => cluster.fails(key('a')));
      }
      await attempt('mapped', () =>
        cluster.withTypeMapping(BUFFERS).setAndGet(key('a'), Buffer.from([255])),
      );
      await attempt('many at once', () =>
        Promise.all(
          Array.from({ length: 20 }, (_, index) => cluster.setAndGet(key(`k${index}`), `${index}`)),
        ),
      );
      await attempt('bad argument', () => cluster.setAndGet(key('a'), 5));
    });

    compare('functions', async ({ attempt, key }, cluster) => {
      await cluster.set(key('a'), 'value');
      await attempt('echo', () => cluster.parity.parity_echo(key('a'), 'one', Buffer.from('two')));
      await attempt('read', () => cluster.parity.parity_read(key('a')));
      await attempt('missing', () => cluster.parity.parity_missing(key('a')));
      await attempt('mapped', () => cluster.withTypeMapping(BUFFERS).parity.parity_read(key('a')));
    });

    compare('modules', async ({ attempt, record, key }, cluster) => {
      await cluster.set(key('a'), 'value');
      const view = cluster.withTypeMapping(BUFFERS);
      await attempt('echo', () => cluster.mine.echo('text'));
      await attempt('fetch', () => cluster.mine.fetch(key('a'), 'note'));
      await attempt('fetch, mapped', () => view.mine.fetch(key('a'), 'note'));
      await attempt('unknown', () => cluster.mine.unknown(key('a')));
      await attempt('throws in parseCommand', () => cluster.mine.throwsInParse());
      await attempt('throws in transformReply', () => cluster.mine.throwsInTransform(key('a')));
      await attempt('bundled modules are still there', () => cluster.json.get(key('a')));
      await record('namespaces', [
        cluster.mine === cluster.mine,
        view.mine === cluster.mine,
        Object.keys(cluster.mine),
      ]);
    });
  }
});
