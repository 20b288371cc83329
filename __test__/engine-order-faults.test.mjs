// Order again, with connections that are cut while slots move: what is in the lists at the end shows
// that nothing ran twice, nothing that was acknowledged is missing, and nothing overtook.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, quietly, recordEvents, SLOTS } from './support/engine-client.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const MOST_IN_FLIGHT = 300;
const ROUNDS = 8;
const NAME = 'to-be-cut';

/** Pushes 0, 1, 2, ... until told to stop; gives the numbers that were acknowledged. */
async function pushUntil(client, key, isOver) {
  const pushed = [];
  while (!isOver()) {
    for (let count = 0; count < 10; count++)
      pushed.push(quietly(client.rPush(key, String(pushed.length))));
    await new Promise(setImmediate);
    if (pushed.length > MOST_IN_FLIGHT)
      await pushed[pushed.length - MOST_IN_FLIGHT].catch(() => {});
  }
  const settled = await Promise.allSettled(pushed);
  return settled.flatMap(({ status }, number) => (status === 'fulfilled' ? [number] : []));
}

/** Only the client's: slots move over connections between the servers. */
async function cutConnections(cluster, port) {
  const list = await cluster.admin(port, 'CLIENT', 'LIST');
  for (const line of list.split('\n').filter((text) => text.includes(` name=${NAME} `))) {
    await cluster.admin(port, 'CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(line)[1]);
  }
}

withAnyServer((server) => {
  const running = sharedCluster(server);

  test('connections are cut and slots move: no command runs twice, none overtakes', async () => {
    const cluster = running();
    const keys = ['a', 'b', 'c'];
    const client = createCluster({
      rootNodes: cluster.seeds,
      defaults: { name: NAME, socket: { reconnectStrategy: 1 } },
    });
    const events = recordEvents(client);
    await client.connect();
    try {
      let isOver = false;
      const writing = keys.map((key) => pushUntil(client, key, () => isOver));
      const cutting = (async () => {
        while (!isOver) {
          for (const { port } of cluster.primaries) {
            await sleep(7);
            await cutConnections(cluster, port);
          }
        }
      })();
      const [first, second] = cluster.primaries;
      for (let round = 0; round < ROUNDS; round++) {
        for (const key of keys) {
          const to = cluster.primaryOf(SLOTS[key]) === first ? second : first;
          await cluster.migrateSlot(SLOTS[key], to.port, { onPhase: () => sleep(5) });
        }
      }
      isOver = true;
      await cutting;
      const acknowledged = await Promise.all(writing);
      for (const [at, key] of keys.entries()) {
        const numbers = (await client.lRange(key, 0, -1)).map(Number);
        const overtaken = numbers.filter(
          (number, place) => place > 0 && number <= numbers[place - 1],
        );
        assert.deepEqual(overtaken, [], `${key}: ran twice, or after a younger one`);
        const present = new Set(numbers);
        assert.deepEqual(
          acknowledged[at].filter((number) => !present.has(number)),
          [],
          `${key}: lost`,
        );
        assert.ok(acknowledged[at].length > 100, `${key}: only ${acknowledged[at].length}`);
      }
      const { moved, ask } = client.redirects();
      assert.ok(moved > 0 && ask > 0, `${moved} MOVED and ${ask} ASK were followed`);
      const losses = events.filter(([name]) => name === 'node-error').length;
      assert.ok(losses >= 10, `${losses} connections were lost`);
    } finally {
      client.destroy();
    }
  });
});
