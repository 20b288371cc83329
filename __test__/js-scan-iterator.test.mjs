// cluster.scanIterator() on real clusters: every key that exists all the time is found, while slots
// move and while a primary is killed and replaced.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, until } from './support/engine-client.mjs';
import { forEachServer, sharedCluster, withAnyServer } from './support/servers.mjs';

const require = createRequire(import.meta.url);
const { calculateSlot } = require('../js/commands.js');
const { RESP_TYPES, ClientClosedError } = require('../index.js');

const TAGS = 500;
const KEYS_PER_TAG = 100;
const tags = Array.from({ length: TAGS }, (_, tag) => `{tag ${tag}}`);

async function withClient(cluster, use, options = {}) {
  const client = createCluster({ rootNodes: cluster.seeds, ...options });
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** 50,000 keys, a hundred in each of 500 slots. @returns their names */
async function fill(cluster, client) {
  await Promise.all(cluster.primaries.map(({ port }) => cluster.admin(port, 'FLUSHALL')));
  const keys = tags.flatMap((tag) => Array.from({ length: KEYS_PER_TAG }, (_, n) => `${tag}:${n}`));
  await Promise.all(keys.map((key) => client.set(key, 'value')));
  return keys;
}

async function collect(pages, onPage = () => {}) {
  const seen = new Set();
  for await (const keys of pages) {
    assert.ok(Array.isArray(keys) && keys.length > 0);
    for (const key of keys) seen.add(key);
    await onPage(seen.size);
  }
  return seen;
}

function assertAll(seen, keys) {
  const missing = keys.filter((key) => !seen.has(key));
  assert.deepEqual(missing, []);
  assert.equal(seen.size, keys.length, 'keys that nobody has set');
}

forEachServer((server) => {
  const running = sharedCluster(server);

  test('all keys of a cluster that stands still, each once', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      const keys = await fill(cluster, client);
      let count = 0;
      const seen = new Set();
      for await (const page of client.scanIterator({ COUNT: 500 })) {
        count += page.length;
        for (const key of page) seen.add(key);
      }
      assertAll(seen, keys);
      assert.equal(count, keys.length);
    });
  });

  test('all keys while slots move, there and back', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      const keys = await fill(cluster, client);
      let isScanning = true;
      let moves = 0;
      const moving = (async () => {
        const [first, second] = cluster.primaries;
        const slots = tags.map((tag) => calculateSlot(tag));
        const moving = slots.filter((slot) => [first, second].includes(cluster.primaryOf(slot))).slice(0, 20);
        for (let turn = 0; isScanning; turn++) {
          const slot = moving[turn % moving.length];
          const to = cluster.primaryOf(slot) === first ? second : first;
          // The nodes need a moment to agree before the next slot moves.
          await cluster.migrateSlot(slot, to.port, { keysPerCall: 10, onPhase: () => sleep(5) });
          moves++;
        }
      })();
      const scanning = collect(client.scanIterator({ COUNT: 100 }), () => sleep(1));
      const seen = await scanning.finally(() => { isScanning = false; });
      await moving;
      assertAll(seen, keys);
      assert.ok(moves > 10, `${moves} slots moved`);
    });
  });

  test('a slot that stays half moved does not stop it', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      const keys = await fill(cluster, client);
      const slot = calculateSlot(tags[7]);
      const to = cluster.primaries.find((node) => node !== cluster.primaryOf(slot));
      await cluster.beginMigration(slot, to.port);
      await cluster.moveKeys(slot, to.port, KEYS_PER_TAG / 2);
      try {
        assertAll(await collect(client.scanIterator({ COUNT: 1000 })), keys);
      } finally {
        await cluster.moveKeys(slot, to.port, KEYS_PER_TAG);
        await cluster.finishMigration(slot, to.port);
      }
    });
  });

  test('MATCH, TYPE, type mapping, bytes that are no text', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      await fill(cluster, client);
      await client.lPush('{tag 1}:list', 'x');
      const binary = Buffer.from([0xff, 0xfe, 0x00, 0x7b]);
      await client.set(binary, 'x');
      const lists = await collect(client.scanIterator({ TYPE: 'list', COUNT: 1000 }));
      assert.deepEqual([...lists], ['{tag 1}:list']);
      const one = await collect(client.scanIterator({ MATCH: '{tag 1}:*' }));
      assert.equal(one.size, KEYS_PER_TAG + 1);
      const other = await collect(client.scanIterator({ MATCH: '*tag 1}:9?', COUNT: 1000 }));
      assert.equal(other.size, 10);
      const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      const raw = [];
      for await (const page of buffers.scanIterator({ COUNT: 1000 })) raw.push(...page);
      assert.ok(raw.every((key) => Buffer.isBuffer(key)));
      assert.ok(raw.some((key) => key.equals(binary)));
    });
  });
});

