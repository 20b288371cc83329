// Commands that block, on real servers: answers as in node-redis, nobody waits behind them, and
// nothing is lost when they end before their time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../scripts/local-cluster.mjs';
import { oracle, SIDES, subject, withCluster } from './parity/harness/clients.mjs';
import { describe } from './parity/harness/describe-value.mjs';
import { ours, quietly, SLOTS, until } from './support/engine-client.mjs';
import { forEachServer, sharedCluster, withAnyServer } from './support/servers.mjs';

const NAME = 'blocking-test';
/** What would be noticed if a command waited behind one that blocks. */
const BLOCKED_S = 1;

/** Runs `use` with a client of ours whose connections have a name. */
function withClient(servers, options, use) {
  const { defaults, ...others } = options;
  return withCluster(
    subject,
    { rootNodes: servers.seeds, defaults: { name: NAME, ...defaults }, ...others },
    use,
  );
}

/** How many clients a node keeps waiting. */
async function blockedAt(servers, { port }) {
  const info = await servers.admin(port, 'INFO', 'clients');
  return Number(/blocked_clients:(\d+)/.exec(info)[1]);
}

const untilBlocked = (servers, node, count = 1) =>
  until(async () => (await blockedAt(servers, node)) === count, `${count} blocked clients`);

/** How many connections of our client a node has. */
async function connectionsAt(servers, { port }) {
  const list = String(await servers.admin(port, 'CLIENT', 'LIST'));
  return list.split('\n').filter((line) => line.includes(` name=${NAME} `)).length;
}

/** Name, how it is called, and what ends its waiting. All keys have the slot of `b`. */
const COMMANDS = [
  ['blPop', (c, key) => c.blPop([key('x'), key('l')], 0), (c, key) => c.rPush(key('l'), '1')],
  ['brPop', (c, key) => c.brPop(key('l'), 0), (c, key) => c.rPush(key('l'), ['1', '2'])],
  ['blMove', (c, key) => c.blMove(key('l'), key('m'), 'LEFT', 'RIGHT', 0), (c, key) => c.rPush(key('l'), '1')],
  ['brPopLPush', (c, key) => c.brPopLPush(key('l'), key('m'), 0), (c, key) => c.rPush(key('l'), '1')],
  ['blmPop', (c, key) => c.blmPop(0, [key('x'), key('l')], 'LEFT', { COUNT: 2 }), (c, key) => c.rPush(key('l'), ['1', '2'])],
  ['bzPopMin', (c, key) => c.bzPopMin(key('z'), 0), (c, key) => c.zAdd(key('z'), { score: 1.5, value: 'a' })],
  ['bzPopMax', (c, key) => c.bzPopMax([key('x'), key('z')], 0), (c, key) => c.zAdd(key('z'), { score: 1.5, value: 'a' })],
  ['bzmPop', (c, key) => c.bzmPop(0, key('z'), 'MIN', { COUNT: 2 }), (c, key) => c.zAdd(key('z'), [{ score: 1, value: 'a' }, { score: 2, value: 'b' }])],
  ['xRead', (c, key) => c.xRead({ key: key('s'), id: '$' }, { BLOCK: 0 }), (c, key) => c.xAdd(key('s'), '1-1', { f: 'v' })],
  ['xReadGroup', (c, key) => c.xReadGroup('g', 'me', { key: key('t'), id: '>' }, { BLOCK: 0 }), (c, key) => c.xAdd(key('t'), '1-1', { f: 'v' })],
  ['sendCommand', (c, key) => c.sendCommand(key('l'), false, ['blpop', key('l'), '0']), (c, key) => c.rPush(key('l'), '1')],
];

