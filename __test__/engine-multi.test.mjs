// A transaction is one request: it goes elsewhere, waits, fails and is sent again as a whole, or not at
// all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoStrayAnswers,
  assignSlot,
  onScriptedCluster,
  ours,
  outcomes,
  SLOTS,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { REFUSALS, TRYAGAIN } from './support/refusals.mjs';
import { resp } from './support/resp-text.mjs';
import { HANG_UP } from './support/scripted-server.mjs';
import { parts, transactional } from './support/transactions.mjs';

const { MaxCommandRedirectionsError, SimpleError, SocketClosedUnexpectedlyError, WatchError } = ours;

const pair = (client) => client.multi().incr('b').get('b').exec();
const PAIR = ['INCR b', 'GET b'];
const UNIT = ['MULTI', ...PAIR, 'EXEC'];
const words = (node) => userCommands(node).map((args) => args.join(' '));

/** Fails unless each connection of a node brought whole transactions, each with ASKING right before it. */
function assertWhole(node, times) {
  let seen = 0;
  for (const connection of new Set(node.received.map((one) => one.connection))) {
    const own = node.received.filter((one) => one.connection === connection);
    const names = own.map(({ args }) => args.join(' '));
    for (let at = names.indexOf('MULTI'); at !== -1; at = names.indexOf('MULTI', at + 1)) {
      assert.deepEqual(names.slice(at - 1, at + UNIT.length), ['ASKING', ...UNIT]);
      seen += 1;
    }
  }
  assert.equal(seen, times);
}

const moved = (cluster, node) => `MOVED ${SLOTS.b} ${cluster.address(node)}`;
const ask = (cluster, node) => `ASK ${SLOTS.b} ${cluster.address(node)}`;

for (const place of ['queue', 'exec']) {
  test(`MOVED at ${place}: the whole transaction goes to the owner`, async () => {
    const { script, ran } = transactional({
      [place]: (_, { node, cluster }) => (node === 0 ? moved(cluster, 1) : undefined),
    });
    await onScriptedCluster({ script }, async ({ cluster, client }) => {
      assert.deepEqual(await pair(client), [1, '1']);
      assert.deepEqual(ran, [{ node: 1, commands: PAIR }]);
      assert.deepEqual(words(cluster.nodes[0]), UNIT);
      assert.deepEqual(words(cluster.nodes[1]), UNIT);
      assert.deepEqual(client.redirects(), { moved: 1, ask: 0 });
      await assertNoStrayAnswers(client, 'b');
    });
  });

  test(`ASK at ${place}: ASKING and the transaction are one unit`, async () => {
    const { script, ran } = transactional({
      [place]: (_, { node, cluster, isAsking }) => {
        if (node === 0) return ask(cluster, 1);
        return isAsking ? undefined : moved(cluster, 0);
      },
    });
    await onScriptedCluster({ script }, async ({ cluster, client }) => {
      const answers = Array.from({ length: 20 }, () => pair(client));
      assert.deepEqual(await Promise.all(answers), answers.map((_, i) => [i + 1, `${i + 1}`]));
      assert.equal(ran.length, 20);
      assert.ok(ran.every(({ node }) => node === 1));
      assert.deepEqual(client.redirects(), { moved: 0, ask: 20 });
      assertWhole(cluster.nodes[1], 20);
      assert.equal(client.slots[SLOTS.b].master.port, cluster.nodes[0].port);
    });
  });

  for (const reason of REFUSALS) {
    test(`it waits and is tried again as a whole, at ${place}: ${reason}`, async () => {
      let times = 3;
      const { script, ran } = transactional({
        [place]: ([name]) => ((place === 'exec' || name === 'GET') && times-- > 0 ? reason : undefined),
      });
      await onScriptedCluster({ script }, async ({ cluster, client }) => {
        assert.deepEqual(await pair(client), [1, '1']);
        assert.deepEqual(ran, [{ node: 0, commands: PAIR }]);
        assert.deepEqual(words(cluster.nodes[0]), [UNIT, UNIT, UNIT, UNIT].flat());
      });
    });
  }
}

test('a reason that stands behind EXECABORT counts like the reason', async () => {
  let times = 2;
  const reason = 'EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in memory';
  const { script, ran } = transactional({ exec: () => (times-- > 0 ? reason : undefined) });
  await onScriptedCluster({ script }, async ({ client }) => {
    assert.deepEqual(await pair(client), [1, '1']);
    assert.equal(ran.length, 1);
  });
});

