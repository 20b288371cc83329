// execAsPipeline: every command for itself, and still what a pipeline on one node would answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onScriptedCluster, ours, userCommands } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';

const script = ours.defineScript({
  SCRIPT: 'return KEYS[1]',
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key) {
    parser.pushKey(key);
  },
  transformReply: (reply) => reply,
});

test('a script for keys of two nodes: both get it in full, a transaction only once', async () => {
  const seen = new Set();
  const answer = ([name, body, , key], { node }) => {
    if (name === 'EVAL') {
      seen.add(node);
      return resp.bulk(`${node}:${key}`);
    }
    if (name !== 'EVALSHA') return undefined;
    return seen.has(node) ? resp.bulk(`${node}:${key}`) : resp.error(`NOSCRIPT No ${body}`);
  };
  const setup = { script: answer, options: { scripts: { nameOf: script } } };
  await onScriptedCluster(setup, async ({ cluster, client }) => {
    const pipeline = client.multi().nameOf('b').nameOf('c').nameOf('{b}2');
    assert.deepEqual(await pipeline.execAsPipeline(), ['0:b', '1:c', '0:{b}2']);
    const names = cluster.nodes.flatMap((node) => userCommands(node).map(([name]) => name));
    assert.deepEqual(names, ['EVAL', 'EVAL', 'EVAL']);
  });
});

test('useReplicas: reads behind a write of the pipeline see it, others are spread', async () => {
  const answer = ([name], { node }) => {
    if (name === 'SET') return resp.simple('OK');
    return name === 'GET' ? resp.bulk(`node ${node}`) : undefined;
  };
  const setup = { script: answer, primaries: 1, replicasPerPrimary: 2, options: { useReplicas: true } };
  await onScriptedCluster(setup, async ({ client }) => {
    const read = new Set();
    for (let i = 0; i < 12; i++) {
      const [, own] = await client.multi().set('b', '1').get('b').execAsPipeline();
      assert.equal(own, 'node 0');
      const [one, two] = await client.multi().get('b').get('b').execAsPipeline();
      read.add(one).add(two);
    }
    assert.ok(read.size > 1, String([...read]));
  });
});

test('a pipeline names the keys of a command in parts as they were given', async () => {
  const answer = ([name], { node }) => {
    if (name !== 'DEL') return undefined;
    return node === 1 ? resp.error('ERR no') : resp.number(1);
  };
  const setup = { script: answer, options: { keyPrefix: 'p:' } };
  await onScriptedCluster(setup, async ({ client }) => {
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const typed = await client.multi().del(keys).execAsPipeline().then(assert.fail, (error) => error);
    assert.deepEqual([...typed.failedKeys, ...typed.succeededKeys].sort(), [...keys].sort());
    assert.ok(typed.failedKeys.length > 0 && typed.succeededKeys.length > 0);
    const raw = client.multi().addCommand(keys[0], false, ['DEL', ...keys]);
    const error = await raw.execAsPipeline().then(assert.fail, (reason) => reason);
    assert.deepEqual([...error.failedKeys, ...error.succeededKeys].sort(), [...keys].sort());
  });
});