forEachServer((server) => {
  const running = sharedCluster(server, { replicasPerPrimary: 1 });
  const home = () => running().primaryOf(SLOTS.b);

  for (const RESP of [2, 3]) {
    test(`RESP ${RESP}: what ends the waiting is the answer, as in node-redis`, async () => {
      const servers = running();
      for (const [name, wait, feed] of COMMANDS) {
        const seen = [];
        for (const side of SIDES) {
          await withCluster(side, { rootNodes: servers.seeds, RESP }, async (client) => {
            const key = (suffix) => `{b}:${name}:${suffix}`;
            const keys = ['l', 'm', 'z', 's', 't', 'x'].map(key);
            await Promise.all(keys.map((one) => client.del(one)));
            await client.xGroupCreate(key('t'), 'g', '$', { MKSTREAM: true });
            const waiting = quietly(wait(client, key));
            await untilBlocked(servers, home());
            // Over a second client: in node-redis it would wait behind the one that blocks.
            await withCluster(oracle, { rootNodes: servers.seeds }, (other) => feed(other, key));
            seen.push(describe(await waiting));
          });
        }
        assert.deepEqual(seen[1], seen[0], name);
      }
    });
  }

  test('a GET beside a BLPOP is not delayed', async () => {
    await withClient(running(), {}, async (client) => {
      await client.set('{b}value', 'v');
      const waiting = client.blPop('{b}nothing', BLOCKED_S);
      let isOver = false;
      waiting.finally(() => (isOver = true));
      await untilBlocked(running(), home());
      const times = [];
      while (!isOver) {
        const begin = performance.now();
        assert.equal(await client.get('{b}value'), 'v');
        times.push(performance.now() - begin);
        await sleep(5);
      }
      assert.equal(await waiting, null);
      times.sort((one, other) => one - other);
      assert.ok(times.length > 20 && times[times.length >> 1] < 50, `${times.length}: ${times}`);
      assert.ok(times.at(-1) < (BLOCKED_S * 1_000) / 2, `${times.at(-1)} ms`);
    });
  });

  test('a hundred at once, four at a time: each element is had once', async () => {
    await withClient(running(), { maxBlockingConnections: 4 }, async (client) => {
      const pops = Array.from({ length: 100 }, () => client.blPop('{b}many', 0));
      await untilBlocked(running(), home(), 4);
      assert.equal(await connectionsAt(running(), home()), 5);
      const elements = Array.from({ length: 100 }, (_, index) => String(index));
      for (let at = 0; at < 100; at += 10) await client.rPush('{b}many', elements.slice(at, at + 10));
      const got = (await Promise.all(pops)).map(({ element }) => element);
      assert.deepEqual(got.sort((one, other) => one - other), elements);
      assert.equal(await connectionsAt(running(), home()), 5);
    });
  });

  test('the slot moves while it blocks, with MOVED, and back', async () => {
    const servers = running();
    await withClient(servers, {}, async (client) => {
      const first = home();
      const second = servers.primaries.find((node) => node !== first);
      const waiting = client.blPop('{b}moving', 0);
      await untilBlocked(servers, first);
      await servers.migrateSlot(SLOTS.b, second.port);
      await untilBlocked(servers, second);
      await servers.migrateSlot(SLOTS.b, first.port);
      await untilBlocked(servers, first);
      await client.rPush('{b}moving', 'element');
      assert.deepEqual(await waiting, { key: '{b}moving', element: 'element' });
      assert.ok(client.redirects().moved >= 2);
    });
  });

  test('the slot is being moved: it blocks where its key would come to be, with ASK', async () => {
    const servers = running();
    await withClient(servers, {}, async (client) => {
      const first = home();
      const second = servers.primaries.find((node) => node !== first);
      await servers.beginMigration(SLOTS.b, second.port);
      const waiting = client.blPop('{b}asked', 0);
      await untilBlocked(servers, second);
      await client.rPush('{b}asked', 'element');
      assert.deepEqual(await waiting, { key: '{b}asked', element: 'element' });
      while ((await servers.moveKeys(SLOTS.b, second.port, 100)) > 0);
      await servers.finishMigration(SLOTS.b, second.port);
      await servers.migrateSlot(SLOTS.b, first.port);
    });
  });

  for (const [how, end, errorClass] of [
    ['close()', (client) => client.close(), ours.ClientClosedError],
    ['destroy()', (client) => client.destroy(), ours.DisconnectsClientError],
    ['an abort', (_, controller) => controller.abort(), ours.AbortError],
  ]) {
    test(`${how} ends it at once, and loses nothing`, async () => {
      const servers = running();
      await withClient(servers, {}, async (client) => {
        const controller = new AbortController();
        const view = client.withCommandOptions({ abortSignal: controller.signal });
        const waiting = quietly(view.blPop('{b}ended', 0));
        await untilBlocked(servers, home());
        const begin = performance.now();
        await Promise.all([end(client, controller), assert.rejects(waiting, errorClass)]);
        assert.ok(performance.now() - begin < 1_000);
        await untilBlocked(servers, home(), 0);
      });
      await withClient(servers, {}, async (client) => {
        assert.equal(await client.rPush('{b}ended', 'element'), 1);
        assert.deepEqual(await client.blPop('{b}ended', 1), { key: '{b}ended', element: 'element' });
      });
    });
  }

  test('an abort against a push: the element is had by one of them, each time', async () => {
    const servers = running();
    await withClient(servers, {}, async (client) => {
      for (let round = 0; round < 100; round++) {
        const controller = new AbortController();
        const view = client.withCommandOptions({ abortSignal: controller.signal });
        const waiting = view.blPop('{b}race', 0).then(() => true, (error) => {
          assert.ok(error instanceof ours.AbortError, String(error));
          return false;
        });
        if (round % 2 === 0) await untilBlocked(servers, home());
        const pushed = client.rPush('{b}race', 'element');
        controller.abort();
        await pushed;
        const wasPopped = await waiting;
        assert.equal(await client.del('{b}race'), wasPopped ? 0 : 1, `round ${round}: ${wasPopped}`);
      }
    });
  });

  test('WAIT speaks of what this client has written', async () => {
    await withClient(running(), {}, async (client) => {
      await client.set('{b}written', '1');
      assert.ok((await client.wait(1, 5_000)) >= 1);
    });
  });

  test('XREAD: with BLOCK on a connection of its own, without on the shared one', async () => {
    await withClient(running(), { RESP: 2 }, async (client) => {
      await client.del('{b}stream');
      await client.xAdd('{b}stream', '1-1', { f: 'v' });
      const before = await connectionsAt(running(), home());
      const now = await client.xRead({ key: '{b}stream', id: '0' });
      assert.equal(now[0].messages.length, 1);
      assert.equal(await connectionsAt(running(), home()), before);
      const waiting = client.xRead({ key: '{b}stream', id: '$' }, { BLOCK: 0 });
      await untilBlocked(running(), home());
      assert.equal(await connectionsAt(running(), home()), before + 1);
      await client.xAdd('{b}stream', '1-2', { f: 'w' });
      assert.equal((await waiting)[0].messages[0].id, '1-2');
    });
  });

  test('connections that nobody uses are closed, and none is left over', async () => {
    await withClient(running(), { blockingIdleTimeout: 300 }, async (client) => {
      for (let round = 0; round < 20; round++) {
        const pops = Array.from({ length: 8 }, () => client.blPop('{b}round', 0));
        await client.rPush('{b}round', Array.from({ length: 8 }, String));
        await Promise.all(pops);
      }
      assert.ok((await connectionsAt(running(), home())) <= 9);
      await until(async () => (await connectionsAt(running(), home())) === 1, 'the shared one is left');
    });
    await until(async () => (await connectionsAt(running(), home())) === 0, 'none is left');
  });

  test('consumers while their slot moves and some of them give up: each element is had once', async () => {
    const servers = running();
    const options = { maxBlockingConnections: 6, commandOptions: { timeout: 30_000 } };
    await withClient(servers, options, async (client) => {
      const key = '{b}queue';
      const had = [];
      let [isOver, pushed, gaveUp] = [false, 0, 0];
      const consume = async (patienceMs) => {
        while (!isOver || had.length < pushed) {
          const abortSignal = AbortSignal.timeout(patienceMs);
          const view = client.withCommandOptions({ timeout: 30_000, abortSignal });
          try {
            had.push(Number((await view.blPop(key, 0)).element));
          } catch (error) {
            assert.ok(error instanceof ours.AbortError, String(error));
            gaveUp += 1;
          }
        }
      };
      const consumers = Array.from({ length: 10 }, (_, index) => consume(5 + 5 * index));
      const producing = (async () => {
        while (!isOver) {
          await Promise.all([client.rPush(key, String(pushed++)), client.rPush(key, String(pushed++))]);
          if (pushed % 20 === 0) await sleep(20);
        }
      })();
      const first = home();
      const second = servers.primaries.find((node) => node !== first);
      for (let round = 0; round < 6; round++) {
        const to = home() === first ? second : first;
        await servers.migrateSlot(SLOTS.b, to.port, { onPhase: () => sleep(30) });
      }
      isOver = true;
      await Promise.all([producing, ...consumers]);
      assert.ok(pushed > 100 && gaveUp > 0, `${pushed} pushed, ${gaveUp} times given up`);
      assert.deepEqual(
        had.sort((one, other) => one - other),
        Array.from({ length: pushed }, (_, index) => index),
      );
      assert.ok(client.redirects().moved > 0);
    });
  });

  test('its primary hands over while it blocks: it blocks on at the next', async () => {
    const servers = running();
    await withClient(servers, {}, async (client) => {
      const shard = servers.nodes.filter(({ primaryIndex }) => primaryIndex === home().primaryIndex);
      const replica = shard.find((node) => node !== home());
      const waiting = client.blPop('{b}handed', 0);
      await untilBlocked(servers, home());
      await servers.admin(replica.port, 'CLUSTER', 'FAILOVER');
      await untilBlocked(servers, replica);
      await client.rPush('{b}handed', 'element');
      assert.deepEqual(await waiting, { key: '{b}handed', element: 'element' });
    });
  });
});

