// Options of single commands: type mappings, withCommandOptions, keyPrefix.

import { RESP_TYPES, VerbatimString } from '@redis/client';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { comparePrograms } from './harness/programs.mjs';

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };
const TEXT_NUMBERS = { [RESP_TYPES.NUMBER]: String };

async function lookAround({ attempt, key }, cluster, label) {
  await attempt(`${label}: get`, () => cluster.get(key('a')));
  await attempt(`${label}: strLen`, () => cluster.strLen(key('a')));
  await attempt(`${label}: hGetAll`, () => cluster.hGetAll(key('h')));
  await attempt(`${label}: zScore`, () => cluster.zScore(key('z'), 'm'));
  await attempt(`${label}: raw`, () => cluster.sendCommand(key('a'), true, ['GET', key('a')]));
  await attempt(`${label}: raw with options`, () =>
    cluster.sendCommand(key('a'), true, ['GET', key('a')], { typeMapping: BUFFERS }),
  );
}

async function fill(cluster, key) {
  await cluster.set(key('a'), 'value');
  await cluster.hSet(key('h'), { f: '1', g: '2' });
  await cluster.zAdd(key('z'), { score: 1.5, value: 'm' });
}

/** What DEBUG PROTOCOL offers, with each class that a type can be mapped to. */
const CLASSES = {
  string: [RESP_TYPES.BLOB_STRING, [Buffer, String]],
  integer: [RESP_TYPES.NUMBER, [Number, String]],
  double: [RESP_TYPES.DOUBLE, [Number, String]],
  bignum: [RESP_TYPES.BIG_NUMBER, [BigInt, String]],
  set: [RESP_TYPES.SET, [Array, Set]],
  map: [RESP_TYPES.MAP, [Object, Map, Array]],
  verbatim: [RESP_TYPES.VERBATIM_STRING, [String, Buffer, VerbatimString]],
};

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const compare = (name, program) => comparePrograms(name, getServers, program);

  for (const RESP of [2, 3]) {
    compare(`views with other options, RESP ${RESP}`, async (context) => {
      const cluster = context.open({ RESP });
      await cluster.connect();
      await fill(cluster, context.key);
      const buffers = cluster.withTypeMapping(BUFFERS);
      await lookAround(context, cluster, 'plain');
      await lookAround(context, buffers, 'mapped');
      await lookAround(context, buffers.withTypeMapping(TEXT_NUMBERS), 'mapped again');
      await lookAround(
        context,
        buffers.withCommandOptions({ typeMapping: TEXT_NUMBERS }),
        'replaced',
      );
      await lookAround(context, buffers.withCommandOptions({}), 'emptied');
      await lookAround(context, buffers.withCommandOptions(undefined), 'removed');
      await lookAround(context, cluster, 'plain again');
      await context.record('a view shares the state', [
        buffers.isOpen,
        buffers.isReady,
        buffers.masters === cluster.masters,
      ]);
      buffers.destroy();
      await context.record('and its end', [cluster.isOpen, buffers.isOpen]);
    });

    compare(`options at creation, RESP ${RESP}`, async (context) => {
      const cluster = context.open({ RESP, commandOptions: { typeMapping: BUFFERS } });
      await cluster.connect();
      await fill(cluster, context.key);
      await lookAround(context, cluster, 'created');
      await lookAround(context, cluster.withCommandOptions({ timeout: 1000 }), 'replaced');
      const copy = cluster.withTypeMapping(TEXT_NUMBERS).duplicate();
      copy.on('error', () => {});
      await copy.connect();
      await lookAround(context, copy, 'duplicate of a view');
      copy.destroy();
    });
  }

  compare('every class of every type', async ({ open, attempt, key }) => {
    const cluster = open();
    await cluster.connect();
    for (const [name, [type, classes]] of Object.entries(CLASSES)) {
      for (const target of classes) {
        const view = cluster.withTypeMapping({ [type]: target });
        await attempt(`${name} as ${target.name}`, () =>
          view.sendCommand(key('a'), false, ['DEBUG', 'PROTOCOL', name]),
        );
      }
    }
  });

  compare('timeouts and signals before the write', async ({ open, attempt, key }) => {
    const cluster = open();
    await cluster.connect();
    const aborted = AbortSignal.abort();
    await attempt('aborted', () =>
      cluster.withCommandOptions({ abortSignal: aborted }).get(key('a')),
    );
    await attempt('aborted raw', () =>
      cluster.sendCommand(key('a'), true, ['GET', key('a')], { abortSignal: aborted }),
    );
    await attempt('not aborted', () =>
      cluster.withCommandOptions({ abortSignal: new AbortController().signal }).get(key('a')),
    );
    for (const timeout of [undefined, 0, 1000]) {
      await attempt(`timeout ${timeout}`, () =>
        cluster.withCommandOptions({ timeout }).get(key('a')),
      );
    }
    await attempt('asap', () => cluster.withCommandOptions({ asap: true }).get(key('a')));
  });

  for (const [label, keyPrefix] of Object.entries({
    string: 'prefix:',
    'hash-tagged string': '{prefix}',
    Buffer: Buffer.from([0xff, 0x00, 0x3a]),
    empty: '',
  })) {
    compare(`keyPrefix: ${label}`, async ({ open, attempt, record, servers }) => {
      const cluster = open({ keyPrefix });
      await cluster.connect();
      const bytes = Buffer.from([1, 0xfe]);
      await attempt('set', () => cluster.set('{t}a', '1'));
      await attempt('set of a Buffer', () => cluster.set(bytes, '2'));
      await attempt('get', () => cluster.get('{t}a'));
      await attempt('get of a Buffer', () => cluster.get(bytes));
      await attempt('rPush', () => cluster.rPush('{t}l', ['x', 'y']));
      await attempt('lMove', () => cluster.lMove('{t}l', '{t}m', 'LEFT', 'RIGHT'));
      await attempt('blPop', () => cluster.blPop('{t}m', 1));
      await attempt('xAdd', () => cluster.xAdd('{t}x', '1-0', { a: '1' }));
      await attempt('xRead', () => cluster.xRead({ key: '{t}x', id: '0' }));
      await attempt('eval', () => cluster.eval('return KEYS[1]', { keys: ['{t}a'] }));
      await attempt('raw is not prefixed', () =>
        cluster.sendCommand('{t}a', true, ['GET', '{t}a']),
      );
      await attempt('sPublish is not prefixed', () => cluster.sPublish('{t}c', 'm'));
      await attempt('view', () => cluster.withTypeMapping(BUFFERS).get('{t}a'));
      await attempt('keySlot', () => cluster.clusterKeySlot('{t}a'));
      await attempt('bad key', () => cluster.get(5));
      const stored = await Promise.all(
        servers.primaries.map(({ port }) => servers.admin(port, 'KEYS', '*')),
      );
      await record(
        'stored',
        stored.map((keys) => keys.sort()),
      );
    });
  }
});
