// Commands that go to several nodes and have one answer. They change all nodes, so they come last.

import { RESP_TYPES } from '@redis/client';
import { body } from './body.mjs';

const NUMBERS_AS_TEXT = { typeMapping: { [RESP_TYPES.NUMBER]: String } };
const BUFFERS = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
const LUA = 'return 1';
const LUA_SHA = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';
const LIBRARY = `#!lua name=everywhere
redis.register_function('everywhere', function() return 1 end)`;

/** Names whose keys are spread over all nodes. */
const names = (prefix, count) => Array.from({ length: count }, (_, index) => `${prefix}:${index}`);

export const policies = [
  body('users on all nodes', async ({ c }) => {
    await c.aclSetUser('everyone', ['on', '>secret', '~*', '+get']);
    await c.aclSetUser('everyone', 'nonsense');
    await c.sendCommand(undefined, false, ['ACL', 'GETUSER', 'everyone'], BUFFERS);
    await c.aclDelUser(['everyone', 'nobody']);
    await c.aclDelUser('everyone');
    await c.sendCommand(undefined, false, ['acl', 'deluser', 'everyone'], NUMBERS_AS_TEXT);
    await c.aclSave();
  }),

  body('settings on all nodes', async ({ cluster, c, record }) => {
    await c.clientSetName('everyone');
    const seen = await Promise.all(Array.from({ length: 9 }, () => cluster.clientGetName()));
    await record('the name of each connection', new Set(seen.map(String)));
    await c.clientSetName('with space');
    await c.configSet('lfu-decay-time', '2');
    const set = () => cluster.sendCommand(undefined, true, ['CONFIG', 'GET', 'lfu-decay-time']);
    for (let time = 0; time < 6; time++) await record('what a node says', await set());
    await c.configSet({ 'lfu-decay-time': '1', 'lfu-log-factor': '10' });
    await c.configSet('nonsense', '1');
    await c.configSet('databases', '1');
    await c.configRewrite();
    await c.configResetStat();
    await c.latencyReset();
    await c.latencyReset('command', 'fork');
    await c.memoryPurge();
  }),

  body('ping', async ({ c }) => {
    await c.ping();
    await c.ping('text');
    await c.ping(Buffer.from([0, 255, 13, 10]));
    await c.sendCommand(undefined, true, ['PING']);
    await c.sendCommand('a key', true, ['ping', 'text'], BUFFERS);
    await c.sendCommand(undefined, true, ['PING', 'too', 'many']);
  }),

  body('the slow log', async ({ c }) => {
    await c.configSet('slowlog-log-slower-than', '-1');
    await c.sendCommand(undefined, false, ['SLOWLOG', 'RESET']);
    await c.sendCommand(undefined, false, ['SLOWLOG', 'LEN']);
    await c.sendCommand(undefined, false, ['SLOWLOG', 'GET', '10']);
    await c.sendCommand(undefined, false, ['SLOWLOG', 'GET', 'nonsense']);
    await c.sendCommand(undefined, false, ['slowlog', 'len'], NUMBERS_AS_TEXT);
    await c.configSet('slowlog-log-slower-than', '10000');
  }),

  body('scripts on all nodes', async ({ cluster, c, record }) => {
    await c.scriptLoad(LUA);
    await c.scriptExists(LUA_SHA);
    await c.scriptExists([LUA_SHA, LUA_SHA.replaceAll('e', 'f')]);
    await c.sendCommand(undefined, true, ['SCRIPT', 'EXISTS', LUA_SHA], NUMBERS_AS_TEXT);
    await record('run on each', await Promise.all(
      names('run', 6).map((key) => cluster.evalSha(LUA_SHA, { keys: [key] })),
    ));
    await c.sendCommand('run:0', false, ['SCRIPT', 'LOAD', 'return nonsense(']);
    await c.scriptFlush();
    await c.scriptExists([LUA_SHA]);
    await c.scriptLoad(LUA);
    await c.scriptFlush('SYNC');
    await c.scriptExists([LUA_SHA, LUA_SHA]);
    await c.scriptKill();
  }),

  body('functions on all nodes', async ({ cluster, c, on, record }) => {
    const binary = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await c.functionFlush();
    await c.functionLoad(LIBRARY);
    await c.functionLoad(LIBRARY);
    await c.functionLoad(LIBRARY, { REPLACE: true });
    await c.functionLoad('nonsense');
    await record('run on each', await Promise.all(
      names('run', 6).map((key) => cluster.fCall('everywhere', { keys: [key], arguments: [] })),
    ));
    const dump = await on(binary).functionDump();
    await c.functionDelete('everywhere');
    await c.functionDelete('everywhere');
    await c.functionRestore(dump, { mode: 'REPLACE' });
    await c.functionRestore(dump);
    await c.functionRestore(Buffer.from('nonsense'));
    await c.functionKill();
    await c.functionFlush('SYNC');
    await c.functionList();
  }),

  body('the number of keys', async ({ cluster, c }) => {
    await c.flushAll();
    await c.dbSize();
    await c.randomKey();
    await cluster.set('one', '1');
    await c.randomKey();
    await cluster.mSet(names('size', 40).map((key) => [key, '1']));
    await c.dbSize();
    await c.sendCommand(undefined, true, ['DBSIZE']);
    await c.sendCommand('one', true, ['dbsize'], NUMBERS_AS_TEXT);
    await c.sendCommand(undefined, true, ['DBSIZE', 'too many']);
    await c.flushDb();
    await c.dbSize();
    await c.flushAll('SYNC');
    await c.flushDb('ASYNC');
    await c.sendCommand(undefined, false, ['FLUSHALL', 'nonsense']);
  }),

  body('keys of all nodes', async ({ cluster, c, unordered, record }) => {
    const stored = names('all', 30);
    await cluster.mSet([...stored, 'é', '\0\r\n'].map((key) => [key, '1']));
    await unordered.keys('*');
    await unordered.keys('all:1?');
    await unordered.keys(Buffer.from('é'));
    await c.keys('all:7');
    await c.keys('nothing');
    await unordered.sendCommand(undefined, true, ['KEYS', 'all:*'], BUFFERS);
    await unordered.sendCommand('all:1', true, ['keys', '*']);
    await c.sendCommand(undefined, true, ['KEYS']);
    const some = await Promise.all(Array.from({ length: 20 }, () => cluster.randomKey()));
    const known = new Set([...stored, 'é', '\0\r\n']);
    await record('each is a key', some.map((key) => known.has(String(key))));
    await record('not always the same', new Set(some.map(String)).size > 1);
  }),

  body('raw commands without a method', async ({ c, outline }) => {
    await c.sendCommand(undefined, false, ['CLIENT', 'SETINFO', 'lib-name', 'test']);
    await c.sendCommand(undefined, false, ['CLIENT', 'SETINFO', 'nonsense', 'test']);
    await c.sendCommand(undefined, false, ['WAITAOF', '0', '0', '0']);
    await c.sendCommand(undefined, false, ['WAIT', '0', '1'], NUMBERS_AS_TEXT);
    await c.sendCommand(undefined, false, ['WAIT', 'nonsense', '1']);
    const slots = ['CLUSTER', 'SLOT-STATS', 'SLOTSRANGE', '0', '16383'];
    await outline.sendCommand(undefined, true, slots);
  }),
];