withAnyServer((server) => {
  test('its primary is killed: a pop is rejected, a read blocks on at the next primary', async () => {
    const servers = await startCluster({ binary: server.binary, replicasPerPrimary: 1 });
    try {
      await withClient(servers, {}, async (client) => {
        await client.xAdd('{b}stream', '1-1', { f: 'v' });
        await client.wait(1, 1_000);
        const node = servers.primaryOf(SLOTS.b);
        const replica = servers.nodes.find((one) => one !== node && one.primaryIndex === node.primaryIndex);
        const popping = quietly(client.blPop('{b}list', 0));
        const patient = client.withCommandOptions({ timeout: 20_000 });
        const reading = patient.xRead({ key: '{b}stream', id: '1-1' }, { BLOCK: 0 });
        await untilBlocked(servers, node, 2);
        await servers.kill(node);
        await assert.rejects(popping, (error) => {
          return error instanceof ours.SocketClosedUnexpectedlyError || error.code === 'ECONNRESET';
        });
        for (let tries = 0; (await blockedAt(servers, replica)) < 1; tries++) {
          assert.ok(tries < 200, 'it never blocked at the promoted replica');
          await sleep(50);
        }
        await client.xAdd('{b}stream', '1-2', { f: 'w' });
        const answer = await reading;
        assert.match(JSON.stringify(answer), /1-2/);
      });
    } finally {
      await servers.stop();
    }
  });
});
