// Commands that block have a connection each: nothing waits behind them, and they go where their slot
// goes, end when they are to end, and leave nothing behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlockingScript, popped } from './support/blocking-script.mjs';
import {
  assertNoStrayAnswers,
  assignSlot,
  hideLastNode,
  onScriptedCluster,
  ours,
  quietly,
  SLOTS,
  until,
} from './support/engine-client.mjs';
import { TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP } from './support/scripted-server.mjs';

const DEMOTED =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';

/** Runs `use` with a client of a cluster of which nodes block as `blocking` says. */
async function onBlockingCluster(setup, use) {
  const blocking = new BlockingScript();
  const script = (args, context) => {
    const special = setup.script?.(args, context, blocking);
    return special ?? blocking.script(args, context);
  };
  await onScriptedCluster({ ...setup, script }, (context) => use({ ...context, blocking }));
}

const blPop = (client, key) => quietly(client.blPop(key, 0));
const element = (key, text = 'element') => ({ key, element: text });
const connectionsOf = (node, name) => {
  const own = node.received.filter(({ args }) => args[0] === name);
  return [...new Set(own.map(({ connection }) => connection))];
};

test('a GET beside a BLPOP is not delayed; the connection is used again', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking, events }) => {
    const [node] = cluster.nodes;
    const first = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    assert.equal(await client.get('b'), '0:b');
    const { accepted } = node;
    blocking.push('{b}1');
    assert.deepEqual(await first, element('{b}1'));
    const second = blPop(client, '{b}2');
    await until(() => blocking.isBlocked('{b}2'));
    blocking.push('{b}2', 'other');
    assert.deepEqual(await second, element('{b}2', 'other'));
    assert.equal(node.accepted, accepted, 'one connection for both');
    const [own] = connectionsOf(node, 'BLPOP');
    assert.ok(!connectionsOf(node, 'GET').includes(own), 'and none else uses it');
    assert.deepEqual(events.filter(([name]) => name !== 'node-ready'), []);
    assert.equal(events.length, cluster.nodes.length, 'no events for connections of this kind');
    await assertNoStrayAnswers(client, 'b');
  });
});

test('what does not block stays on the shared connection: XREAD without BLOCK, WAIT', async () => {
  await onBlockingCluster({ primaries: 1 }, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    await client.set('b', '1');
    const { accepted } = node;
    assert.equal(await client.wait(0, 0), 1);
    assert.equal(await client.sendCommand('b', true, ['XREAD', 'STREAMS', 'b', '0']), '0:read');
    assert.equal(node.accepted, accepted);
    const blocked = client.sendCommand('b', true, ['xread', 'BLOCK', '0', 'STREAMS', 'b', '$']);
    await until(() => blocking.isBlocked('b'));
    assert.equal(node.accepted, accepted + 1);
    blocking.push('b');
    assert.deepEqual(await blocked, ['b', 'element']);
  });
});