test('ASK and TRYAGAIN in turn, while the keys are on their way, is no circle', async () => {
  let left = 30;
  const { script, ran } = transactional({
    queue: (_, { node, cluster, isAsking }) => {
      if (node === 0) return ask(cluster, 1);
      return isAsking ? undefined : moved(cluster, 0);
    },
    exec: () => (left-- > 0 ? TRYAGAIN : undefined),
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assert.deepEqual(await pair(client), [1, '1']);
    assert.deepEqual(ran, [{ node: 1, commands: PAIR }]);
    assertWhole(cluster.nodes[1], 31);
  });
});

test('what cannot be queued is the answer, the first of it, and what is behind stays in step', async () => {
  const { script, ran } = transactional({
    queue: ([name, text]) => (name === 'NOPE' ? `ERR ${text}` : undefined),
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const nope = (text) => ['NOPE', text];
    const failing = () =>
      client.multi().incr('b').sendCommand(nope('first')).sendCommand(nope('second')).get('b').exec();
    const { errors } = await outcomes([failing(), client.incr('b'), failing(), pair(client)]);
    assert.deepEqual(errors.map((error) => [error.constructor, error.message]), [
      [SimpleError, 'ERR first'],
      [SimpleError, 'ERR first'],
    ]);
    assert.deepEqual(ran.map(({ commands }) => commands), [['INCR b'], PAIR]);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('the error is kept until the last reply comes, in however many pieces', async () => {
  const text = resp.error('ERR later');
  const { script } = transactional({
    queue: ([name]) => (name === 'NOPE' ? parts(text.slice(0, 4), 15, text.slice(4), 15) : undefined),
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    for (let round = 0; round < 3; round++) {
      const failing = client.multi().sendCommand(['NOPE'], { firstKey: 'b' }).incr('b').exec();
      const [answer, behind] = await Promise.allSettled([failing, pair(client)]);
      assert.equal(answer.reason?.message, 'ERR later');
      assert.deepEqual(behind.value, [round + 1, `${round + 1}`]);
    }
  });
});

test('it is not tried again if it may have run: MULTI was refused, or EXEC went through', async () => {
  const state = { at: 'multi' };
  const { script, ran } = transactional({
    multi: () => (state.at === 'multi' ? TRYAGAIN : undefined),
    queue: () => (state.at === 'queue' ? TRYAGAIN : undefined),
  });
  const forgiving = (args, context) => {
    const answer = script(args, context);
    return args[0] === 'EXEC' && state.at === 'queue' ? resp.array([resp.number(1)]) : answer;
  };
  await onScriptedCluster({ script: forgiving }, async ({ cluster, client }) => {
    await assert.rejects(pair(client), { message: TRYAGAIN });
    // Without MULTI a server runs what is behind it.
    assert.deepEqual(ran.splice(0).map(({ commands }) => commands), [['INCR b'], ['GET b']]);
    assert.equal(cluster.nodes[0].commands('EXEC').length, 1);
    state.at = 'queue';
    await assert.rejects(pair(client), { message: TRYAGAIN });
    assert.equal(cluster.nodes[0].commands('EXEC').length, 2);
    await assertNoStrayAnswers(client, 'b');
  });
});

test('what EXEC says otherwise is the answer', async () => {
  const state = {};
  const { script, ran } = transactional({ exec: () => state.answer });
  await onScriptedCluster({ script }, async ({ client }) => {
    for (const text of ['CROSSSLOT Keys in request', 'NOREPLICAS Not enough', 'MOVED 7 nowhere:1']) {
      state.answer = text;
      await assert.rejects(pair(client), { message: text });
    }
    for (const none of [resp.null2, resp.null3]) {
      state.answer = parts(none);
      await assert.rejects(pair(client), WatchError);
    }
    state.answer = undefined;
    assert.deepEqual(await pair(client), [1, '1']);
    assert.equal(ran.length, 1);
  });
});

test('redirects in a circle end, and nothing was run', async () => {
  const { script, ran } = transactional({
    queue: (_, { node, cluster }) => moved(cluster, 1 - node),
  });
  const options = { maxCommandRedirections: 4 };
  await onScriptedCluster({ script, options, primaries: 2 }, async ({ client }) => {
    await assert.rejects(client.multi('b').incr('b').exec(), (error) => {
      assert.ok(error instanceof MaxCommandRedirectionsError);
      assert.match(error.cause.message, /^MOVED 3300 /);
      return true;
    });
    assert.deepEqual(ran, []);
    assert.equal(client.redirects().moved, 4);
  });
});

test('its place among the commands of its slot stays, also while the slot moves', async () => {
  const { script, ran } = transactional({
    queue: (_, { node, cluster }) => (node === 0 ? moved(cluster, 1) : undefined),
    single: ([, key], { node, cluster }) =>
      node === 0 && key === 'b' ? moved(cluster, 1) : undefined,
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const answers = [];
    for (let index = 0; index < 200; index++) {
      answers.push(client.set('b', `${3 * index}`));
      answers.push(client.multi().get('b').set('b', `${3 * index + 1}`).exec());
      answers.push(client.get('b'));
      if (index % 50 === 49) await new Promise(setImmediate);
      if (index === 100) assignSlot(cluster, SLOTS.b, 1);
    }
    const values = await Promise.all(answers);
    const expected = values.map((_, at) => {
      return ['OK', [`${at - 1}`, 'OK'], `${at - 1}`][at % 3];
    });
    assert.deepEqual(values, expected);
    assert.ok(ran.every(({ node }) => node === 1));
  });
});

test('younger commands of the slot wait for a transaction that waits', async () => {
  const state = { reason: TRYAGAIN };
  const { script, ran } = transactional({ queue: () => state.reason });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const old = pair(client);
    await until(() => cluster.nodes[0].commands('EXEC').length > 1, 'it is being tried');
    const young = [client.set('b', '7'), pair(client), client.get('b')];
    await client.get('f');
    state.reason = undefined;
    assert.deepEqual(await Promise.all([old, ...young]), [[1, '1'], 'OK', [8, '8'], '8']);
    assert.deepEqual(ran.map(({ commands }) => commands.length), [1, 2, 1, 2, 1]);
  });
});

test('the connection is lost behind the transaction: a write fails, a read is sent again', async () => {
  const state = {};
  const { script, ran } = transactional({ exec: () => state.answer?.() });
  await onScriptedCluster({ script }, async ({ client }) => {
    const hangUpOnce = () => {
      state.answer = undefined;
      return parts(HANG_UP);
    };
    state.answer = hangUpOnce;
    await assert.rejects(pair(client), SocketClosedUnexpectedlyError);
    assert.deepEqual(ran, []);
    state.answer = hangUpOnce;
    assert.deepEqual(await client.multi().get('b').get('b').exec(), ['0', '0']);
    assert.equal(ran.length, 1);
    state.answer = hangUpOnce;
    await assert.rejects(client.multi().get('b').echo('x').exec(), SocketClosedUnexpectedlyError);
  });
});

test('the connection is lost after an error was kept: the next one begins anew', async () => {
  const state = { reason: parts(resp.error('ERR kept'), 10, HANG_UP) };
  const { script } = transactional({ queue: () => state.reason });
  await onScriptedCluster({ script }, async ({ client }) => {
    await assert.rejects(pair(client), SocketClosedUnexpectedlyError);
    state.reason = undefined;
    assert.deepEqual(await pair(client), [1, '1']);
  });
});

const BIG = 'x'.repeat(1 << 20);

/** Larger than what sockets take at once. */
function big(client, key = 'b') {
  const multi = client.multi(key).incr(key);
  for (let index = 0; index < 24; index++) multi.echo(BIG);
  return multi.get(key).exec().then((replies) => [replies[0], replies.at(-1), replies.length]);
}

test('one that is written in part has not run, and is sent again', async () => {
  let times = 2;
  const { script, ran } = transactional({
    multi: () => (times-- > 0 ? parts(HANG_UP) : undefined),
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    assert.deepEqual(await big(client), [1, '1', 26]);
    assert.equal(ran.length, 1);
    assert.equal(cluster.nodes[0].commands('MULTI').length, 3);
    assert.equal(cluster.nodes[0].commands('EXEC').length, 1, 'two never came to their end');
  });
});

test('replies to its first commands may come before its last one is written', async () => {
  const { script, ran } = transactional();
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const { accepted } = cluster.nodes[0];
    const answers = [big(client), pair(client), big(client), client.incr('b')];
    assert.deepEqual(await Promise.all(answers), [[1, '1', 26], [2, '2'], [3, '3', 26], 4]);
    assert.equal(cluster.nodes[0].accepted, accepted, 'the connection has stayed');
    assert.equal(ran.length, 4);
  });
});

