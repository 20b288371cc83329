// Commands over many slots: one part for each slot, one write for each node, one answer in the caller's
// order; parts are redirected and repeated by themselves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  assignSlot,
  onScriptedCluster,
  ours,
  SLOTS,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';
import { keysOf, partsAt, slotOf, splitNodes } from './support/split-nodes.mjs';

const { RESP_TYPES } = ours;
const KEYS = Array.from({ length: 300 }, (_, index) => `key:${index % 200}`);
/** The node of a key's slot in the layout of three primaries. */
const home = (key) => Math.floor((slotOf(key) * 3) / 16_384);
const valueOf = (key) => `${home(key)}:${key}`;

test('one command for each slot, one write for each node, in the order of the caller', async () => {
  await onScriptedCluster({ script: splitNodes() }, async ({ cluster, client }) => {
    const before = cluster.nodes.map(({ pieces }) => pieces);
    assert.deepEqual(await client.mGet(KEYS), KEYS.map(valueOf));
    assert.deepEqual(cluster.nodes.map(({ pieces }, at) => pieces - before[at]), [1, 1, 1]);
    for (const [node, { received }] of cluster.nodes.entries()) {
      const parts = received.map(({ args }) => args).filter(([name]) => name === 'MGET');
      const slots = parts.map((args) => new Set(keysOf(args).map(slotOf)));
      assert.ok(slots.every(({ size }) => size === 1), 'all keys of a part are of one slot');
      const own = new Set(KEYS.filter((key) => home(key) === node).map(slotOf));
      assert.equal(parts.length, own.size, 'and each slot has one part');
      for (const args of parts) {
        const slot = slotOf(args[1]);
        assert.deepEqual(keysOf(args), KEYS.filter((key) => slotOf(key) === slot));
      }
    }
    assert.deepEqual(client.redirects(), { moved: 0, ask: 0 });
  });
});

test('what belongs to a key goes with it', async () => {
  await onScriptedCluster({ script: splitNodes() }, async ({ cluster, client }) => {
    assert.equal(await client.mSet([['b', '1'], ['c', '2'], ['{b}2', '3'], ['b', '4']]), 'OK');
    assert.deepEqual(partsAt(cluster.nodes[0]), [['MSET', 'b', '1', '{b}2', '3', 'b', '4']]);
    assert.deepEqual(partsAt(cluster.nodes[1]), [['MSET', 'c', '2']]);
    assert.equal(await client.del(['b', 'f', 'a', 'b']), 4);
    assert.equal(await client.sendCommand(undefined, false, ['exists', 'b', 'c']), 2);
    assert.deepEqual(partsAt(cluster.nodes[1]).at(-1), ['exists', 'c']);
  });
});

