// Root nodes: every spelling, dead ones, silent ones, and what connect() says when none answers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after, before, describe as suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { describe } from './parity/harness/describe-value.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { Relay } from './support/relay.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { SILENCE } from './support/scripted-server.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const { RootNodesUnavailableError, ConnectionTimeoutError } = createRequire(import.meta.url)(
  '../index.js',
);

/** A port that refuses connections. */
async function deadPort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A listener that is asleep, its queue of waiting connections full: others get no answer at all. */
async function fullListener() {
  const program = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const port = Number(line);
  child.kill('SIGSTOP');
  const waiting = [];
  for (let isTaken = true; isTaken;) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    waiting.push(socket);
    isTaken = await Promise.race([once(socket, 'connect').then(() => true), sleep(100, false)]);
  }
  const close = () => {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
  };
  return { port, close };
}

async function canListen(host) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, host, () => server.close(() => resolve(true)));
  });
}

const hasIpv6 = await canListen('::1');

/** Connects, runs one command, and ends. */
async function roundTrip(side, options) {
  const cluster = side.package.createCluster(options);
  const events = collectEvents(cluster);
  try {
    await cluster.connect();
    return { reply: await cluster.set('key', 'value'), events };
  } catch (error) {
    return { error, events };
  } finally {
    if (cluster.isOpen) cluster.destroy();
  }
}

const namesOf = (events) => events.map(([name]) => name);

withAnyServer((server) => {
  const getServers = sharedCluster(server);

  const spellings = {
    url: (port) => ({ url: `redis://127.0.0.1:${port}` }),
    'url with a name': (port) => ({ url: `redis://localhost:${port}` }),
    socket: (port) => ({ socket: { host: '127.0.0.1', port } }),
    'socket with a name': (port) => ({ socket: { host: 'localhost', port } }),
    'socket without a host': (port) => ({ socket: { port } }),
  };
  for (const [label, spell] of Object.entries(spellings)) {
    test(`a root node as ${label}, like node-redis`, async () => {
      for (const side of SIDES) {
        const rootNodes = [spell(getServers().nodes[0].port)];
        const { reply, error } = await roundTrip(side, { rootNodes });
        assert.equal(reply, 'OK', `${side.name}: ${error?.stack}`);
      }
    });
  }

  test('a root node as { host, port }', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const rootNodes = [{ host, port: getServers().nodes[1].port }];
      assert.equal((await roundTrip(subject, { rootNodes })).reply, 'OK');
    }
  });

  test('an IPv6 root node', { skip: hasIpv6 ? false : 'no IPv6 on this machine' }, async () => {
    const relay = await new Relay().listen(getServers().nodes[0].port, '::1');
    const { port } = relay;
    try {
      for (const root of [{ url: `redis://[::1]:${port}` }, { socket: { host: '::1', port } }]) {
        for (const side of SIDES) {
          const { reply, error } = await roundTrip(side, { rootNodes: [root] });
          assert.equal(reply, 'OK', `${side.name}: ${error?.stack}`);
        }
      }
      assert.equal((await roundTrip(subject, { rootNodes: [{ host: '::1', port }] })).reply, 'OK');
    } finally {
      await relay.close();
    }
  });

  test('a dead root node is an error event, and the next one is asked', async () => {
    const dead = await deadPort();
    const rootNodes = [{ url: `redis://127.0.0.1:${dead}` }, getServers().seeds[0]];
    // Which comes first is chance, for each client.
    for (const side of SIDES) {
      let errors = [];
      for (let attempt = 0; attempt < 30 && errors.length === 0; attempt++) {
        const { reply, events } = await roundTrip(side, { rootNodes });
        assert.equal(reply, 'OK');
        errors = events.filter(([name]) => name === 'error').map(([, error]) => error);
        assert.ok(namesOf(events).includes('connect'));
      }
      assert.ok(errors.length > 0, `${side.name} asked the dead node in one of 30 attempts`);
      for (const error of errors) {
        assert.equal(error.message, `connect ECONNREFUSED 127.0.0.1:${dead}`);
        assert.equal(error.code, 'ECONNREFUSED');
      }
    }
  });

  test('a name that nobody knows', async () => {
    const rootNodes = [{ url: 'redis://no-such-host.invalid:7000' }];
    const { error, events } = await roundTrip(subject, { rootNodes });
    assert.ok(error instanceof RootNodesUnavailableError);
    // EAI_AGAIN: a machine without a name server.
    assert.match(error.cause.message, /^getaddrinfo (ENOTFOUND|EAI_AGAIN) no-such-host\.invalid$/);
    assert.equal(error.cause.hostname, 'no-such-host.invalid');
    assert.deepEqual(namesOf(events), ['error']);
  });
});