test('a connection for this is greeted like the others, and must be the same node', async () => {
  const options = { defaults: { name: 'worker', socket: { reconnectStrategy: 10 } } };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const greetings = () => node.received.filter(({ args: [name] }) => name === 'HELLO');
    const before = greetings().length;
    cluster.myId = () => 'f'.repeat(40);
    const blocked = blPop(client, 'b');
    await until(() => greetings().length > before + 1, 'it is tried again');
    assert.deepEqual(blocking.blocked, [], 'another node gets nothing');
    cluster.myId = (index) => cluster.idOf(index);
    await until(() => blocking.isBlocked('b'));
    assert.deepEqual(greetings().at(-1).args, ['HELLO', '3', 'SETNAME', 'worker']);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('reads that block go to replicas where reads may, in READONLY mode', async () => {
  const setup = { primaries: 1, replicasPerPrimary: 1, options: { useReplicas: true } };
  await onBlockingCluster(setup, async ({ cluster, client, blocking }) => {
    const read = (key) => quietly(client.sendCommand(key, undefined, ['XREAD', 'BLOCK', '0', 'STREAMS', key, '$']));
    const reads = [read('{b}1'), read('{b}2')];
    const pop = blPop(client, '{b}3');
    await until(() => blocking.blocked.length === 3);
    assert.deepEqual(blocking.blocked.map(({ node }) => node).sort(), [0, 0, 1]);
    const { connection } = blocking.blocked.find(({ node }) => node === 1);
    const sent = cluster.nodes[1].received.filter((one) => one.connection === connection);
    assert.ok(sent.some(({ args: [name] }) => name === 'READONLY'));
    assert.equal(blocking.blockedOn('{b}3').node, 0);
    for (const key of ['{b}1', '{b}2', '{b}3']) blocking.push(key);
    await Promise.all([...reads, pop]);
  });
});

test('MOVED while it blocks: it blocks on at the new owner', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    assignSlot(cluster, SLOTS.b, 1);
    blocking.blockedOn('b').answer(resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`));
    await until(() => blocking.isBlocked('b'), 'it blocks again');
    assert.equal(blocking.blockedOn('b').node, 1);
    assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
    assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[1].port);
    assert.equal(await client.get('b'), '1:b', 'and others follow at once');
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('MOVED to a node that was not known', async () => {
  const setup = { primaries: 4, prepare: hideLastNode };
  await onBlockingCluster(setup, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    assignSlot(cluster, SLOTS.b, 3);
    blocking.blockedOn('b').answer(resp.error(`MOVED ${SLOTS.b} ${cluster.address(3)}`));
    await until(() => blocking.isBlocked('b'), 'it blocks again');
    assert.equal(blocking.blockedOn('b').node, 3);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('ASK: behind ASKING, in one piece', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    blocking.blockedOn('b').answer(resp.error(`ASK ${SLOTS.b} ${cluster.address(1)}`));
    await until(() => blocking.isBlocked('b'), 'it blocks again');
    const { node, connection } = blocking.blockedOn('b');
    const sent = cluster.nodes[1].received.filter((one) => one.connection === connection);
    assert.equal(node, 1);
    assert.deepEqual(sent.slice(-2).map(({ args: [name] }) => name), ['ASKING', 'BLPOP']);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
    assert.deepEqual(client.redirects(), { moved: 0, ask: 1 });
  });
});

test('too many redirects', async () => {
  const options = { maxCommandRedirections: 2 };
  const script = ([name], { node, cluster }) => {
    return name === 'BLPOP' ? resp.error(`ASK ${SLOTS.b} ${cluster.address(1 - node)}`) : undefined;
  };
  await onBlockingCluster({ script, options }, async ({ client }) => {
    await assert.rejects(client.blPop('b', 0), ours.MaxCommandRedirectionsError);
  });
});

test('its node becomes a replica: it is tried again, on another connection, at the new primary', async () => {
  const script = ([name], { node, cluster }) => {
    const isReplica = cluster.layout[0].nodes[0] !== node;
    return name === 'BLPOP' && isReplica ? resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`) : undefined;
  };
  const setup = { primaries: 1, replicasPerPrimary: 1, script };
  await onBlockingCluster(setup, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    cluster.layout = [{ first: 0, last: 16_383, nodes: [1, 0] }];
    blocking.blockedOn('b').answer([resp.error(DEMOTED), 20, HANG_UP]);
    await until(() => blocking.blocked.some(({ node }) => node === 1), 'it blocks at the new one');
    const sent = cluster.nodes[0].received.filter(({ args: [name] }) => name === 'BLPOP');
    assert.equal(sent.filter((one) => one.connection === connection).length, 1);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('TRYAGAIN: it waits and is tried again, and nothing of its slot waits behind it', async () => {
  const state = { refuses: true };
  const script = ([name]) => {
    return name === 'BLPOP' && state.refuses ? resp.error(TRYAGAIN) : undefined;
  };
  await onBlockingCluster({ script }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'b');
    const tries = () => cluster.nodes[0].commands('BLPOP').length;
    await until(() => tries() > 6, 'it is tried again and again');
    const begin = performance.now();
    for (let count = 0; count < 20; count++) assert.equal(await client.get('b'), '0:b');
    const took = performance.now() - begin;
    assert.ok(took < 300, `${took} ms`);
    state.refuses = false;
    await until(() => blocking.isBlocked('b'));
    assert.equal(await client.get('b'), '0:b');
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('TRYAGAIN for good: when its time is over it gets what the server said; abort ends the waiting', async () => {
  const script = ([name]) => (name === 'BLPOP' ? resp.error(TRYAGAIN) : undefined);
  await onBlockingCluster({ script }, async ({ cluster, client }) => {
    const impatient = client.withCommandOptions({ timeout: 60 });
    await assert.rejects(impatient.blPop('b', 0), { message: TRYAGAIN });
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ timeout: 0, abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    const before = cluster.nodes[0].commands('BLPOP').length;
    await until(() => cluster.nodes[0].commands('BLPOP').length > before + 1);
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
  });
});

test('a lost connection: a pop may have happened and is rejected, a read is sent again', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking, events }) => {
    const pop = blPop(client, '{b}pop');
    const read = client.sendCommand('{b}read', true, ['XREAD', 'BLOCK', '0', 'STREAMS', '{b}read', '$']);
    await until(() => blocking.blocked.length === 2);
    const connections = blocking.blocked.map(({ connection }) => connection);
    blocking.blocked = [];
    for (const connection of connections) connection.close();
    await assert.rejects(pop, ours.SocketClosedUnexpectedlyError);
    await until(() => blocking.isBlocked('{b}read'), 'it is sent again');
    blocking.push('{b}read');
    assert.deepEqual(await read, ['{b}read', 'element']);
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1);
    assert.ok(events.every(([name]) => name === 'node-ready'), String(events));
  });
});

