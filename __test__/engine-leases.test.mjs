// Connections that are asked for by number: several commands in a row that nobody comes between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ours, quietly, until, userCommands } from './support/engine-client.mjs';
import { RawEngine } from './support/raw-engine.mjs';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { SILENCE } from './support/scripted-server.mjs';

/** Runs `use` with an engine on a cluster of its own. Keys are answered with the connection's number. */
async function onLeases(setup, use) {
  const script = (args, context) => {
    const special = setup.script?.(args, context);
    if (special !== undefined) return special;
    return ['GET', 'WATCH', 'EXEC'].includes(args[0]) ? resp.number(context.connection.id) : undefined;
  };
  const cluster = await startScriptedCluster({ primaries: 2, ...setup, script });
  const engine = new RawEngine({
    rootNodes: cluster.seeds,
    defaults: { socket: { reconnectStrategy: 10 } },
    ...setup.options,
  });
  const numbers = cluster.nodes.map(({ port }) => engine.native.destination('127.0.0.1', port));
  try {
    await engine.connect();
    await use({ cluster, engine, numbers });
  } finally {
    engine.destroy();
    await cluster.close();
  }
}

test('all commands of a lease share a connection with nobody else', async () => {
  await onLeases({}, async ({ cluster, engine, numbers }) => {
    const shared = await engine.send(numbers[0], ['GET', 'a']);
    const leases = [engine.native.lease(numbers[0]), engine.native.lease(numbers[0])];
    const seen = await Promise.all(leases.flatMap((lease) => [
      engine.send(lease, ['WATCH', 'a']), engine.send(lease, ['GET', 'a']),
    ]));
    assert.equal(seen[0], seen[1]);
    assert.equal(seen[2], seen[3]);
    assert.equal(new Set([shared, seen[0], seen[2]]).size, 3);
    assert.equal(await engine.send(numbers[0], ['GET', 'a']), shared);
    assert.deepEqual(userCommands(cluster.nodes[1]), []);
    assert.deepEqual(
      cluster.nodes[0].received.filter(({ connection }) => connection.id === seen[0]).slice(-2)
        .map(({ args: [name] }) => name),
      ['WATCH', 'GET'],
    );
  });
});

test('a clean connection is used again, another is closed', async () => {
  await onLeases({}, async ({ cluster, engine, numbers: [number] }) => {
    const use = async (isClean) => {
      const lease = engine.native.lease(number);
      const id = await engine.send(lease, ['WATCH', 'a']);
      engine.native.release(lease, isClean);
      await assert.rejects(engine.send(lease, ['GET', 'a']), ours.ClientClosedError);
      return id;
    };
    const first = await use(true);
    assert.equal(await use(true), first);
    assert.equal(await use(false), first);
    await until(() => [...cluster.nodes[0].connections].every(({ id }) => id !== first), 'it is closed');
    assert.notEqual(await use(true), first);
  });
});

test('released with something in flight: closed, and that fails', async () => {
  const script = ([name]) => (name === 'EXEC' ? SILENCE : undefined);
  await onLeases({ script }, async ({ engine, numbers: [number] }) => {
    const lease = engine.native.lease(number);
    const id = await engine.send(lease, ['WATCH', 'a']);
    const lost = quietly(engine.send(lease, ['EXEC']));
    engine.native.release(lease, true);
    await assert.rejects(lost, ours.ClientClosedError);
    const next = engine.native.lease(number);
    assert.notEqual(await engine.send(next, ['WATCH', 'a']), id);
  });
});

test('a lost connection fails all of it, written or not, until it is released', async () => {
  const script = ([name]) => (name === 'EXEC' ? SILENCE : undefined);
  await onLeases({ script }, async ({ cluster, engine, numbers: [number] }) => {
    const lease = engine.native.lease(number);
    const id = await engine.send(lease, ['WATCH', 'a']);
    const inFlight = quietly(engine.send(lease, ['EXEC']));
    const read = quietly(engine.send(lease, ['GET', 'unanswered']));
    await until(() => cluster.nodes[0].commands('GET').length === 1);
    for (const connection of cluster.nodes[0].connections) if (connection.id === id) connection.close();
    await assert.rejects(inFlight, ours.SocketClosedUnexpectedlyError);
    await assert.rejects(read, ours.SocketClosedUnexpectedlyError);
    for (let times = 0; times < 2; times++) {
      await assert.rejects(engine.send(lease, ['GET', 'a']), ours.SocketClosedUnexpectedlyError);
    }
    engine.native.release(lease, false);
    await assert.rejects(engine.send(lease, ['GET', 'a']), ours.ClientClosedError);
    assert.deepEqual(userCommands(cluster.nodes[0]).map(([name]) => name), ['WATCH', 'EXEC', 'GET']);
    assert.equal(typeof await engine.send(number, ['GET', 'a']), 'number', 'the others go on');
  });
});

