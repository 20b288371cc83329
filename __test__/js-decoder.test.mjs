// The decoder against node-redis's own: the same values, once on the engine's tape and once as RESP3,
// must become the same JavaScript values under every type mapping.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { TapeWriter, toResp } from './support/tape-writer.mjs';

const require = createRequire(import.meta.url);
const { Decoder, TAPE } = require('../js/decoder.js');
const { compileTypeMapping } = require('../js/type-mapping.js');
const { Decoder: NodeRedisDecoder, RESP_TYPES } = require('@redis/client/dist/lib/RESP/decoder');
const { VerbatimString, SimpleError, BlobError } = require('../js/index.js');

const blob = (text, more) => ({ type: 'blob', text, ...more });
const number = (value) => ({ type: 'number', value });
const array = (...items) => ({ type: 'array', items });
const map = (...items) => ({ type: 'map', items });

function decode(value, mapping = {}) {
  const tape = new TapeWriter();
  tape.value(value);
  const { words, bytes, large } = tape.finish();
  const takeLarge = () => {
    const next = large.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  const decoder = new Decoder({
    takeLargeBuffer: takeLarge,
    takeLargeString: () => takeLarge().toString(),
  });
  const shape = Uint32Array.from(words);
  decoder.begin(shape, new Int32Array(shape.buffer), bytes);
  try {
    return decoder.value(compileTypeMapping(mapping));
  } finally {
    assert.equal(decoder.at, words.length, 'the whole value was read');
    assert.equal(large.length, 0, 'every large string was taken once');
    decoder.end();
  }
}

function decodeWithNodeRedis(value, mapping) {
  const results = [];
  const keep = (result) => results.push(result);
  const decoder = new NodeRedisDecoder({
    onReply: keep, onErrorReply: keep, onPush: keep, getTypeMapping: () => mapping,
  });
  decoder.write(toResp(value));
  assert.equal(results.length, 1);
  return results[0];
}

/** A small generator with a seed, so that a failure can be repeated. */
function randomSource(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TEXTS = ['', 'a', 'OK', 'abc', 'four', 'x'.repeat(64), 'z'.repeat(600), 'grün', '日本語', '🦀',
  Buffer.from([0xff, 0xfe, 0x41]), Buffer.from([0, 1, 2, 0x7f])];
const DOUBLES = ['0', '-0', '1.5', '-3.25', '1e300', '1.7976931348623157e308', '5e-324', 'inf', '-inf',
  'nan', '0.1', '3.141592653589793', '12345678901234567890'];
/** Not beyond 2^53 - 50: from there on node-redis's own sums are rounded. */
const NUMBERS = [0, 1, -1, 2147483647, -2147483648, 2147483648, -2147483649, 9007199254740940,
  -9007199254740940];
const BIG_NUMBERS = ['0', '-7', '3492890328409238509324850943850943825024385'];

function randomValue(random, depth, isKey = false) {
  const pick = (list) => list[random(list.length)];
  const kinds = depth > 0 ? 13 : 9;
  switch (random(kinds)) {
    case 0: return { type: 'null' };
    case 1: return { type: 'boolean', value: random(2) === 1 };
    case 2: return number(pick(NUMBERS));
    case 3: return { type: 'double', text: pick(DOUBLES) };
    case 4: return { type: 'bigNumber', text: pick(BIG_NUMBERS) };
    case 5: return { type: 'simple', text: pick(TEXTS.slice(0, 10)) };
    case 6: return blob(pick(TEXTS), { isLarge: random(8) === 0 });
    case 7: return { type: 'verbatim', text: `txt:${pick(TEXTS.slice(0, 10))}`, isLarge: random(8) === 0 };
    case 8: return { type: isKey ? 'simple' : pick(['error', 'blobError']), text: 'ERR some text' };
    case 9: return { type: 'set', items: randomList(random, depth, random(6)) };
    case 10: return { type: 'map', items: randomPairs(random, depth, random(6)) };
    default: return { type: 'array', items: randomList(random, depth, random(12)) };
  }
}
const randomList = (random, depth, count) =>
  Array.from({ length: count }, () => randomValue(random, depth - 1));
const randomPairs = (random, depth, count) =>
  Array.from({ length: 2 * count }, (_, i) => randomValue(random, depth - 1, i % 2 === 0));

const MAPPINGS = [
  {},
  { [RESP_TYPES.BLOB_STRING]: Buffer },
  { [RESP_TYPES.SIMPLE_STRING]: Buffer, [RESP_TYPES.VERBATIM_STRING]: Buffer },
  { [RESP_TYPES.VERBATIM_STRING]: VerbatimString },
  { [RESP_TYPES.NUMBER]: String, [RESP_TYPES.DOUBLE]: String, [RESP_TYPES.BIG_NUMBER]: String },
  { [RESP_TYPES.SET]: Set, [RESP_TYPES.MAP]: Map },
  { [RESP_TYPES.MAP]: Array, [RESP_TYPES.BLOB_STRING]: Buffer },
  { [RESP_TYPES.MAP]: Map, [RESP_TYPES.SET]: Set, [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.SIMPLE_STRING]: Buffer, [RESP_TYPES.VERBATIM_STRING]: VerbatimString,
    [RESP_TYPES.NUMBER]: String },
  { [RESP_TYPES.MAP]: Object, [RESP_TYPES.SET]: Array, [RESP_TYPES.NUMBER]: Number,
    [RESP_TYPES.DOUBLE]: Number, [RESP_TYPES.BLOB_STRING]: String },
];

for (const [i, mapping] of MAPPINGS.entries()) {
  test(`random values are those of node-redis, mapping ${i}`, () => {
    for (let seed = 1; seed <= 400; seed++) {
      const value = randomValue(randomSource(seed * 7919 + i), 4);
      assert.deepEqual(decode(value, mapping), decodeWithNodeRedis(value, mapping), `seed ${seed}`);
    }
  });
}

test('flat aggregates longer than a piece are cut right, also around strings that are not cut', () => {
  const texts = Array.from({ length: 500 }, (_, i) => `${i}:${'abcdefgh'.repeat(i % 9)}`);
  texts.splice(100, 0, 'grün'.repeat(30), 'y'.repeat(511), 'y'.repeat(512), 'y'.repeat(513), 'z'.repeat(9000));
  const value = array(...texts.map((text) => blob(text)), number(7), { type: 'null' }, blob('last'));
  assert.deepEqual(decode(value), [...texts, 7, null, 'last']);
  assert.deepEqual(decode(map(...texts.slice(0, 400).map((text) => blob(text)))),
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [texts[2 * i], texts[2 * i + 1]])));
});