test('beyond the bound they wait for one another, in order', async () => {
  const options = { maxBlockingConnections: 2 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const keys = Array.from({ length: 6 }, (_, index) => `{b}${index}`);
    const pops = keys.map((key) => blPop(client, key));
    const elsewhere = blPop(client, 'c');
    await until(() => blocking.isBlocked('c'), 'other nodes have their own');
    blocking.push('c');
    await elsewhere;
    for (const [index, key] of keys.entries()) {
      const expected = keys.slice(index, index + 2);
      await until(() => expected.every((one) => blocking.isBlocked(one)));
      assert.equal(blocking.blocked.length, expected.length, 'two at a time');
      blocking.push(key);
      assert.deepEqual(await pops[index], element(key));
    }
    assert.equal(connectionsOf(cluster.nodes[0], 'BLPOP').length, 2);
  });
});

test('timeout and responseTimeout count while they wait for a connection', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    for (const commandOptions of [{ timeout: 80 }, { timeout: 0, responseTimeout: 80 }]) {
      const begin = performance.now();
      const late = client.withCommandOptions(commandOptions).blPop('{b}2', 0);
      await assert.rejects(late, ours.TimeoutError);
      const took = performance.now() - begin;
      assert.ok(took >= 75 && took < 1_000, `${took} ms`);
    }
    blocking.push('{b}1');
    assert.deepEqual(await blocked, element('{b}1'));
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1, 'they were never sent');
  });
});

test('timeout does not count while it blocks, responseTimeout does and costs the connection', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const patient = quietly(client.withCommandOptions({ timeout: 30 }).blPop('{b}1', 0));
    const late = quietly(client.withCommandOptions({ responseTimeout: 100 }).blPop('{b}2', 0));
    await until(() => blocking.blocked.length === 2);
    const { connection } = blocking.blockedOn('{b}2');
    await assert.rejects(late, (error) => {
      return error instanceof ours.TimeoutError && /responseTimeout/.test(error.message);
    });
    await until(() => !node.connections.has(connection), 'it is closed');
    blocking.push('{b}1');
    assert.deepEqual(await patient, element('{b}1'));
    await assertNoStrayAnswers(client, 'b');
  });
});

test('an abort takes it back while it waits for a connection', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = abortable.blPop('{b}2', 0);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(aborted, ours.AbortError);
    blocking.push('{b}1');
    await blocked;
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1);
  });
});

test('an abort while it blocks ends the blocking on the server; the connection lives on', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    assert.deepEqual(blocking.unblocking, [['CLIENT', 'UNBLOCK', String(connection.id), 'ERROR']]);
    const { accepted } = cluster.nodes[0];
    const next = blPop(client, '{b}next');
    await until(() => blocking.isBlocked('{b}next'));
    assert.equal(blocking.blockedOn('{b}next').connection, connection);
    assert.equal(cluster.nodes[0].accepted, accepted);
    blocking.push('{b}next');
    await next;
  });
});

test('an abort that comes too late: what was popped is not lost', async () => {
  const script = (args, context, blocking) => {
    if (args[1] !== 'UNBLOCK') return undefined;
    blocking.push('b');
    return resp.number(0);
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const popped = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    controller.abort();
    assert.deepEqual(await popped, element('b'));
  });
});

test('an abort that comes too late does not end the waiting of the next command', async () => {
  const script = (args, context, blocking) => {
    if (args[1] !== 'UNBLOCK') return undefined;
    blocking.push('b');
    return [60, resp.number(0)];
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const popped = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await popped;
    const next = blPop(client, '{b}next');
    await until(() => blocking.isBlocked('{b}next'));
    assert.notEqual(blocking.blockedOn('{b}next').connection, connection);
    await sleep(100);
    const later = blPop(client, '{b}later');
    await until(() => blocking.isBlocked('{b}later'));
    assert.equal(blocking.blockedOn('{b}later').connection, connection, 'free again');
    for (const key of ['{b}next', '{b}later']) blocking.push(key);
    await Promise.all([next, later]);
  });
});