test('nothing is redirected or tried again', async () => {
  const script = ([name, key], { cluster }) => {
    if (name === 'WATCH') return resp.error(`MOVED 1 ${cluster.address(1)}`);
    return name === 'GET' && key === 'later' ? resp.error('TRYAGAIN not now') : undefined;
  };
  await onLeases({ script }, async ({ cluster, engine, numbers: [number] }) => {
    const lease = engine.native.lease(number);
    await assert.rejects(engine.send(lease, ['WATCH', 'a']), /^Error: MOVED 1/);
    await assert.rejects(engine.send(lease, ['GET', 'later']), /^Error: TRYAGAIN/);
    assert.deepEqual(userCommands(cluster.nodes[1]), []);
    assert.deepEqual(engine.native.redirects(), [0, 0]);
  });
});

test('leases and what blocks share the bound: who comes later waits, and has deadlines', async () => {
  const setup = { options: { maxBlockingConnections: 1 } };
  await onLeases(setup, async ({ cluster, engine, numbers: [number] }) => {
    const [first, second] = [engine.native.lease(number), engine.native.lease(number)];
    const id = await engine.send(first, ['WATCH', 'a']);
    await assert.rejects(engine.send(second, ['GET', 'late'], 50), ours.TimeoutError);
    const patient = engine.send(second, ['GET', 'b']);
    engine.native.release(first, true);
    assert.equal(await patient, id);
    assert.equal(cluster.nodes[0].commands('GET').filter(([, key]) => key === 'late').length, 0);
  });
});

test('a lease that was given back before there was a connection', async () => {
  const setup = { options: { maxBlockingConnections: 1 } };
  await onLeases(setup, async ({ engine, numbers: [number] }) => {
    const [first, second, third] = Array.from({ length: 3 }, () => engine.native.lease(number));
    const id = await engine.send(first, ['WATCH', 'a']);
    const never = quietly(engine.send(second, ['GET', 'never']));
    const patient = engine.send(third, ['GET', 'b']);
    engine.native.release(second, true);
    await assert.rejects(never, ours.ClientClosedError);
    engine.native.release(first, true);
    assert.equal(await patient, id);
  });
});

test('a node that is not there, or not known', async () => {
  await onLeases({}, async ({ cluster, engine, numbers: [number] }) => {
    const stranger = engine.native.lease(engine.native.destination('127.0.0.1', 1));
    await assert.rejects(engine.send(stranger, ['GET', 'a']), ours.ClientClosedError);
    const nobody = engine.native.lease(12_345);
    await assert.rejects(engine.send(nobody, ['GET', 'a']), ours.ClientClosedError);
    const [node] = cluster.nodes;
    await node.close();
    const lease = engine.native.lease(number);
    const waiting = engine.send(lease, ['GET', 'a']);
    await node.listen(node.port);
    assert.equal(typeof await waiting, 'number');
  });
});

test('its node leaves the cluster before there was a connection', async () => {
  const setup = { options: { maxBlockingConnections: 1, topologyRefreshInterval: 50 } };
  await onLeases(setup, async ({ cluster, engine, numbers: [number] }) => {
    const [first, second] = [engine.native.lease(number), engine.native.lease(number)];
    await engine.send(first, ['WATCH', 'a']);
    const waiting = quietly(engine.send(second, ['GET', 'a']));
    cluster.layout[0].nodes = [1];
    const begin = performance.now();
    await assert.rejects(waiting, ours.ClientClosedError);
    assert.ok(performance.now() - begin < 1_000);
  });
});

test('close: what blocks and comes later is refused, a lease finishes', async () => {
  const script = ([name]) => (name === 'EXEC' ? [200, resp.simple('done')] : undefined);
  await onLeases({ script }, async ({ engine, numbers: [number] }) => {
    const lease = engine.native.lease(number);
    const running = engine.send(lease, ['EXEC']);
    const closed = engine.request((ticket) => engine.native.close(ticket, -1));
    await sleep(50);
    await assert.rejects(engine.send(number, ['BLPOP', 'a', '0']), ours.ClientClosedError);
    assert.equal(await running, 'done');
    await closed;
  });
});

test('a lease ends with the engine', async () => {
  const script = ([name]) => (name === 'EXEC' ? SILENCE : undefined);
  await onLeases({ script }, async ({ cluster, engine, numbers: [number] }) => {
    const lease = engine.native.lease(number);
    const id = await engine.send(lease, ['WATCH', 'a']);
    const inFlight = quietly(engine.send(lease, ['EXEC']));
    await until(() => cluster.nodes[0].commands('EXEC').length === 1);
    engine.destroy();
    await assert.rejects(inFlight, ours.DisconnectsClientError);
    await assert.rejects(engine.send(lease, ['GET', 'a']), ours.DisconnectsClientError);
    await until(() => [...cluster.nodes[0].connections].every((one) => one.id !== id), 'it is closed');
  });
});

test('a command that blocks, meant for one node: a connection of its own there, no redirect', async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = ([name]) => (name === 'BLPOP' ? held : undefined);
  await onLeases({ script }, async ({ cluster, engine, numbers: [number] }) => {
    const blocked = quietly(engine.send(number, ['BLPOP', 'a', '0']));
    await until(() => cluster.nodes[0].commands('BLPOP').length === 1);
    assert.equal(typeof await engine.send(number, ['GET', 'a']), 'number');
    answer(resp.error(`MOVED 1 ${cluster.address(1)}`));
    await assert.rejects(blocked, /^Error: MOVED 1/);
    assert.deepEqual(userCommands(cluster.nodes[1]), []);
  });
});
