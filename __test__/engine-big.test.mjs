// Large values, long commands, long answers and many commands in one tick: all bytes arrive.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createCluster, onScriptedCluster, ours } from './support/engine-client.mjs';
import { resp } from './support/resp-text.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const KB = 1 << 10;
const MB = 1 << 20;
const ASCII = 'abcdefghijklmnopqrstuvwxyz012345';
const OTHER = 'äöü 漢字 🚀 ';

withAnyServer((server) => {
  const running = sharedCluster(server);
  let client;
  before(async () => {
    client = createCluster({ rootNodes: running().seeds });
    // The servers end before it does.
    client.on('error', () => {});
    await client.connect();
  });
  after(() => client?.destroy());

  for (const size of [100 * KB, MB, 20 * MB]) {
    test(`values of ${size / KB} KB, strings and Buffers`, async () => {
      const key = `{b}${size}`;
      const values = [ASCII, OTHER].map((part) =>
        part.repeat(Math.ceil(size / Buffer.byteLength(part))),
      );
      for (const value of values) {
        assert.equal(await client.set(key, value), 'OK');
        // Not by assert.equal, which would print both.
        assert.ok((await client.get(key)) === value);
        assert.equal(await client.strLen(key), Buffer.byteLength(value));
      }
      const bytes = randomBytes(size);
      const binary = client.withTypeMapping({ [ours.RESP_TYPES.BLOB_STRING]: Buffer });
      assert.equal(await client.set(key, bytes), 'OK');
      assert.ok(bytes.equals(await binary.get(key)));
      await client.del(key);
    });
  }

  test('large and small values side by side, on all nodes', async () => {
    const sizes = [10, 100 * KB, 0, MB, 1, 3 * MB, 17, 64 * KB];
    const binary = client.withTypeMapping({ [ours.RESP_TYPES.BLOB_STRING]: Buffer });
    const values = Array.from({ length: 48 }, (_, index) =>
      randomBytes(sizes[index % sizes.length]),
    );
    const keys = values.map((_, index) => `{${'abc'[index % 3]}}side${index}`);
    await Promise.all(values.map((value, at) => client.set(keys[at], value)));
    const got = await Promise.all(keys.map((key) => binary.get(key)));
    for (const [at, value] of values.entries()) assert.ok(value.equals(got[at]), keys[at]);
    await Promise.all(keys.map((key) => client.del(key)));
  });

  test('a command of 100,000 arguments, and all of them back', async () => {
    const items = Array.from({ length: 100_000 }, (_, index) => `item ${index}`);
    assert.equal(await client.rPush('{b}list', items), items.length);
    assert.deepEqual(await client.lRange('{b}list', 0, -1), items);
    await client.del('{b}list');
  });

  test('10,000 commands in one tick', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `key${index}`);
    const set = await Promise.all(keys.map((key, index) => client.set(key, `value ${index}`)));
    assert.ok(set.every((answer) => answer === 'OK'));
    assert.deepEqual(
      await Promise.all(keys.map((key) => client.get(key))),
      keys.map((_, i) => `value ${i}`),
    );
  });
});

test('an answer of 1,000,000 elements, and those behind it', async () => {
  const COUNT = 1_000_000;
  const elements = Array.from(
    { length: COUNT },
    (_, index) => `$6\r\n${String(index).padStart(6, '0')}\r\n`,
  );
  const answer = Buffer.from(resp.array(elements), 'latin1');
  const numbers = Buffer.from(
    resp.array(Array.from({ length: COUNT }, (_, index) => `:${index}\r\n`)),
    'latin1',
  );
  const answers = { LRANGE: answer, SMEMBERS: numbers, GET: resp.bulk('small') };
  await onScriptedCluster({ script: ([name]) => answers[name] }, async ({ client }) => {
    const [strings, small, integers, last] = await Promise.all([
      client.lRange('b', 0, -1),
      client.get('b'),
      client.sMembers('b'),
      client.get('b'),
    ]);
    assert.deepEqual(
      [strings.length, integers.length, small, last],
      [COUNT, COUNT, 'small', 'small'],
    );
    assert.ok(strings.every((text, index) => Number(text) === index && text.length === 6));
    assert.ok(integers.every((number, index) => number === index));
  });
});