test('a large command behind ASKING is answered in step, too', async () => {
  const script = ([name], { node, cluster }) => {
    if (name !== 'SET') return undefined;
    return node === 0 ? resp.error(ask(cluster, 1)) : resp.simple('OK');
  };
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const { accepted } = cluster.nodes[1];
    const values = Array.from({ length: 8 }, () => client.set('b', BIG.repeat(8)));
    assert.deepEqual(await Promise.all(values), values.map(() => 'OK'));
    assert.equal(cluster.nodes[1].accepted, accepted);
  });
});

test('keys in several slots are refused before a byte is sent', async () => {
  const { script } = transactional();
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const crossing = [
      client.multi().get('b').get('f').exec(),
      client.multi('b').get('c').exec(),
      client.multi().ping().get('{b}1').get('{b}2').get('c').exec(),
    ];
    const { errors } = await outcomes(crossing);
    assert.equal(errors.length, 3);
    for (const error of errors) assert.match(error.message, /^CROSSSLOT .* hash tag/);
    assert.deepEqual(cluster.nodes.flatMap(userCommands), []);
    assert.deepEqual(await client.multi('b').get('{b}1').echo('x').exec(), ['0', 'x']);
  });
});

test('a bad argument rejects all of it before a byte is sent', async () => {
  const { script } = transactional();
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const bad = [
      client.multi().set('b', '1').append('b', 5).exec(),
      client.multi().set('b', '1').sendCommand([]).exec(),
      client.multi(7).set('b', '1').exec(),
    ];
    const { errors } = await outcomes(bad);
    assert.deepEqual(errors.map((error) => error.constructor), [TypeError, TypeError, TypeError]);
    assert.equal(errors[0].message, '"arguments[2]" must be of type "string | Buffer", got number instead.');
    assert.deepEqual(cluster.nodes.flatMap(userCommands), []);
    assert.deepEqual(await pair(client), [1, '1']);
  });
});