suite('no root node answers', () => {
  test('the error of node-redis, and the reason of each', async () => {
    const ports = [await deadPort(), await deadPort(), await deadPort()];
    const rootNodes = () => ports.map((port) => ({ socket: { host: '127.0.0.1', port } }));
    const seen = [];
    for (const side of SIDES) {
      const { error, events } = await roundTrip(side, { rootNodes: rootNodes() });
      const failed = events.map(([name, reason]) => [name, reason.port]);
      assert.deepEqual(new Set(failed.map(([, port]) => port)), new Set(ports), 'each was asked');
      if (side === subject) {
        assert.deepEqual(error.errors.map(({ port }) => port).sort(), [...ports].sort());
        assert.equal(error.cause, error.errors[0]);
        assert.deepEqual(
          failed,
          error.errors.map(({ port }) => ['error', port]),
          'in that order',
        );
        delete error.cause;
      }
      seen.push([describe(error), describe({ ...events[0][1], port: 0 })]);
    }
    assert.deepStrictEqual(seen[1], seen[0]);
  });

  test('a root node that says it is no cluster', async () => {
    const cluster = await startScriptedCluster({
      primaries: 1,
      script: ([name, sub]) =>
        name === 'CLUSTER' && sub.toUpperCase() === 'SLOTS'
          ? '-ERR This instance has cluster support disabled\r\n'
          : undefined,
    });
    try {
      const seen = [];
      for (const side of SIDES) {
        const { error, events } = await roundTrip(side, { rootNodes: cluster.seeds });
        delete error.cause;
        seen.push(describe([error, events]));
      }
      assert.deepStrictEqual(seen[1], seen[0]);
    } finally {
      await cluster.close();
    }
  });
});

suite('connectTimeout', () => {
  /** Takes connections and never says a word. */
  let silent;
  before(async () => {
    silent = await startScriptedCluster({ primaries: 1, script: () => SILENCE });
  });
  after(() => silent.close());

  test('a root node that accepts and is silent', async () => {
    const defaults = { socket: { connectTimeout: 150 } };
    const begin = performance.now();
    const { error, events } = await roundTrip(subject, { rootNodes: silent.seeds, defaults });
    const took = performance.now() - begin;
    assert.ok(error instanceof RootNodesUnavailableError);
    assert.ok(error.cause instanceof ConnectionTimeoutError, String(error.cause));
    assert.equal(error.cause.message, 'Connection timeout');
    assert.deepEqual(namesOf(events), ['error']);
    assert.ok(took >= 149 && took < 1_000, `${took} ms`);
  });

  test('a root node that does not accept', async () => {
    const full = await fullListener();
    const rootNodes = [{ host: '127.0.0.1', port: full.port }];
    const defaults = { socket: { connectTimeout: 150 } };
    try {
      const begin = performance.now();
      const { error } = await roundTrip(subject, { rootNodes, defaults });
      const took = performance.now() - begin;
      assert.ok(error.cause instanceof ConnectionTimeoutError, String(error.cause));
      assert.ok(took >= 149 && took < 1_000, `${took} ms`);
    } finally {
      full.close();
    }
  });
});
