// Commands that a user brings along: scripts, functions and modules.

import { defineScript, RESP_TYPES } from '@redis/client';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { comparePrograms } from './harness/programs.mjs';

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };

const scripts = {
  setAndGet: defineScript({
    SCRIPT: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key, value) {
      parser.pushKey(key);
      parser.push(value);
    },
    transformReply: (reply) => ({ reply }),
  }),
  readOnly: defineScript({
    SCRIPT: "return redis.call('GET', KEYS[1])",
    NUMBER_OF_KEYS: 1,
    IS_READ_ONLY: true,
    parseCommand(parser, key) {
      parser.pushKey(key);
    },
    transformReply: { 2: (reply) => ['RESP 2', reply], 3: (reply) => ['RESP 3', reply] },
  }),
  countsItsKeys: defineScript({
    SCRIPT: 'return #KEYS',
    parseCommand(parser, keys) {
      parser.pushKeysLength(keys);
    },
    transformReply: undefined,
  }),
  fails: defineScript({
    SCRIPT: "return redis.error_reply('MYERR on purpose')",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key) {
      parser.pushKey(key);
    },
    transformReply: undefined,
  }),
  withoutKeys: defineScript({
    SCRIPT: 'return ARGV[1]',
    NUMBER_OF_KEYS: 0,
    parseCommand(parser, text) {
      parser.push(text);
    },
    transformReply: undefined,
  }),
};

const functions = {
  parity: {
    parity_echo: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser, key, ...args) {
        parser.pushKey(key);
        parser.push(...args);
      },
      transformReply: (reply) => ({ reply }),
    },
    parity_read: {
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: true,
      parseCommand(parser, key) {
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
    parity_missing: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser, key) {
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
  },
};

const modules = {
  mine: {
    echo: {
      IS_READ_ONLY: true,
      parseCommand(parser, text) {
        parser.push('ECHO', text);
      },
      transformReply: (reply) => reply.toString().toUpperCase(),
    },
    fetch: {
      IS_READ_ONLY: true,
      parseCommand(parser, key, note) {
        parser.push('GET');
        parser.pushKey(key);
        parser.preserve = note;
      },
      transformReply: (reply, preserve, typeMapping) => ({ reply, preserve, typeMapping }),
    },
    unknown: {
      parseCommand(parser, key) {
        parser.push('MINE.UNKNOWN');
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
    throwsInParse: {
      parseCommand() {
        throw new RangeError('in parseCommand');
      },
      transformReply: undefined,
    },
    throwsInTransform: {
      parseCommand(parser, key) {
        parser.push('GET');
        parser.pushKey(key);
      },
      transformReply() {
        throw new RangeError('in transformReply');
      },
    },
  },
};

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
