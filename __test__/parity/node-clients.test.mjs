// Clients of single nodes: the same programs on node-redis's and on ours.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { comparePrograms } from './harness/programs.mjs';

const stateOf = (client) =>
  Object.fromEntries(
    ['isOpen', 'isReady', 'socketEpoch', 'isPubSubActive', 'isWatching', 'isDirtyWatch'].map(
      (name) => [name, client[name]],
    ),
  );

/** Gives up after a while: what is then compared shows what was missing. */
async function until(isTrue) {
  for (let tries = 0; tries < 150 && !isTrue(); tries++) await sleep(20);
}

async function all(pages) {
  const items = [];
  for await (const page of pages) items.push(...page);
  return items;
}

const thrown = async (action) => void (await action());

withAnyServer((server) => {
  const getServers = sharedCluster(server, { replicasPerPrimary: 1 });
  const compare = (name, program) => comparePrograms(name, getServers, program);
  const primaryWith = (cluster, key) =>
    cluster.getNodeClientForKey(key, false);

  for (const RESP of [2, 3]) {
    compare(`commands of one node, RESP ${RESP}`, async ({ open, attempt, record, side }) => {
      const cluster = open({ RESP });
      await cluster.connect();
      const client = await primaryWith(cluster, 'a');
      await attempt('set', () => client.set('a', '1'));
      await attempt('get', () => client.GET('a'));
      await attempt('raw', () => client.sendCommand(['GET', 'a']));
      await attempt('raw, missing', () => client.sendCommand(['GET', '{a}none']));
      await attempt('another node\'s key', () => client.get('b'));
      await attempt('another node\'s key, raw', () => client.sendCommand(['SET', 'c', 'x']));
      await attempt('keys of several slots', () => client.mGet(['a', 'b']));
      await attempt('ping', () => client.ping());
      await attempt('dbSize', () => client.dbSize());
      await attempt('keys', () => client.keys('*'));
      await attempt('scan', () => client.scan('0', { COUNT: 100 }));
      await attempt('scan, no such cursor', () => client.scan('x'));
      await attempt('configGet', () => client.configGet('maxmemory-policy'));
      await attempt('clusterInfo', async () => typeof (await client.clusterInfo()));
      await attempt('unknown', () => client.sendCommand(['NO', 'SUCH']));
      await attempt('select', () => client.select(0));
      await attempt('select another', () => client.select(1));
      await attempt('select, raw', () => client.sendCommand(['SELECT', '0']));
      await attempt('select another, raw', () => client.sendCommand(['select', '1']));
      await attempt('select nothing', () => client.sendCommand(['SELECT']));
      await attempt('bad argument', () => client.get(5));
      await attempt('bad raw argument', () => client.sendCommand(['GET', 5]));
      const { RESP_TYPES } = side.package;
      const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      await attempt('mapped', () => buffers.get('a'));
      await attempt('mapped, raw', () => buffers.sendCommand(['GET', 'a']));
      await attempt('mapped by the call', () =>
        client.sendCommand(['GET', 'a'], { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }));
      await attempt('with another option', () => buffers.withCommandOptions({ timeout: 500 }).get('a'));
      await attempt('asap', () => client.asap().get('a'));
      await attempt('aborted', () => client.withAbortSignal(AbortSignal.abort()).get('a'));
      await record('state', stateOf(client));
      await record('RESP', client.options.RESP);
      await record('readonly', client.options.readonly);
    });
  }

  compare('a script that the node does not know', async ({ open, attempt, side }) => {
    const { defineScript } = side.package;
    const add = defineScript({
      NUMBER_OF_KEYS: 1,
      SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
      parseCommand(parser, key, by) {
        parser.pushKey(key);
        parser.push(String(by));
      },
      transformReply: (reply) => `sum ${reply}`,
    });
    const cluster = open({ scripts: { add } });
    await cluster.connect();
    const client = await primaryWith(cluster, 'a');
    await attempt('EVAL', () => client.add('a', 2));
    await attempt('EVALSHA', () => client.add('a', 3));
    await attempt('elsewhere', () => client.add('b', 3));
  });

  for (const RESP of [2, 3]) {
    compare(`transactions and pipelines, RESP ${RESP}`, async ({ open, attempt, record, side }) => {
      const { RESP_TYPES, defineScript } = side.package;
      const echo = defineScript({
        NUMBER_OF_KEYS: 1,
        SCRIPT: 'return {KEYS[1], ARGV[1]}',
        parseCommand: (parser, key, text) => {
          parser.pushKey(key);
          parser.push(text);
        },
      });
      const cluster = open({ RESP, scripts: { echo } });
      await cluster.connect();
      const client = await primaryWith(cluster, 'a');
      const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map });
      for (const [name, one] of [['plain', client], ['mapped', buffers]]) {
        for (const way of ['exec', 'execAsPipeline']) {
          const filled = () =>
            one.multi().set('a', '1').GET('a').hSet('{a}h', 'f', 'v').hGetAll('{a}h').echo('a', 'x').echo('a', 'y')
              .addCommand(['GET', 'a'], (reply) => ['transformed', reply]).sendCommand(['PING']);
          await attempt(`${name} ${way}`, () => filled()[way]());
          await attempt(`${name} ${way}, nothing`, () => one.multi()[way]());
          await attempt(`${name} ${way}, an error inside`, () => one.multi().set('a', 'x').incr('a').get('a')[way]());
          await attempt(`${name} ${way}, select`, () => one.multi().select(0).get('a')[way]());
        }
      }
      await attempt('exec(true)', () => client.multi().get('a').exec(true));
      await attempt('typed', () => client.multi().get('a').execTyped());
      await attempt('pipeline, typed', () => client.multi().get('a').execAsPipelineTyped());
      await attempt('EXEC', () => client.MULTI().get('a').EXEC());
      await attempt('another node\'s key', () => client.multi().get('b').exec());
      await attempt('another node\'s key, as a pipeline', () => client.multi().get('b').execAsPipeline());
      await attempt('unknown', () => client.multi().sendCommand(['NO', 'SUCH']).get('a').exec());
      await attempt('prepared', () => client.multi().hImportPrepare('x', ['f']).exec());
      await record('no clash', await client.get('a'));
      client.destroy();
      await attempt('closed', () => client.multi().get('a').exec());
      await attempt('closed, as a pipeline', () => client.multi().get('a').execAsPipeline());
    });
  }

  compare('iterators', async ({ open, record, attempt }) => {
    const cluster = open();
    await cluster.connect();
    const client = await primaryWith(cluster, 'h');
    const numbers = Array.from({ length: 600 }, (_, index) => `n${index}`);
    await client.hSet('h', Object.fromEntries(numbers.map((name) => [name, name])));
    await client.sAdd('{h}s', numbers);
    await client.zAdd('{h}z', numbers.map((value, score) => ({ value, score })));
    const sorted = async (pages) => (await all(pages)).map((item) => JSON.stringify(item)).sort();
    await record('scan', await sorted(client.scanIterator({ COUNT: 1 })));
    await record('scan, matching', await sorted(client.scanIterator({ MATCH: '*s', TYPE: 'set' })));
    await record('hScan', await sorted(client.hScanIterator('h', { COUNT: 50 })));
    await record('hScan values', await sorted(client.hScanValuesIterator('h', { MATCH: 'n1*' })));
    await record('sScan', await sorted(client.sScanIterator('{h}s')));
    await record('zScan', await sorted(client.zScanIterator('{h}z', { COUNT: 7 })));
    await record('from a cursor', typeof (await client.scanIterator({ cursor: '0' }).next()).done);
    await attempt('elsewhere', () => all(client.sScanIterator('b')));
    await attempt('no values', () => all(client.hScanNoValuesIterator('h')).then((names) => names.length));
  });

  compare('which node', async ({ open, record, attempt }) => {
    const cluster = open({ useReplicas: true });
    await attempt('random, not open', () => thrown(() => cluster.getRandomNode()));
    await attempt('by key, not open', () => thrown(() => cluster.getNodeClientForKey('a')));
    await cluster.connect();
    const addresses = (nodes) => [...new Set(nodes.map(({ address }) => address))].sort();
    const many = Array.from({ length: 12 });
    await record('random', addresses(many.map(() => cluster.getRandomNode())));
    await record('random of a slot', addresses(many.map(() => cluster.getSlotRandomNode(0))));
    const who = async (client) => String(client.options.socket.port);
    await record('by key', await who(await cluster.getNodeClientForKey('a')));
    await record('by empty key', await who(await cluster.getNodeClientForKey('')));
    const replicas = await Promise.all(many.map(async () => who(await cluster.getNodeClientForKey('a', true))));
    await record('for reading', [...new Set(replicas)].sort());
    await record('found at the node', cluster.masters.map(({ client }) => typeof client.get));
    const [replica] = cluster.replicas;
    const client = await cluster.nodeClient(replica);
    await attempt('role of a replica', async () => (await client.role()).role);
    await attempt('a write to a replica', () => client.set('{x}', '1').catch((error) => error.message.split(' ')[0]));
    await record('readonly', client.options.readonly);
  });

  compare('what comes of it when the connection is killed', async ({ open, servers, record }) => {
    const cluster = open();
    await cluster.connect();
    const client = await primaryWith(cluster, 'a');
    const events = [];
    for (const name of ['connect', 'ready', 'reconnecting', 'error', 'end']) {
      client.on(name, (...args) => events.push([name, ...args]));
    }
    const { port } = client.options.socket;
    await servers.admin(port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => events.some(([name]) => name === 'ready'));
    await record('events', events);
    await record('state', stateOf(client));
    const end = once(client, 'end');
    cluster.destroy();
    await end;
    await record('last event', events.at(-1));
    await record('state', stateOf(client));
  });

  compare('a client whose cluster is closed', async ({ open, record, attempt }) => {
    for (const end of ['close', 'destroy']) {
      const cluster = open();
      await cluster.connect();
      const [node] = cluster.masters;
      const { client } = node;
      await attempt(end, async () => cluster[end]());
      await record('the same', node.client === client);
      await attempt('a command', () => client.ping());
      await attempt('raw', () => client.sendCommand(['PING']));
      await attempt('random', () => thrown(() => cluster.getRandomNode()));
    }
  });

  compare('opened twice', async ({ open, attempt }) => {
    const cluster = open();
    await cluster.connect();
    await attempt('connect', () => cluster.masters[0].client.connect());
  });

  compare('listeners', async ({ open, record }) => {
    const cluster = open();
    await cluster.connect();
    const { client } = cluster.masters[0];
    const listener = () => {};
    await record('chains', client.on('x', listener) === client);
    await record('heard', [client.emit('x'), client.listenerCount('x')]);
    client.off('x', listener);
    await record('not heard', [client.emit('x'), client.listenerCount('x')]);
  });
});
