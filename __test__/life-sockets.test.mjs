// keepAlive, keepAliveInitialDelay, noDelay, localAddress and localPort: what really reaches the sockets.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';

/** `ss` shows the timers of sockets; TCP_NODELAY it does not show. */
function socketsTo(port) {
  const filter = ['dport', '=', `:${port}`];
  const lines = execFileSync('ss', ['-tnoH', 'state', 'established', ...filter], {
    encoding: 'utf8',
  });
  return lines.trim().split('\n').filter(Boolean);
}

function lacksSs() {
  try {
    execFileSync('ss', ['-V'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'it needs the program `ss` (Debian package iproute2)';
  }
}

const skip = lacksSs();

/** The keep-alive timer of the one connection, in whole seconds. @returns {Promise<number | undefined>} */
async function keepAliveSeconds(side, socket) {
  const servers = await startScriptedCluster({ primaries: 1 });
  const cluster = side.package.createCluster({ rootNodes: servers.seeds, defaults: { socket } });
  await cluster.connect();
  const [{ port }] = servers.nodes;
  let sockets = socketsTo(port);
  // The connection that asked for the layout may still be on its way out.
  for (const deadline = Date.now() + 2_000; sockets.length !== 1 && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    sockets = socketsTo(port);
  }
  cluster.destroy();
  await servers.close();
  assert.equal(sockets.length, 1, `one connection, not\n${sockets.join('\n')}`);
  const timer = /timer:\(keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?/.exec(sockets[0]);
  return timer ? Math.ceil(Number(timer[1] ?? 0) * 60 + Number(timer[2] ?? 0)) : undefined;
}

for (const [label, socket, expected] of [
  ['default', {}, 30],
  ['keepAliveInitialDelay', { keepAliveInitialDelay: 17_900 }, 17],
  ['keepAlive: false', { keepAlive: false }, undefined],
]) {
  test(`the keep-alive timer: ${label}`, { skip }, async () => {
    for (const side of SIDES) {
      const seconds = await keepAliveSeconds(side, socket);
      // The timer has begun to run.
      const isRight =
        expected === undefined
          ? seconds === undefined
          : expected - seconds <= 1 && seconds <= expected;
      assert.ok(isRight, `${side.name}: ${seconds} s`);
    }
  });
}

test('localAddress is where connections come from', { skip }, async () => {
  const servers = await startScriptedCluster({ primaries: 1 });
  const defaults = { socket: { localAddress: '127.0.0.9' } };
  const cluster = subject.package.createCluster({ rootNodes: servers.seeds, defaults });
  await cluster.connect();
  const sockets = socketsTo(servers.nodes[0].port);
  cluster.destroy();
  await servers.close();
  assert.ok(
    sockets.length > 0 && sockets.every((line) => line.includes('127.0.0.9:')),
    sockets.join('\n'),
  );
});
