// What a nodeAddressMap may return, and what is said about everything else.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { installFakeNative } from './support/fake-native.mjs';

const engines = installFakeNative();
const require = createRequire(import.meta.url);
const { createCluster } = require('../index.js');
const { parseOptions } = require('../js/options.js');

const rootNodes = [{ host: 'seed', port: 1 }];
const FROM = '10.0.0.1:7000';

/** @returns what the engine was answered, and the errors that were told */
async function ask(nodeAddressMap) {
  const cluster = createCluster({ rootNodes, nodeAddressMap });
  const engine = engines.at(-1);
  const errors = [];
  cluster.on('error', (error) => errors.push(error));
  await cluster.connect();
  engine.event('map-address', { type: 'number', value: 7 }, { type: 'simple', text: FROM });
  cluster.destroy();
  return { answers: engine.calls.filter(([name]) => name === 'answerAddress'), errors };
}

const asObject = (to) => parseOptions({ rootNodes, nodeAddressMap: { [FROM]: to } }).native.addressMap;

/** [what is returned, what the engine gets] */
const GOOD = [
  [{ host: 'h', port: 7000 }, { host: 'h', port: 7000 }],
  [{ host: 'h', port: '7000' }, { host: 'h', port: 7000 }],
  [{ host: '::1', port: 65_535, family: 6 }, { host: '::1', port: 65_535 }],
  [undefined, undefined],
  [null, undefined],
];
for (const [to, expected] of GOOD) {
  test(`accepted: ${JSON.stringify(to)}`, async () => {
    const { answers, errors } = await ask(() => to);
    assert.deepEqual(errors, []);
    assert.deepEqual(answers, [['answerAddress', 7, expected?.host ?? null, expected?.port ?? 0]]);
    assert.deepEqual(asObject(to), expected === undefined ? [] : [{ from: FROM, ...expected }]);
  });
}

/** [what is returned, what the error shows of it] */
const BAD = [
  [{ host: 'h' }, "host: 'h'"],
  [{ host: 'h', port: 0 }, 'port: 0'],
  [{ host: 'h', port: 65_536 }, 'port: 65536'],
  [{ host: 'h', port: -1 }, 'port: -1'],
  [{ host: 'h', port: 1.5 }, 'port: 1.5'],
  [{ host: 'h', port: NaN }, 'port: NaN'],
  [{ host: 'h', port: '70000' }, "port: '70000'"],
  [{ host: 'h', port: '7e3' }, "port: '7e3'"],
  [{ host: 'h', port: 7000n }, 'port: 7000n'],
  [{ host: 5, port: 1 }, 'host: 5'],
  [{ host: '', port: 1 }, "host: ''"],
  [{ host: Symbol('h'), port: 1 }, 'Symbol(h)'],
  ['h:7000', "'h:7000'"],
  [false, 'false'],
  [Promise.resolve({ host: 'h', port: 1 }), 'Promise'],
];
for (const [to, shown] of BAD) {
  test(`refused: ${shown}`, async () => {
    const isRight = (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.ok(error.message.includes('nodeAddressMap'), error.message);
      assert.ok(error.message.includes(FROM), error.message);
      assert.ok(error.message.includes(shown), error.message);
      return true;
    };
    const { answers, errors } = await ask(() => to);
    assert.deepEqual(answers, [['answerAddress', 7, null, 0]]);
    assert.equal(errors.length, 1);
    isRight(errors[0]);
    assert.throws(() => asObject(to), isRight);
  });
}

test('a function that throws: its error is told, the engine is answered', async () => {
  const error = new RangeError('mine');
  const { answers, errors } = await ask(() => { throw error; });
  assert.deepEqual(answers, [['answerAddress', 7, null, 0]]);
  assert.deepEqual(errors, [error]);
});

test('a map that is neither an object nor a function is refused by name', () => {
  assert.throws(() => parseOptions({ rootNodes, nodeAddressMap: 'h:1' }), {
    name: 'TypeError',
    message: 'nodeAddressMap must be an object or a function, got string',
  });
});

for (const defaults of [null, undefined, false]) {
  test(`defaults: ${defaults} is none, as in node-redis`, async () => {
    const options = { rootNodes, defaults };
    assert.doesNotThrow(() => require('redis').createCluster(options));
    assert.deepEqual(parseOptions(options), parseOptions({ rootNodes }));
    assert.deepEqual(parseOptions({ ...options, RESP: 2 }), parseOptions({ rootNodes, RESP: 2 }));
  });
}
