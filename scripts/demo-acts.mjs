// The acts of the demonstration. Each does one thing with a client and checks every answer.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { number, perSecond, progressBar } from './demo-display.mjs';

const KEYS = 100_000;
const IN_FLIGHT = 1000;
const MOVED_SLOTS = 10;
/** How long each half-moved slot is left to the traffic, so that redirects are sure to happen. */
const MIGRATION_PAUSE_MS = 20;
const PATIENCE_MS = 5000;

const key = (index) => `demo:${index}`;
const value = (index) => `value of key ${index}, and a little more so that it has some 60 bytes`;

/** Runs `job` for each key, always with IN_FLIGHT of them under way. */
async function forEachKey(label, job) {
  const showProgress = progressBar(label, KEYS);
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < KEYS) {
      await job(next++);
      showProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

export async function writeKeys(client) {
  await forEachKey('write', async (index) => {
    assert.equal(await client.set(key(index), value(index)), 'OK');
  });
}

export async function readKeys(client, label) {
  await forEachKey(label, async (index) => {
    assert.equal(await client.get(key(index)), value(index), `wrong value of ${key(index)}`);
  });
}

/** The keys must lie on every shard, and be as many as were written. */
export async function checkShares(servers) {
  const shares = await keyCounts(servers, servers.primaries);
  assert.ok(Math.min(...shares) > 0, `a shard has no keys: ${shares}`);
  assert.equal(
    shares.reduce((sum, share) => sum + share),
    KEYS,
    'keys were lost or doubled',
  );
}

export function keyCounts(servers, nodes) {
  return Promise.all(nodes.map(({ port }) => servers.admin(port, 'DBSIZE')));
}

/** Replicas are a moment behind; every key was written once, so equal counts mean equal data. */
export async function waitForReplicas(servers) {
  await eventually('the replicas have all keys', async () => {
    const counts = await keyCounts(servers, servers.nodes);
    return servers.nodes.every((node, index) => counts[index] === counts[node.primaryIndex]);
  });
}

/** How many GETs each node has answered since `resetReads`. */
export function countReads(servers) {
  return Promise.all(
    servers.nodes.map(async ({ port }) => {
      const stats = await servers.admin(port, 'INFO', 'commandstats');
      return Number(/^cmdstat_get:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
    }),
  );
}

export async function resetReads(servers) {
  await Promise.all(servers.nodes.map(({ port }) => servers.admin(port, 'CONFIG', 'RESETSTAT')));
}

/**
 * Moves slots from the first shard to the second while clients keep writing and reading their keys.
 * Each client of the traffic owns one key and must always read what it wrote last.
 */
export async function migrateUnderTraffic(client, servers) {
  const [from, to] = servers.primaries;
  const keys = await keysOfFirstSlots(servers, from);
  const before = client.redirects();
  const startedAt = performance.now();
  const traffic = startTraffic(client, keys);
  try {
    for (let slot = 0; slot < MOVED_SLOTS; slot++) {
      await servers.migrateSlot(slot, to.port, {
        keysPerCall: 1,
        onPhase: () => sleep(MIGRATION_PAUSE_MS),
      });
    }
  } finally {
    traffic.stop();
  }
  const commands = await traffic.finished;
  const after = client.redirects();
  const redirects = { moved: after.moved - before.moved, ask: after.ask - before.ask };
  assert.ok(redirects.moved > 0 && redirects.ask > 0, `no redirects: ${JSON.stringify(redirects)}`);
  await eventually('the client knows the new owner', () => {
    const known = client.slots.slice(0, MOVED_SLOTS);
    return known.every(({ master }) => master.port === to.port);
  });
  const rate = perSecond(commands, performance.now() - startedAt);
  console.log(`moved ${MOVED_SLOTS} slots live from port ${from.port} to port ${to.port}`);
  console.log(
    `meanwhile ${keys.length} clients sent ${number(commands)} commands (${rate}), 0 errors`,
  );
  console.log(`redirects followed: ${number(redirects.moved)} MOVED, ${number(redirects.ask)} ASK`);
}

async function keysOfFirstSlots(servers, from) {
  const perSlot = await Promise.all(
    Array.from({ length: MOVED_SLOTS }, (_, slot) =>
      servers.admin(from.port, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '100'),
    ),
  );
  return perSlot.flat();
}

function startTraffic(client, keys) {
  let stopped = false;
  const worker = async (name) => {
    let round = 0;
    while (!stopped) {
      round += 1;
      await client.set(name, `round ${round}`);
      assert.equal(await client.get(name), `round ${round}`, `${name} lost a write`);
    }
    return 2 * round;
  };
  // The first error ends all workers; it surfaces where `finished` is awaited.
  const finished = Promise.all(keys.map(worker)).then(
    (counts) => counts.reduce((sum, count) => sum + count, 0),
    (error) => {
      stopped = true;
      throw error;
    },
  );
  finished.catch(() => {});
  return { finished, stop: () => (stopped = true) };
}

async function eventually(what, isTrue) {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not after ${PATIENCE_MS} ms: ${what}`);
    await sleep(10);
  }
}