test('where CLIENT UNBLOCK is not allowed, an abort closes the connection', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking }) => {
    blocking.unblocks = false;
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    await until(() => blocking.isBlocked('b'));
    const { connection } = blocking.blockedOn('b');
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    await until(() => !cluster.nodes[0].connections.has(connection), 'it is closed');
  });
});

test('an abort before it is there does not send it', async () => {
  await onBlockingCluster({}, async ({ cluster, client }) => {
    const controller = new AbortController();
    const abortable = client.withCommandOptions({ abortSignal: controller.signal });
    const aborted = quietly(abortable.blPop('b', 0));
    controller.abort();
    await assert.rejects(aborted, ours.AbortError);
    await client.get('b');
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 0);
  });
});

test('close() ends what blocks, waiting or not, and lets the others finish', async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = ([name]) => (name === 'INCR' ? held.then(() => resp.number(5)) : undefined);
  const setup = { script, options: { maxBlockingConnections: 1 } };
  await onBlockingCluster(setup, async ({ client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    const counted = client.incr('c');
    const closed = client.close();
    await assert.rejects(blocked, ours.ClientClosedError);
    await assert.rejects(waiting, ours.ClientClosedError);
    answer();
    assert.equal(await counted, 5);
    await closed;
  });
});

test('close() does not lose what is popped in the same moment', async () => {
  const script = (args, context, blocking) => {
    if (args[1] !== 'UNBLOCK') return undefined;
    blocking.push('b');
    return resp.number(0);
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const popped = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    await client.close();
    assert.deepEqual(await popped, element('b'));
  });
});

test('destroy() ends what blocks and what waits at once', async () => {
  const options = { maxBlockingConnections: 1 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    const { connection } = blocking.blockedOn('{b}1');
    client.destroy();
    await assert.rejects(blocked, ours.DisconnectsClientError);
    await assert.rejects(waiting, ours.DisconnectsClientError);
    await until(() => !cluster.nodes[0].connections.has(connection), 'it is closed');
    await client.connect();
    const again = blPop(client, '{b}3');
    await until(() => blocking.isBlocked('{b}3'));
    blocking.push('{b}3');
    assert.deepEqual(await again, element('{b}3'));
  });
});

test('idle connections are closed, used ones are not', async () => {
  const options = { blockingIdleTimeout: 200 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const [node] = cluster.nodes;
    const shared = node.connections.size;
    const pops = ['{b}1', '{b}2', '{b}3'].map((key) => blPop(client, key));
    await until(() => blocking.blocked.length === 3);
    assert.equal(node.connections.size, shared + 3);
    blocking.push('{b}1');
    blocking.push('{b}2');
    await Promise.all(pops.slice(0, 2));
    const begin = performance.now();
    await until(() => node.connections.size === shared + 1, 'two are closed');
    assert.ok(performance.now() - begin >= 180);
    await sleep(400);
    assert.equal(node.connections.size, shared + 1, 'the one that blocks is not');
    blocking.push('{b}3');
    assert.deepEqual(await pops[2], element('{b}3'));
    await until(() => node.connections.size === shared);
  });
});

