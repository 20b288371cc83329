// Commands that block have a connection each: nothing waits behind them, and they go where their slot
// goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blPop, connectionsOf, element, onBlockingCluster } from './support/blocking-script.mjs';
import {
  assertNoStrayAnswers,
  assignSlot,
  hideLastNode,
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