withAnyServer((server) => {
  const running = sharedCluster(server, { replicasPerPrimary: 1 });

  test('what a server refuses is told at once, and so is the end of the cluster', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      await fill(cluster, client);
      const start = performance.now();
      await assert.rejects(collect(client.scanIterator({ COUNT: 'many' })), { message: /not an integer/ });
      await assert.rejects(collect(client.scanIterator({ cursor: '5' })), TypeError);
      const closed = collect(client.scanIterator(), () => client.isOpen && client.destroy());
      await assert.rejects(closed, ClientClosedError);
      await assert.rejects(client.scanIterator().next(), ClientClosedError);
      assert.ok(performance.now() - start < 2000);
    });
  });

  test('whoever stops in the middle leaves nothing behind', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      await fill(cluster, client);
      for await (const keys of client.scanIterator({ COUNT: 10 })) {
        assert.ok(keys.length > 0);
        break;
      }
      const asked = async () => {
        const stats = await Promise.all(
          cluster.primaries.map(({ port }) => cluster.admin(port, 'INFO', 'commandstats')),
        );
        return stats.map((text) => Number(/cmdstat_scan:calls=(\d+)/.exec(text)?.[1] ?? 0));
      };
      await sleep(50);
      const before = await asked();
      await sleep(100);
      assert.deepEqual(await asked(), before);
    });
  });

  test('all keys, each once, while connections are killed all the time', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      const keys = await fill(cluster, client);
      let isScanning = true;
      let kills = 0;
      const killing = (async () => {
        for (; isScanning; kills++) {
          await sleep(30);
          const kill = ({ port }) => cluster.admin(port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await Promise.all(cluster.primaries.map(kill));
        }
      })();
      const found = [];
      for await (const page of client.scanIterator({ COUNT: 50 })) found.push(...page);
      isScanning = false;
      await killing;
      assert.ok(kills > 2, `${kills} times`);
      assertAll(new Set(found), keys);
      assert.equal(found.length, keys.length, 'a node was scanned twice');
    });
  });

  test('all keys while a primary is killed and replaced', async () => {
    const cluster = running();
    await withClient(cluster, async (client) => {
      const keys = await fill(cluster, client);
      const victim = cluster.primaries[1];
      const others = cluster.nodes.filter((node) => node !== victim);
      for (const { port } of cluster.primaries) {
        assert.equal(await cluster.admin(port, 'WAIT', '1', '5000'), 1);
      }
      let killed = false;
      const seen = await collect(client.scanIterator({ COUNT: 100 }), async (count) => {
        if (killed || count < 10_000) return;
        killed = true;
        await cluster.kill(victim);
      });
      assert.ok(killed);
      assertAll(seen, keys);
      const replaced = await cluster.admin(others[0].port, 'CLUSTER', 'NODES');
      assert.match(replaced, new RegExp(`${victim.id}.*fail`));
      await cluster.restart(victim);
      await until(async () => {
        const nodes = await cluster.admin(others[0].port, 'CLUSTER', 'NODES');
        return !nodes.includes('fail');
      }, 'the killed node is back');
    });
  });
});