test('MOVED, ASK and TRYAGAIN concern one part each', async () => {
  const asking = new WeakSet();
  let refusals = 3;
  const script = splitNodes(([name, key], { node, cluster, connection }) => {
    const isAllowed = asking.delete(connection);
    if (name === 'ASKING') asking.add(connection);
    if (name !== 'MGET') return undefined;
    if (key === 'b' && node === 0) return resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`);
    if (key === 'f' && node === 0) return resp.error(`ASK ${SLOTS.f} ${cluster.address(2)}`);
    if (key === 'f' && !isAllowed) return resp.error('ERR not behind ASKING');
    return key === 'c' && refusals-- > 0 ? resp.error(TRYAGAIN) : undefined;
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 1);
    const keys = ['a', 'f', '{f}2', 'c', 'b', 'a'];
    const want = ['2:a', '2:f', '2:{f}2', '1:c', '1:b', '2:a'];
    assert.deepEqual(await client.mGet(keys), want);
    assert.deepEqual(client.redirects(), { moved: 1, ask: 1 });
    assert.deepEqual(
      [partsAt(cluster.nodes[0]).length, partsAt(cluster.nodes[1]).length, partsAt(cluster.nodes[2]).length],
      [2, 5, 2],
    );
    assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[1].port);
    await assertNoStrayAnswers(client, 'a');
  });
});

test('while a slot is held, parts keep the order of their slots', async () => {
  const script = splitNodes(([name], { node, cluster }) => {
    if (name !== 'SET' && name !== 'MSET') return undefined;
    return node === 0 ? [20, resp.error(`MOVED ${SLOTS.b} ${cluster.address(1)}`)] : undefined;
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assignSlot(cluster, SLOTS.b, 1);
    // Older ones are on their way back from the old owner, and the slot is held for them.
    const older = [client.set('b', '1'), client.set('b', '2'), client.set('b', '3')];
    await until(() => client.redirects().moved === 1);
    const split = client.mSet([['b', '4'], ['a', '4'], ['c', '4']]);
    const younger = client.set('b', '5');
    const read = client.mGet(['c', 'b', 'a']);
    await Promise.all([...older, split, younger]);
    assert.deepEqual(await read, ['1:c', '1:b', '2:a']);
    const written = userCommands(cluster.nodes[1]).filter((args) => args[1] === 'b');
    assert.deepEqual(
      written.map(([name, , value]) => (name === 'MGET' ? name : value)),
      ['1', '2', '3', '4', '5', 'MGET'],
    );
    await until(() => partsAt(cluster.nodes[2]).length === 2);
  });
});

test('useReplicas: parts that read are spread over the copies, parts that write are not', async () => {
  const setup = { script: splitNodes(), replicasPerPrimary: 1, options: { useReplicas: true } };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    await until(() => cluster.nodes.every((node) => node.connections.size > 0));
    const values = await client.mGet(KEYS);
    assert.deepEqual(values.map((value) => value.slice(2)), KEYS);
    const counts = cluster.nodes.map((node) => partsAt(node).length);
    assert.ok(counts.every((count) => count > 10), `parts per node: ${counts}`);
    assert.equal(await client.exists(KEYS), KEYS.length);
    const [primaries, replicas] = [cluster.nodes.slice(0, 3), cluster.nodes.slice(3)];
    const read = partsAt(...replicas).length;
    assert.equal(await client.del(KEYS), KEYS.length);
    assert.equal(await client.mSet(KEYS.map((key) => [key, '1'])), 'OK');
    assert.equal(partsAt(...replicas).length, read);
    assert.ok(partsAt(...primaries).length > 2 * read);
  });
});

test('values of 70,000 bytes among small ones', async () => {
  const values = { a: 'x'.repeat(70_000), b: 'y', c: 'é'.repeat(40_000), f: '' };
  const script = splitNodes((args) => {
    if (args[0] !== 'MGET') return undefined;
    return resp.array(keysOf(args).map((key) => (key in values ? resp.bulk(values[key]) : resp.null3)));
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const keys = ['c', 'a', 'missing', 'f', 'b', 'a', 'c'];
    const want = keys.map((key) => values[key] ?? null);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const [text, bytes] = await Promise.all([client.mGet(keys), binary.mGet(keys)]);
    // Not by assert.deepEqual, which would print them.
    assert.ok(text.every((value, at) => value === want[at]), 'text');
    assert.ok(bytes.every((value, at) => (value?.toString() ?? null) === want[at]), 'bytes');
    assert.ok(bytes[0] !== bytes[6], 'equal keys have values of their own');
  });
});

test('answers that are cut at any byte, between answers of other commands', async () => {
  const state = { cut: 0, stream: '', left: 4 };
  const script = splitNodes((args, { node }) => {
    if (node !== 0 || !['GET', 'MGET'].includes(args[0])) return undefined;
    // A push, which answers nobody, between them.
    const push = resp.push([resp.bulk('invalidate'), resp.null3]);
    state.stream += args[0] === 'GET' ? push + resp.bulk('got') : resp.array([resp.bulk(args[1]), resp.null3]);
    state.left -= 1;
    if (state.left > 0) return '';
    return [state.stream.slice(0, state.cut), 1, state.stream.slice(state.cut)];
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    for (let length = 1; state.cut <= length; state.cut++) {
      Object.assign(state, { stream: '', left: 4 });
      const answers = [
        client.get('b'),
        client.mGet(['b', '{b}2', 'f', '{f}2', 'c']),
        client.get('f'),
      ];
      assert.deepEqual(await Promise.all(answers), ['got', ['b', null, 'f', null, '1:c'], 'got']);
      length = state.stream.length;
    }
    assert.ok(state.cut > 80, `${state.cut} places`);
  });
});

test('what is no answer of this shape is an error, not a wrong answer', async () => {
  const script = splitNodes(([name], { node }) => {
    if (node !== 0) return undefined;
    return name === 'MGET' ? resp.array([]) : name === 'DEL' ? resp.bulk('1') : undefined;
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    await assert.rejects(client.mGet(['a', 'b']), { message: /one element per key/ });
    await assert.rejects(client.del(['a', 'b']), { message: /numbers/ });
    await assertNoStrayAnswers(client, 'b');
  });
});