test('only what reads throughout goes to replicas', async () => {
  const { script, ran } = transactional();
  const options = { useReplicas: true };
  await onScriptedCluster({ script, options, replicasPerPrimary: 1 }, async ({ client }) => {
    for (let round = 0; round < 4; round++) {
      await client.multi().get('b').get('b').exec();
      await client.multi().get('b').incr('b').exec();
      await client.multi().addCommand('b', false, ['GET', 'b']).exec();
    }
    const nodesOf = (commands) =>
      [...new Set(ran.filter((one) => `${one.commands}` === `${commands}`).map(({ node }) => node))].sort();
    assert.deepEqual(nodesOf(['GET b', 'GET b']), [0, 3]);
    assert.deepEqual(nodesOf(['GET b', 'INCR b']), [0]);
    assert.deepEqual(nodesOf(['GET b']), [0]);
  });
});

test('without keys it goes to the primaries in turn', async () => {
  const { script, ran } = transactional();
  await onScriptedCluster({ script, replicasPerPrimary: 1 }, async ({ client }) => {
    for (let round = 0; round < 6; round++) {
      assert.deepEqual(await client.multi().echo('x').exec(), ['x']);
    }
    assert.deepEqual(ran.map(({ node }) => node).sort(), [0, 0, 1, 1, 2, 2]);
    assert.deepEqual(await client.multi().exec(), []);
  });
});

test('deadlines do not apply', async () => {
  const { script } = transactional({ exec: () => parts(60, resp.array([resp.number(5)])) });
  const options = { commandOptions: { timeout: 1, responseTimeout: 20 } };
  await onScriptedCluster({ script, options }, async ({ client }) => {
    assert.deepEqual(await client.multi().incr('b').exec(), [5]);
  });
});

test('close() waits for it, destroy() rejects it', async () => {
  const { script } = transactional({ exec: () => parts(30, resp.array([resp.number(5)])) });
  await onScriptedCluster({ script }, async ({ client }) => {
    const answer = client.multi().incr('b').exec();
    await client.close();
    assert.deepEqual(await answer, [5]);
  });
  await onScriptedCluster({ script }, async ({ client }) => {
    const answer = client.multi().incr('b').exec();
    const rejected = assert.rejects(answer, ours.DisconnectsClientError);
    client.destroy();
    await rejected;
  });
});

test('a pipeline: one tick, each command to its node, the first error is the answer', async () => {
  const { script, ran } = transactional({
    single: ([name, text]) => {
      if (name !== 'NOPE') return undefined;
      return text === 'slow' ? parts(40, resp.error('ERR slow')) : `ERR ${text}`;
    },
  });
  await onScriptedCluster({ script }, async ({ cluster, client }) => {
    const all = client.multi().set('a', '1').set('b', '2').set('c', '3').get('a').get('b').get('c');
    assert.deepEqual(await all.execAsPipeline(), ['OK', 'OK', 'OK', '1', '2', '3']);
    assert.deepEqual(ran.map(({ node }) => node).sort(), [0, 0, 1, 1, 2, 2]);
    for (const node of cluster.nodes) assert.deepEqual(node.commands('MULTI'), []);
    const failing = client.multi();
    for (const text of ['first', 'second']) failing.addCommand('b', false, ['NOPE', text]);
    await assert.rejects(failing.incr('b').execAsPipeline(), { message: 'ERR first' });
    const slow = client.multi().addCommand('b', false, ['NOPE', 'slow']).addCommand('c', false, ['NOPE', 'fast']);
    await assert.rejects(slow.execAsPipeline(), { message: 'ERR slow' }, 'the order of the commands counts');
    assert.equal(await client.get('b'), '3');
  });
});
