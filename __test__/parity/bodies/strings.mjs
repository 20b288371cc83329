// Strings and counters.

import { body } from './body.mjs';

export const strings = [
  body('set and get', async ({ c, key }) => {
    await c.get(key('missing'));
    await c.set(key('a'), 'value');
    await c.set(key('a'), 42);
    await c.get(key('a'));
    await c.set(key('a'), 'next', { GET: true });
    await c.set(key('new'), 'x', { GET: true });
    await c.set(key('a'), 'x', { NX: true });
    await c.set(key('a'), 'y', { condition: 'XX' });
    await c.set(key('b'), 'x', { condition: 'XX' });
    await c.set(key('a'), 'x', { condition: 'NX', GET: true });
    await c.set(key('a'), 'z', { condition: 'IFEQ', matchValue: 'y' });
    await c.set(key('a'), 'v', { expiration: { type: 'EXAT', value: 4102444800 } });
    await c.expireTime(key('a'));
    await c.set(key('a'), 'v', { expiration: 'KEEPTTL' });
    await c.pExpireTime(key('a'));
    await c.set(key('a'), 'v', { EX: -1 });
    await c.set(key('a'), '');
    await c.get(key('a'));
  }),

  body('set with lifetimes', async ({ c, shape, key }) => {
    await c.setEx(key('a'), 100, 'v');
    await shape.ttl(key('a'));
    await c.pSetEx(key('a'), 100_000, 'v');
    await shape.pTTL(key('a'));
    await c.setEx(key('a'), 0, 'v');
    await c.setNX(key('a'), 'v');
    await c.setNX(key('b'), 'v');
    await c.getEx(key('a'), { type: 'EXAT', value: 4102444800 });
    await c.expireTime(key('a'));
    await c.getEx(key('a'), { type: 'PXAT', value: new Date(4102444800123) });
    await c.pExpireTime(key('a'));
    await c.getEx(key('a'), { type: 'PERSIST' });
    await c.ttl(key('a'));
    await c.getEx(key('missing'), { EX: 10 });
  }),

  body('get and change', async ({ c, key }) => {
    await c.getSet(key('a'), 'first');
    await c.getSet(key('a'), 'second');
    await c.append(key('a'), '-tail');
    await c.append(key('a'), Buffer.from([0, 255, 13, 10]));
    await c.strLen(key('a'));
    await c.strLen(key('missing'));
    await c.getRange(key('a'), 0, -1);
    await c.getRange(key('a'), 2, 5);
    await c.getRange(key('a'), 50, 60);
    await c.setRange(key('a'), 3, 'XY');
    await c.setRange(key('gap'), 4, 'x');
    await c.get(key('gap'));
    await c.getDel(key('a'));
    await c.getDel(key('a'));
  }),

  body('counters', async ({ c, key }) => {
    await c.incr(key('n'));
    await c.incrBy(key('n'), 41);
    await c.decr(key('n'));
    await c.decrBy(key('n'), 100);
    await c.incrByFloat(key('n'), 0.5);
    await c.incrByFloat(key('f'), 3.0e3);
    await c.incr(key('n'));
    await c.set(key('max'), '9223372036854775807');
    await c.incr(key('max'));
    await c.set(key('text'), 'abc');
    await c.incr(key('text'));
    await c.incrBy(key('n'), 1.5);
    await c.incrByFloat(key('text'), 1);
  }),

  body('counters with bounds', async ({ c, key }) => {
    await c.increx(key('n'), { by: 5, upperBound: 7, saturate: true });
    await c.increx(key('n'), { by: 5, upperBound: 7, saturate: true });
    await c.incrExByFloat(key('f'), 1.5, { upperBound: 2 });
  }),

  body('many keys of one slot', async ({ c, key }) => {
    await c.mSet({ [key('a')]: '1', [key('b')]: '2' });
    await c.mSet([
      [key('c'), '3'],
      [key('d'), Buffer.from('4')],
    ]);
    await c.mSet([key('e'), '5', key('f'), '6']);
    await c.mGet([key('a'), key('missing'), key('d'), key('f')]);
    await c.mSetNX({ [key('a')]: 'x', [key('g')]: 'y' });
    await c.mSetNX([key('g'), 'y', key('h'), 'z']);
    await c.mSetEx([key('a'), '1', key('b'), '2'], { expiration: { type: 'EX', value: 100 } });
    await c.exists([key('a'), key('b'), key('missing')]);
    await c.exists(key('a'));
    await c.touch([key('a'), key('missing')]);
    await c.unlink([key('a'), key('missing')]);
    await c.del([key('b'), key('c'), key('missing')]);
    await c.del(key('d'));
    await c.mSet([]);
  }),

  body('conditional delete and digest', async ({ c, key }) => {
    await c.set(key('a'), 'value');
    await c.digest(key('a'));
    await c.delEx(key('a'), { condition: 'IFEQ', matchValue: 'other' });
    await c.delEx(key('a'), { condition: 'IFEQ', matchValue: 'value' });
  }),

  body('longest common subsequence', async ({ c, key }) => {
    await c.mSet([key('a'), 'ohmytext', key('b'), 'mynewtext']);
    await c.lcs(key('a'), key('b'));
    await c.lcsLen(key('a'), key('b'));
    await c.lcsIdx(key('a'), key('b'));
    await c.lcsIdx(key('a'), key('b'), { MINMATCHLEN: 4 });
    await c.lcsIdxWithMatchLen(key('a'), key('b'));
    await c.lcs(key('a'), key('missing'));
  }),

  body('wrong types', async ({ c, key }) => {
    await c.lPush(key('list'), 'x');
    await c.get(key('list'));
    await c.incr(key('list'));
    await c.append(key('list'), 'x');
    await c.hGetAll(key('list'));
    await c.sMembers(key('list'));
    await c.zScore(key('list'), 'x');
    await c.xLen(key('list'));
    await c.pfAdd(key('list'), 'x');
    await c.setBit(key('list'), 1, 1);
    await c.set(key('list'), 'x');
    await c.lLen(key('list'));
    await c.hSet(key('list'), 'f', 'v');
    await c.sAdd(key('list'), 'v');
    await c.zAdd(key('list'), { score: 1, value: 'v' });
    await c.geoAdd(key('list'), { longitude: 1, latitude: 1, member: 'v' });
  }),
];
