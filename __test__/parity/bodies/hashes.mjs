// Hashes, and the lifetimes of their fields.

import { body } from './body.mjs';

export const hashes = [
  body('hash fields', async ({ c, key }) => {
    await c.hSet(key('h'), 'a', '1');
    await c.hSet(key('h'), 'n', 2);
    await c.hSet(key('h'), { b: '2', c: 3 });
    await c.hSet(
      key('h'),
      new Map([
        ['d', '4'],
        ['e', Buffer.from('5')],
      ]),
    );
    await c.hSet(key('h'), [
      ['f', '6'],
      ['g', '7'],
    ]);
    await c.hSet(key('h'), ['i', '8', 'j', '9']);
    await c.hGet(key('h'), 'a');
    await c.hGet(key('h'), 'missing');
    await c.hGetAll(key('h'));
    await c.hGetAll(key('missing'));
    await c.hmGet(key('h'), ['a', 'missing', 'e']);
    await c.hmGet(key('h'), 'b');
    await c.hKeys(key('h'));
    await c.hVals(key('h'));
    await c.hLen(key('h'));
    await c.hExists(key('h'), 'a');
    await c.hExists(key('h'), 'missing');
    await c.hStrLen(key('h'), 'a');
    await c.hSetNX(key('h'), 'a', 'x');
    await c.hSetNX(key('h'), 'new', 'x');
    await c.hDel(key('h'), ['a', 'b', 'missing']);
    await c.hDel(key('h'), 'new');
  }),

  body('hash counters', async ({ c, key }) => {
    await c.hIncrBy(key('h'), 'n', 5);
    await c.hIncrBy(key('h'), 'n', -10);
    await c.hIncrByFloat(key('h'), 'n', 1.25);
    await c.hIncrBy(key('h'), 'n', 1);
    await c.hSet(key('h'), 'text', 'abc');
    await c.hIncrByFloat(key('h'), 'text', 1);
  }),

  body('hash scans and random fields', async ({ c, shape, key }) => {
    await c.hSet(key('h'), { a: '1', b: '2', c: '3' });
    await c.hScan(key('h'), '0');
    await c.hScan(key('h'), '0', { MATCH: 'b*', COUNT: 10 });
    await c.hScan(key('missing'), '0');
    await c.hScanNoValues(key('h'), '0');
    await shape.hRandField(key('h'));
    await c.hRandField(key('missing'));
    await shape.hRandFieldCount(key('h'), 2);
    await shape.hRandFieldCountWithValues(key('h'), 2);
    await c.hRandFieldCount(key('missing'), 2);
    await c.hRandFieldCountWithValues(key('missing'), 2);
  }),

  body('field lifetimes', async ({ c, shape, key }) => {
    await c.hSet(key('h'), { a: '1', b: '2', c: '3' });
    await c.hExpire(key('h'), ['a', 'missing'], 1000);
    await c.hExpire(key('h'), 'a', 10, 'NX');
    await shape.hTTL(key('h'), ['a', 'b', 'missing']);
    await c.hExpireAt(key('h'), 'b', 4102444800);
    await c.hExpireTime(key('h'), ['b', 'c']);
    await c.hpExpire(key('h'), 'c', 100_000, 'NX');
    await shape.hpTTL(key('h'), 'c');
    await c.hpExpireAt(key('h'), 'c', new Date(4102444800123));
    await c.hpExpireTime(key('h'), ['a', 'c', 'missing'].slice(1));
    await c.hPersist(key('h'), ['b', 'b', 'missing']);
    await c.hTTL(key('missing'), 'a');
    await c.hPersist(key('missing'), 'a');
    await c.hpTTL(key('missing'), 'a');
    await c.hExpireTime(key('missing'), 'a');
    await c.hpExpireTime(key('missing'), 'a');
  }),

  body('field get and change', async ({ c, key }) => {
    await c.hSetEx(key('h'), { a: '1', b: '2' });
    await c.hSetEx(key('h'), { a: '3' }, { mode: 'FNX' });
    await c.hSetEx(key('h'), new Map([['c', '3']]), {
      expiration: { type: 'EXAT', value: 4102444800 },
    });
    await c.hGetEx(key('h'), ['a', 'missing']);
    await c.hGetEx(key('h'), 'c', { expiration: 'PERSIST' });
    await c.hGetDel(key('h'), ['a', 'missing']);
    await c.hGetDel(key('missing'), 'a');
    await c.hGetAll(key('h'));
  }),
];