test('a cut never reaches into the next entry of a batch', () => {
  const tape = new TapeWriter();
  const lists = [['a', 'bb', 'ccc', 'dddd', 'eeeee'], 'single', ['f', 'gg', 'hhh', 'iiii']];
  tape.value(array(...lists[0].map((text) => blob(text))));
  tape.value(blob(lists[1]));
  tape.value(array(...lists[2].map((text) => blob(text))));
  const { words, bytes } = tape.finish();
  const shape = Uint32Array.from(words);
  const decoder = new Decoder({});
  decoder.begin(shape, new Int32Array(shape.buffer), bytes);
  assert.deepEqual(lists.map(() => decoder.value(0)), lists);
});

test('numbers of 64 bits: the nearest double, or every digit as text', () => {
  const cases = ['9007199254740991', '9223372036854775807', '-9223372036854775808', '9007199254740993', '-9007199254740993',
    '4294967296', '-4294967296', '1152921504606846977'];
  for (const digits of cases) {
    assert.equal(decode(number(digits)), Number(digits));
    assert.equal(decode(number(digits), { [RESP_TYPES.NUMBER]: String }), digits);
  }
});

test('__proto__ becomes an own property', () => {
  const object = decode(map(blob('__proto__'), blob('value'), blob('other'), number(1)));
  assert.equal(Object.getPrototypeOf(object), Object.prototype);
  assert.deepEqual(Object.entries(object), [['__proto__', 'value'], ['other', 1]]);
});

test('errors inside of a value are values, with node-redis\'s classes', () => {
  const [simple, big] = decode(array({ type: 'error', text: 'ERR a' }, { type: 'blobError', text: 'ERR b' }));
  assert.ok(simple instanceof SimpleError && big instanceof BlobError);
  assert.deepEqual([simple.message, big.message], ['ERR a', 'ERR b']);
});

test('large strings follow the mapping and stay in order', () => {
  const value = array(blob('one', { isLarge: true }), blob('two'), blob('drei ü', { isLarge: true }));
  assert.deepEqual(decode(value), ['one', 'two', 'drei ü']);
  assert.deepEqual(decode(value, { [RESP_TYPES.BLOB_STRING]: Buffer }), ['one', 'two', 'drei ü'].map((s) => Buffer.from(s)));
  assert.deepEqual(decode(map(blob('key', { isLarge: true }), blob('v'))), { key: 'v' });
});

test('a string that V8 cannot hold rejects its value and leaves the tape in order', () => {
  const tooLong = new RangeError('Invalid string length');
  const value = array(blob('a'), { type: 'unreadable', error: tooLong }, blob('b', { isLarge: true }));
  assert.throws(() => decode(value), tooLong);
});

test('returned Buffers are copies of the batch', () => {
  const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
  const tape = new TapeWriter();
  tape.value(blob('abc'));
  const { words, bytes } = tape.finish();
  const shape = Uint32Array.from(words);
  const decoder = new Decoder({});
  decoder.begin(shape, new Int32Array(shape.buffer), bytes);
  const value = decoder.value(compileTypeMapping(mapping));
  bytes.fill(0);
  assert.equal(value.toString(), 'abc');
});

test('the layout is the one in src/resp/tape.rs', () => {
  const source = readFileSync(new URL('../src/resp/tape.rs', import.meta.url), 'utf8');
  const kinds = Object.fromEntries(
    [...source.matchAll(/pub const ([A-Z0-9_]+): u32 = (\d+);/g)].map(([, name, value]) => [name, Number(value)]),
  );
  assert.match(source, /pub const MASK: u32 = \(1 << BITS\) - 1;/);
  assert.deepEqual({ ...kinds, MASK: 2 ** kinds.BITS - 1 }, { ...TAPE });
});
