// Bitmaps and HyperLogLogs.

import { body } from './body.mjs';

export const bits = [
  body('bits', async ({ c, key }) => {
    await c.setBit(key('a'), 7, 1);
    await c.setBit(key('a'), 7, 0);
    await c.setBit(key('a'), 3, 1);
    await c.getBit(key('a'), 3);
    await c.getBit(key('missing'), 3);
    await c.set(key('b'), Buffer.from([0xff, 0x0f, 0x00]));
    await c.bitCount(key('b'));
    await c.bitCount(key('b'), { start: 1, end: 1 });
    await c.bitCount(key('b'), { start: 0, end: 3, mode: 'BIT' });
    await c.bitPos(key('b'), 0);
    await c.bitPos(key('b'), 1, 1, -1);
    await c.bitPos(key('b'), 1, 9, 20, 'BIT');
    await c.bitOp('AND', key('c'), [key('a'), key('b')]);
    await c.bitOp('NOT', key('c'), key('b'));
    await c.bitOp('XOR', key('c'), [key('a'), key('b')]);
    await c.get(key('c'));
    await c.setBit(key('a'), -1, 1);
  }),

  body('bit fields', async ({ c, key }) => {
    await c.bitField(key('f'), [
      { operation: 'SET', encoding: 'u8', offset: 0, value: 255 },
      { operation: 'GET', encoding: 'i4', offset: '#1' },
      { operation: 'OVERFLOW', behavior: 'FAIL' },
      { operation: 'INCRBY', encoding: 'u8', offset: 0, increment: 10 },
    ]);
    await c.bitFieldRo(key('f'), [
      { encoding: 'u8', offset: 0 },
      { encoding: 'i64', offset: 0 },
    ]);
    await c.bitField(key('f'), []);
    await c.bitField(key('f'), [{ operation: 'GET', encoding: 'x', offset: 0 }]);
  }),

  body('cardinality estimates', async ({ c, key }) => {
    await c.pfAdd(key('a'), ['x', 'y', 'z']);
    await c.pfAdd(key('a'), 'x');
    await c.pfAdd(key('empty'));
    await c.pfAdd(key('b'), Buffer.from([0, 1, 2]));
    await c.pfCount(key('a'));
    await c.pfCount([key('a'), key('b')]);
    await c.pfMerge(key('c'), [key('a'), key('b')]);
    await c.pfMerge(key('c'));
    await c.pfCount(key('c'));
  }),
];
