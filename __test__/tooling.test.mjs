// The tools that other tests stand on: local clusters that really end, and the list of servers.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../scripts/local-cluster.mjs';
import { forEachServer, sharedCluster, withAnyServer } from './support/servers.mjs';

/** The slot of every key with the hash tag {foo}, as CLUSTER KEYSLOT says. */
const FOO_SLOT = 12_182;
const scripts = fileURLToPath(new URL('../scripts/', import.meta.url));

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    // A zombie has ended; in a container nobody may ever collect it.
    return !existsSync('/proc') || !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    assert.match(error.code, /^(ESRCH|ENOENT)$/);
    return false;
  }
}

async function untilEnded(pids) {
  const deadline = Date.now() + 5000;
  while (pids.some(isRunning) && Date.now() < deadline) await sleep(10);
  assert.deepEqual(pids.filter(isRunning), [], 'servers that still run');
}

forEachServer((server) => {
  test('a 3+3 cluster starts, is whole, and leaves nothing behind', async () => {
    const startedAt = performance.now();
    const cluster = await startCluster({ ...server, replicasPerPrimary: 1, password: 'secret' });
    try {
      assert.ok(performance.now() - startedAt < 10_000);
      const roles = await Promise.all(cluster.nodes.map(({ port }) => cluster.admin(port, 'ROLE')));
      assert.deepEqual(
        roles.map(([role]) => role),
        ['master', 'master', 'master', 'slave', 'slave', 'slave'],
      );
      assert.deepEqual(
        roles.slice(3).map(([, , port]) => port),
        cluster.primaries.map(({ port }) => port),
      );
      assert.equal(cluster.primaryOf(0), cluster.nodes[0]);
      assert.equal(cluster.primaryOf(16_383), cluster.nodes[2]);
    } finally {
      await cluster.stop();
    }
    await untilEnded(cluster.nodes.map(({ pid }) => pid));
    assert.deepEqual(
      cluster.nodes.filter(({ dir }) => existsSync(dir)),
      [],
    );
  });
});

withAnyServer((server) => {
  const shared = sharedCluster(server);

  test('a slot moves with its keys, binary ones too, and redirects happen on the way', async () => {
    const cluster = shared();
    const from = cluster.primaryOf(FOO_SLOT);
    const to = cluster.primaries.find((node) => node !== from);
    const binary = Buffer.from([...Buffer.from('{foo}'), 0, 0xff, 0x0d, 0x0a]);
    for (const key of ['{foo}1', '{foo}2', binary]) await cluster.admin(from.port, 'SET', key, 'x');

    await cluster.beginMigration(FOO_SLOT, to.port);
    await assert.rejects(cluster.admin(from.port, 'GET', '{foo}new'), {
      message: `ASK ${FOO_SLOT} 127.0.0.1:${to.port}`,
    });
    assert.equal(await cluster.moveKeys(FOO_SLOT, to.port, 2), 2);
    assert.equal(await cluster.moveKeys(FOO_SLOT, to.port, 2), 1);
    assert.equal(await cluster.moveKeys(FOO_SLOT, to.port, 2), 0);
    await cluster.finishMigration(FOO_SLOT, to.port);

    assert.equal(await cluster.admin(to.port, 'EXISTS', '{foo}1', '{foo}2', binary), 3);
    for (const other of cluster.primaries.filter((node) => node !== to)) {
      await assert.rejects(cluster.admin(other.port, 'GET', '{foo}1'), {
        message: `MOVED ${FOO_SLOT} 127.0.0.1:${to.port}`,
      });
    }
    assert.equal(cluster.primaryOf(FOO_SLOT), to);

    const phases = [];
    const moved = await cluster.migrateSlot(FOO_SLOT, from.port, {
      keysPerCall: 1,
      onPhase: (phase) => phases.push(phase),
    });
    assert.equal(moved, 3);
    assert.deepEqual(phases, ['migrating', 'moved', 'finished']);
    assert.equal(cluster.primaryOf(FOO_SLOT), from);
  });

  test('a hung node goes on where it was; a killed one is gone', async () => {
    const cluster = shared();
    const node = cluster.nodes[2];
    await cluster.kill(node, 'SIGSTOP');
    const answer = cluster.admin(node.port, 'PING');
    assert.equal(await Promise.race([answer, sleep(200, 'nothing')]), 'nothing');
    await cluster.kill(node, 'SIGCONT');
    assert.equal(await answer, 'PONG');
    await cluster.kill(node);
    assert.equal(isRunning(node.pid), false);
    await assert.rejects(cluster.admin(node.port, 'PING'));
  });

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
    test(`servers end with the process that started them: ${signal}`, async () => {
      const program = `
        const { startServer } = await import(${JSON.stringify(`${scripts}server-process.mjs`)});
        const server = await startServer({ binary: ${JSON.stringify(server.binary)} });
        console.log(server.pid);
        setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
      const [output] = await once(child.stdout, 'data');
      const pid = Number(output);
      assert.ok(isRunning(pid));
      const ended = once(child, 'exit');
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
      await untilEnded([pid]);
    });
  }

  test('a server that refuses its arguments is reported with its own words', async () => {
    await assert.rejects(startCluster({ ...server, args: ['--no-such-option', '1'] }), (error) => {
      assert.match(error.message, /ended with code 1/);
      return true;
    });
  });
});

test('a machine without servers is told what to run', () => {
  const program = `
    const { findServers } = await import(${JSON.stringify(`${scripts}servers.mjs`)});
    console.log(JSON.stringify(await findServers()));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: '/nonexistent' },
    encoding: 'utf8',
  });
  const [system, ...unpacked] = JSON.parse(stdout);
  assert.deepEqual(system, {
    id: 'redis-7.0',
    available: false,
    reason: 'no redis-server on PATH; run `node scripts/setup.mjs`',
  });
  assert.deepEqual(
    unpacked.map(({ id }) => id),
    ['redis-8.2', 'valkey-8.1'],
  );
});