test('silence is what it is for: no socketTimeout, no hangTimeout', async () => {
  const socket = { reconnectStrategy: 10, hangTimeout: 60 };
  await onBlockingCluster({ options: { defaults: { socket } } }, async (context) => {
    const { cluster, client, blocking, events } = context;
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    const { accepted } = cluster.nodes[0];
    await sleep(500);
    assert.equal(cluster.nodes[0].accepted, accepted, 'nobody doubts it');
    assert.ok(events.every(([name]) => name === 'node-ready'), String(events));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
  const options = { defaults: { socket: { reconnectStrategy: 10, socketTimeout: 60 } } };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    await sleep(300);
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('a node that is not there: it waits with the others, or fails as they do', async () => {
  await onBlockingCluster({}, async ({ cluster, client, blocking, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    const blocked = blPop(client, 'b');
    const late = client.withCommandOptions({ timeout: 50 }).blPop('{b}late', 0);
    await assert.rejects(late, ours.TimeoutError);
    await node.listen(node.port);
    await until(() => blocking.isBlocked('b'));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
  const offline = { defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 10 } } };
  await onBlockingCluster({ options: offline }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    await assert.rejects(client.blPop('b', 0), ours.ClientOfflineError);
  });
  const options = { defaults: { socket: { reconnectStrategy: false } } };
  await onBlockingCluster({ options }, async ({ cluster, client, events }) => {
    await cluster.nodes[0].close();
    await until(() => events.some(([name]) => name === 'node-error'));
    await assert.rejects(client.blPop('b', 0), { code: 'ECONNREFUSED' });
  });
});

test('the slot moves while it waits for a connection: it waits at the new owner', async () => {
  const options = { maxBlockingConnections: 1, topologyRefreshInterval: 50 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, 'f');
    await until(() => blocking.isBlocked('f'));
    const waiting = blPop(client, 'b');
    const another = blPop(client, '{b}2');
    assignSlot(cluster, SLOTS.b, 1);
    await until(() => blocking.isBlocked('b'));
    assert.equal(blocking.blockedOn('b').node, 1);
    for (const [key, promise] of [['b', waiting], ['{b}2', another], ['f', blocked]]) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
      assert.deepEqual(await promise, element(key));
    }
    assert.equal(cluster.nodes[0].commands('BLPOP').length, 1);
  });
});

test('no connection can be made beside the shared one: it is tried again, less and less often', async () => {
  const state = { isFull: true, refused: 0 };
  const script = ([name], { connection, node, cluster }) => {
    if (name !== 'HELLO' || !state.isFull || node !== 0) return undefined;
    if (cluster.nodes[0].connections.size === 1) return undefined;
    state.refused += 1;
    return [resp.error('ERR max number of clients reached'), HANG_UP];
  };
  await onBlockingCluster({ script }, async ({ client, blocking }) => {
    const before = state.refused;
    const keys = Array.from({ length: 20 }, (_, index) => `{b}${index}`);
    const blocked = [];
    for (const key of keys) {
      blocked.push(blPop(client, key));
      await sleep(5);
    }
    await until(() => state.refused > before + 1);
    assert.equal(await client.get('b'), '0:b');
    assert.ok(state.refused < before + 15, `${state.refused - before} attempts`);
    state.isFull = false;
    for (const [index, key] of keys.entries()) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
      assert.deepEqual(await blocked[index], element(key));
    }
  });
});

test('minimizeConnections: it connects the node that it needs', async () => {
  const options = { minimizeConnections: true };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const blocked = blPop(client, 'b');
    await until(() => blocking.isBlocked('b'));
    blocking.push('b');
    assert.deepEqual(await blocked, element('b'));
  });
});

test('what blocks does not fill the queue of its node; what waits is bounded in bytes', async () => {
  const defaults = { commandsQueueMaxLength: 2, commandsQueueMaxBytes: 2_000 };
  const options = { maxBlockingConnections: 3, defaults };
  await onBlockingCluster({ options }, async ({ client, blocking }) => {
    const keys = Array.from({ length: 5 }, (_, index) => `{b}${index}`);
    const pops = keys.map((key) => blPop(client, key));
    await until(() => blocking.blocked.length === 3);
    assert.equal(await client.get('b'), '0:b');
    const large = quietly(client.blPop(`{b}${'x'.repeat(2_000)}`, 0));
    await assert.rejects(client.blPop('{b}more', 0), /^Error: The queue is full: 2000 bytes/);
    for (const key of keys) {
      await until(() => blocking.isBlocked(key));
      blocking.push(key);
    }
    await Promise.all(pops);
    client.destroy();
    await assert.rejects(large, ours.DisconnectsClientError);
  });
});

test('a node that leaves: what waits for it goes on at once', async () => {
  const options = { maxBlockingConnections: 1, topologyRefreshInterval: 50 };
  await onBlockingCluster({ options }, async ({ cluster, client, blocking }) => {
    const blocked = blPop(client, '{b}1');
    await until(() => blocking.isBlocked('{b}1'));
    const waiting = blPop(client, '{b}2');
    cluster.layout[0].nodes = [1];
    await until(() => blocking.isBlocked('{b}2'));
    assert.equal(blocking.blockedOn('{b}2').node, 1);
    blocking.push('{b}2');
    assert.deepEqual(await waiting, element('{b}2'));
    blocking.blockedOn('{b}1').answer([popped('{b}1')]);
    assert.deepEqual(await blocked, element('{b}1'), 'what was begun may end');
  });
});
