// commandsQueueMaxLength and disableOfflineQueue, for each node by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  onScriptedCluster,
  ours,
  outcomes,
  until,
  userCommands,
} from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

const defaults = (options) => ({ defaults: { socket: { reconnectStrategy: 10 }, ...options } });

test("commandsQueueMaxLength: more than that in one node's queue are rejected", async () => {
  const MAX = 5;
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const script = ([name], { node }) => {
    if (name !== 'INCR') return undefined;
    return node === 0 ? held.then(() => resp.number(1)) : resp.number(2);
  };
  const options = defaults({ commandsQueueMaxLength: MAX });
  await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
    // Some in one tick, some when others are written already.
    const first = [client.incr('b'), client.incr('b')];
    await until(() => userCommands(cluster.nodes[0]).length === 2);
    const second = Array.from({ length: 10 }, () => client.incr('b'));
    const elsewhere = Array.from({ length: MAX }, () => client.incr('c'));
    const rejected = outcomes(second.slice(MAX - 2));
    assert.deepEqual(
      await Promise.all(elsewhere),
      elsewhere.map(() => 2),
    );
    answer();
    assert.deepEqual(await Promise.all([...first, ...second.slice(0, MAX - 2)]), [1, 1, 1, 1, 1]);
    const { values, errors } = await rejected;
    assert.deepEqual(values, []);
    assert.equal(errors.length, 10 - (MAX - 2));
    assert.ok(
      errors.every(({ message }) => message === 'The queue is full'),
      String(errors),
    );
    assert.equal(userCommands(cluster.nodes[0]).length, MAX);
    assert.equal(await client.incr('b'), 1);
  });
});

test('commandsQueueMaxLength also bounds what waits for a node that is down', async () => {
  const script = ([name]) => (name === 'INCR' ? resp.number(1) : undefined);
  const options = defaults({ commandsQueueMaxLength: 3 });
  await onScriptedCluster({ script, options }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    await node.close();
    await until(() => events.some(([name]) => name === 'node-reconnecting'));
    const commands = Array.from({ length: 5 }, () => client.incr('b'));
    await assert.rejects(commands[3], { message: 'The queue is full' });
    await assert.rejects(commands[4], { message: 'The queue is full' });
    await node.listen(node.port);
    assert.deepEqual(await Promise.all(commands.slice(0, 3)), [1, 1, 1]);
  });
});

test('disableOfflineQueue: nothing waits for a node that is down', async () => {
  let isSilent = true;
  const script = ([name], { node }) => {
    if (name !== 'INCR' && name !== 'GET') return undefined;
    return node === 0 && isSilent ? [] : resp.number(1);
  };
  const options = defaults({ disableOfflineQueue: true });
  await onScriptedCluster({ script, options }, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    // Reads, too, would have to wait in the queue.
    const inFlight = outcomes([client.incr('b'), client.get('b')]);
    await until(() => userCommands(node).length === 2);
    await node.close();
    const { values, errors } = await inFlight;
    assert.deepEqual([values.length, errors.length], [0, 2]);
    await assert.rejects(client.incr('b'), ours.ClientOfflineError);
    assert.equal(await client.incr('c'), 1);
    isSilent = false;
    const ready = events.filter(([name]) => name === 'node-ready').length;
    await node.listen(node.port);
    await until(() => events.filter(([name]) => name === 'node-ready').length > ready);
    await until(() =>
      client.incr('b').then(
        (value) => value === 1,
        () => false,
      ),
    );
    assert.equal(userCommands(node).length, 3);
  });
});
