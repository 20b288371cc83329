// WATCH on clients of single nodes: against node-redis, with several users of one node, and when the
// connection is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { resetCluster } from './parity/harness/fixture.mjs';
import { comparePrograms } from './parity/harness/programs.mjs';
import { createCluster, ours, until } from './support/engine-client.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const { WatchError } = ours;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

/** Connections whose last command was this one. */
async function idsOf(cluster, port, command) {
  const list = await cluster.admin(port, 'CLIENT', 'LIST', 'TYPE', 'normal');
  return list.split('\n').flatMap((line) => {
    const [, id] = /^id=(\d+)/.exec(line) ?? [];
    return line.includes(` cmd=${command} `) || line.includes(` cmd=${command}|`) ? [id] : [];
  });
}

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const compare = (name, program) => comparePrograms(name, getServers, program);

  async function onNode(key, use) {
    const servers = getServers();
    await resetCluster(servers);
    const cluster = createCluster({ rootNodes: servers.seeds });
    cluster.on('error', () => {});
    await cluster.connect();
    try {
      return await use({ cluster, servers, client: await cluster.getNodeClientForKey(key) });
    } finally {
      if (cluster.isOpen) cluster.destroy();
    }
  }

  compare('watch, unwatch and what they say', async ({ open, attempt, record }) => {
    const cluster = open();
    await cluster.connect();
    const client = await cluster.getNodeClientForKey('a');
    const state = () => [client.isWatching, client.isDirtyWatch];
    await record('at first', state());
    await attempt('watch', () => client.watch('a'));
    await record('watching', state());
    await attempt('watch more', () => client.WATCH(['{a}b', '{a}c']));
    await attempt('get', () => client.get('a'));
    await attempt('exec', () => client.multi().set('a', '1').get('a').exec());
    await record('after exec', state());
    await attempt('watch again', () => client.watch('a'));
    await attempt('changed by itself', () => client.set('a', '2'));
    await attempt('exec fails', () => client.multi().set('a', '3').exec());
    await attempt('and the next does not', () => client.multi().get('a').exec());
    await attempt('watch', () => client.watch('a'));
    await attempt('changed', () => cluster.set('a', '4'));
    await attempt('unwatch', () => client.unwatch());
    await record('after unwatch', state());
    await attempt('exec', () => client.multi().get('a').exec());
    await attempt('raw', () => client.sendCommand(['WATCH', 'a']));
    await attempt('changed', () => cluster.set('a', '5'));
    await attempt('exec fails', () => client.multi().get('a').exec());
    await attempt('another node\'s key', () => client.watch('b'));
    await record('not watching', state());
    await attempt('watch', () => client.watch('a'));
    await attempt('pipeline does not end it', () => client.multi().get('a').execAsPipeline());
    await record('still', state());
    await attempt('an error in the transaction', () => client.multi().sendCommand(['NO']).exec());
    await record('ended', state());
    await attempt('watch', () => client.watch('a'));
    client.setDirtyWatch('moved away');
    await record('dirty', state());
    await attempt('exec fails', () => client.multi().get('a').exec());
    await record('clean', state());
    await attempt('exec', () => client.multi().get('a').exec());
    client.setDirtyWatch('moved again');
    await attempt('unwatch', () => client.unwatch());
    await record('still dirty', state());
    await attempt('exec fails', () => client.multi().get('a').exec());
    await attempt('watch and exec at once', () =>
      Promise.all([client.watch('a'), client.multi().get('a').exec()]));
    await attempt('unwatch and watch at once', () => Promise.all([client.unwatch(), client.watch('a')]));
    await attempt('changed', () => cluster.set('a', '6'));
    await attempt('exec fails', () => client.multi().get('a').exec());
    await attempt('watch', () => client.watch('a'));
    await attempt('reset', () => client.reset());
    await record('after reset', state());
    await attempt('unwatch nothing', () => client.unwatch());
    await attempt('no key', () => client.watch([]));
  });

  compare('the connection is killed', async ({ open, attempt, record, servers, side }) => {
    const cluster = open();
    await cluster.connect();
    const client = await cluster.getNodeClientForKey('a');
    const { port } = client.options.socket;
    await attempt('watch', () => client.watch('a'));
    await servers.admin(port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    for (let tries = 0; tries < 200 && !(client.isReady && client.socketEpoch === 2); tries++) await sleep(10);
    await record('watching', client.isWatching);
    await attempt('exec', () => client.multi().set('a', '1').exec());
    await record('watching', client.isWatching);
    await attempt('get', () => client.get('a'));
    await attempt('exec', () => client.multi().set('a', '1').exec());
  });

  test('users of one node do not end each other\'s watches', () => onNode('a', async ({ cluster }) => {
    await cluster.set('a', '0');
    const increments = Array.from({ length: 20 }, async () => {
      const client = await cluster.getNodeClientForKey('a');
      for (let tries = 1; ; tries++) {
        await client.watch('a');
        const value = Number(await client.get('a'));
        try {
          await client.multi().set('a', String(value + 1)).exec();
          return tries;
        } catch (error) {
          assert.ok(error instanceof WatchError, String(error));
        }
      }
    });
    const tries = await Promise.all(increments);
    assert.equal(await cluster.get('a'), '20');
    assert.ok(Math.max(...tries) > 1, 'nobody was disturbed, so this shows nothing');
  }));

  test('a transaction of one does not end the watch of another', () => onNode('a', async ({ cluster, client }) => {
    const other = await cluster.getNodeClientForKey('a');
    await client.watch('a');
    await other.multi().set('{a}x', '1').exec();
    await other.unwatch();
    await cluster.set('a', 'changed');
    await assert.rejects(client.multi().set('a', 'mine').exec(), WatchError);
    await client.watch('a');
    await cluster.multi().set('{a}x', '2').exec();
    assert.deepEqual(await client.multi().set('a', 'mine').exec(), ['OK']);
  }));

  test('commands between WATCH and EXEC go over that connection, and the next WATCH uses it again', () =>
    onNode('a', async ({ client, cluster }) => {
      const id = () => client.sendCommand(['CLIENT', 'ID']);
      const shared = await id();
      await client.watch('a');
      const own = await id();
      assert.notEqual(own, shared);
      assert.equal(await client.withTypeMapping({}).clientId(), own);
      assert.equal(await (await cluster.getNodeClientForKey('a')).clientId(), shared);
      await client.multi().get('a').exec();
      assert.equal(await id(), shared);
      await client.watch('a');
      assert.equal(await id(), own);
      await client.unwatch();
      assert.equal(await id(), shared);
      await client.watch('a');
      await client.close();
      const other = await cluster.getNodeClientForKey('a');
      await other.watch('a');
      assert.notEqual(await other.clientId(), own, 'a connection that watches was given to another');
      assert.deepEqual(await other.multi().get('a').exec(), [null]);
    }));

  test('commands over a lost connection fail, and then the shared one serves again', () =>
    onNode('a', async ({ client, servers }) => {
      await client.watch('a');
      const { port } = client.options.socket;
      const waiting = assert.rejects(client.sendCommand(['BLPOP', 'a', '5']), /Socket closed unexpectedly/);
      let killed = [];
      await until(async () => (killed = await idsOf(servers, port, 'blpop')).length === 1, 'BLPOP has arrived');
      await servers.admin(port, 'CLIENT', 'KILL', 'ID', killed[0]);
      await waiting;
      assert.equal(client.isWatching, true);
      assert.equal(await client.get('a'), null);
      await client.watch('{a}b');
      await assert.rejects(client.multi().set('a', '1').exec(), { message: 'Client reconnected after WATCH' });
      assert.deepEqual(await client.multi().get('a').exec(), [null]);
    }));

  test('a client that is forgotten leaves no connection behind', () =>
    onNode('a', async ({ cluster, servers, client }) => {
      const { port } = client.options.socket;
      const watching = () => idsOf(servers, port, 'watch');
      await (async () => (await cluster.getNodeClientForKey('a')).watch('a'))();
      assert.equal((await watching()).length, 1);
      await until(async () => {
        collectGarbage();
        return (await watching()).length === 0;
      }, 'its connection is closed');
    }));

  test('a transaction and the next watch at once: the second is not lost', () =>
    onNode('a', async ({ client, cluster }) => {
      await client.watch('a');
      const [replies] = await Promise.all([client.multi().set('a', '1').exec(), client.watch('a')]);
      assert.deepEqual(replies, ['OK']);
      assert.equal(client.isWatching, true);
      await cluster.set('a', '2');
      await assert.rejects(client.multi().set('a', '3').exec(), WatchError);
    }));

  test('closing the cluster ends what is watched', () => onNode('a', async ({ cluster, client }) => {
    await client.watch('a');
    await cluster.close();
    assert.equal(client.isOpen, false);
    await assert.rejects(client.multi().get('a').exec(), ours.ClientClosedError);
  }));
});
