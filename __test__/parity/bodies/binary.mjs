// Keys, fields and values of arbitrary bytes and of awkward text.

import { body } from './body.mjs';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

const TEXTS = {
  empty: '',
  ascii: 'plain',
  latin: 'café ÿ',
  greek: 'Ελληνικά',
  cjk: '漢字かな',
  emoji: '😀👩‍👩‍👧',
  'lone high surrogate': 'a\ud800b',
  'lone low surrogate': 'a\udc00b',
  'swapped surrogates': '\udc00\ud800',
  nul: 'a\0b',
  crlf: 'a\r\nb\r\n',
  'looks like RESP': '$3\r\nfoo\r\n',
  'byte order mark': '\ufeffx',
  long: 'é'.repeat(5000),
};

export const binary = [
  ...Object.entries(TEXTS).map(([name, text]) =>
    body(`text: ${name}`, async ({ c, key }) => {
      const named = key(text);
      await c.set(named, text);
      await c.get(named);
      await c.strLen(named);
      await c.hSet(`${named}h`, { [text]: text, other: Buffer.from(text) });
      await c.hGetAll(`${named}h`);
      await c.hGet(`${named}h`, text);
      await c.rPush(`${named}l`, [text, Buffer.from(text), text + text]);
      await c.lRange(`${named}l`, 0, -1);
      await c.sAdd(`${named}s`, text);
      await c.sMembers(`${named}s`);
      await c.xAdd(`${named}x`, '1-0', { [text]: text });
      await c.xRange(`${named}x`, '-', '+');
      await c.echo(text);
      await c.clusterKeySlot(text);
    }),
  ),

  body('every byte', async ({ c, key }) => {
    const named = Buffer.concat([Buffer.from(key('')), EVERY_BYTE]);
    const other = Buffer.concat([named, Buffer.from('2')]);
    await c.set(named, EVERY_BYTE);
    await c.get(named);
    await c.strLen(named);
    await c.mSet([[other, EVERY_BYTE.subarray(128)]]);
    await c.mGet([named, other]);
    await c.hSet(key('h'), [[EVERY_BYTE, EVERY_BYTE]]);
    await c.hGetAll(key('h'));
    await c.zAdd(key('z'), { score: 1, value: EVERY_BYTE });
    await c.zRangeWithScores(key('z'), 0, -1);
    await c.rPush(
      key('l'),
      Array.from(EVERY_BYTE, (byte) => Buffer.from([byte])),
    );
    await c.lRange(key('l'), 0, -1);
    await c.blPop(key('l'), 1);
    await c.eval('return {KEYS[1], ARGV[1]}', { keys: [named], arguments: [EVERY_BYTE] });
  }),

  body('hash tags', async ({ c, key }) => {
    const tag = key('').slice(0, -1);
    for (const name of [`${tag}a{other}`, `${tag}{}`, `x${tag}`, `x${tag}}`]) {
      await c.set(name, name);
      await c.get(name);
    }
    for (const name of [
      '{}',
      '{',
      '}',
      '{}a',
      'a{}{b}',
      '{{a}}',
      'foo{{bar}}zap',
      'a{b',
      '{\0}',
      '{é}x',
    ]) {
      await c.clusterKeySlot(name);
      await c.set(`hash tags ${name}`, name);
      await c.get(`hash tags ${name}`);
    }
  }),

  body('empty keys and long arguments', async ({ c, key }) => {
    await c.set('', 'of the empty key');
    await c.get('');
    await c.set(Buffer.alloc(0), 'again');
    await c.get(Buffer.alloc(0));
    const long = Buffer.alloc(300_000, 'ab');
    await c.set(key('long'), long);
    await c.get(key('long'));
    await c.set(key('text'), 'ü'.repeat(100_000));
    await c.get(key('text'));
    await c.rPush(
      key('l'),
      Array.from({ length: 5000 }, (_, index) => `element ${index}`),
    );
    await c.lRange(key('l'), 0, -1);
    await c.hSet(
      key('h'),
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, `${index}`])),
    );
    await c.hmGet(
      key('h'),
      Array.from({ length: 310 }, (_, index) => `f${index}`),
    );
  }),

  body('field names of Object.prototype', async ({ c, key }) => {
    await c.hSet(key('h'), [
      ['constructor', '1'],
      ['toString', '2'],
      ['0', '3'],
      ['10', '4'],
      ['1', '5'],
    ]);
    await c.hGetAll(key('h'));
    await c.xAdd(key('x'), '1-0', [['a', '1']]);
    await c.xAdd(key('x'), '2-0', { constructor: 'x', 5: 'y', hasOwnProperty: 'z' });
    await c.xRange(key('x'), '-', '+');
  }),
];
