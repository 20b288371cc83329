// JSON.MGET and JSON.MSET over many slots. node-redis sends them to the node of their first key, where they
// fail; here they go in parts. No server at hand has the module, so scripted nodes answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, ours, userCommands } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

/** `b` and `f` are on node 0, `c` on node 1, `a` on node 2. */
const script = ([name, ...args], { node }) => {
  if (name.toUpperCase() === 'JSON.MGET') {
    const documents = args.slice(0, -1).map((key) => {
      return key === 'missing' ? resp.null2 : resp.bulk(JSON.stringify([{ key, node }]));
    });
    return resp.array(documents);
  }
  if (name !== 'JSON.MSET') return undefined;
  return args.includes('refused') ? resp.error('ERR new objects must be created at the root') : resp.simple('OK');
};
const sentTo = (cluster, node) => userCommands(cluster.nodes[node]).map((args) => args.join(' ')).sort();

for (const RESP of [2, 3]) {
  const options = { RESP };

  test(`JSON.MGET in parts, RESP ${RESP}`, async () => {
    await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
      const keys = ['a', 'f', 'missing', 'c', '{f}2', 'a'];
      const want = [[2, 'a'], [0, 'f'], null, [1, 'c'], [0, '{f}2'], [2, 'a']];
      const got = await client.json.mGet(keys, '$');
      assert.deepEqual(got, want.map((one) => one && [{ key: one[1], node: one[0] }]));
      assert.ok(sentTo(cluster, 0).includes('JSON.MGET f {f}2 $'));
      assert.ok(sentTo(cluster, 2).includes('JSON.MGET a a $'));
      const raw = await client.sendCommand(undefined, true, ['json.mget', 'c', 'b', '.x']);
      assert.deepEqual(raw, ['[{"key":"c","node":1}]', '[{"key":"b","node":0}]']);
      assert.ok(sentTo(cluster, 1).includes('json.mget c .x'));
    });
  });

  test(`JSON.MSET in parts, RESP ${RESP}`, async () => {
    await onScriptedCluster({ script, options }, async ({ cluster, client }) => {
      const items = ['a', '{f}2', 'f', 'c'].map((key) => ({ key, path: '$', value: { key } }));
      assert.equal(await client.json.mSet(items), 'OK');
      assert.deepEqual(sentTo(cluster, 0), ['JSON.MSET {f}2 $ {"key":"{f}2"} f $ {"key":"f"}']);
      assert.deepEqual(sentTo(cluster, 1), ['JSON.MSET c $ {"key":"c"}']);
      const refused = [...items, { key: 'b', path: 'refused', value: 1 }];
      await assert.rejects(client.json.mSet(refused), (error) => {
        assert.ok(error instanceof ours.SimpleError, String(error));
        assert.deepEqual(error.failedKeys, ['b']);
        assert.deepEqual(error.succeededKeys, ['a', '{f}2', 'f', 'c']);
        return true;
      });
    });
  });
}
