// The Error that a reconnectStrategy returns: commands are rejected with that very object.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, ours, outcomes, SLOTS, until } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

const { ReconnectStrategyError } = ours;
/** Keys of the first node's. */
const KEYS = ['b', 'f'];

test('every command that waited gets the object, also after the node was back and gave up anew', async () => {
  assert.ok(KEYS.every((key) => SLOTS[key] < 5_461));
  let mayAnswer;
  const given = [];
  const reconnectStrategy = () => {
    if (!mayAnswer) return 5;
    const error = Object.assign(new RangeError(`enough ${given.length}`), { mine: {} });
    given.push(error);
    return error;
  };
  const setup = {
    script: ([name]) => (name === 'GET' ? resp.bulk('value') : undefined),
    options: { defaults: { socket: { reconnectStrategy } } },
  };
  await onScriptedCluster(setup, async ({ cluster, client, events }) => {
    const [node] = cluster.nodes;
    const { port } = node;
    for (let life = 0; life < 2; life++) {
      mayAnswer = false;
      const before = events.filter(([name]) => name === 'node-error').length;
      await node.close();
      await until(() => events.filter(([name]) => name === 'node-error').length > before, 'lost');
      const waiting = KEYS.map((key) => client.get(key));
      mayAnswer = true;
      const { errors } = await outcomes(waiting);
      assert.equal(errors.length, KEYS.length);
      for (const error of errors) {
        assert.ok(error instanceof ReconnectStrategyError, String(error));
        assert.ok(given.includes(error.originalError), 'the object itself');
        assert.equal(error.originalError, given.at(-1));
        assert.equal(error.socketError.code, 'ECONNREFUSED');
      }
      await node.listen(port);
      assert.equal(await client.get('b'), 'value');
    }
    assert.ok(given.length >= 2);
  });
});
