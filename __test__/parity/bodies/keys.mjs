// The key space: lifetimes, copies, dumps, introspection of single keys.

import { RESP_TYPES } from '@redis/client';
import { body } from './body.mjs';

export const keys = [
  body('lifetimes', async ({ c, shape, key }) => {
    await c.set(key('a'), 'v');
    await c.ttl(key('a'));
    await c.pTTL(key('missing'));
    await c.expire(key('a'), 1000);
    await shape.ttl(key('a'));
    await c.expire(key('a'), 10, 'GT');
    await c.expire(key('a'), 2000, 'GT');
    await c.expire(key('missing'), 10);
    await c.pExpire(key('a'), 5_000_000, 'XX');
    await shape.pTTL(key('a'));
    await c.expireAt(key('a'), 4102444800);
    await c.expireTime(key('a'));
    await c.expireAt(key('a'), new Date(4102444801000), 'GT');
    await c.expireTime(key('a'));
    await c.pExpireAt(key('a'), 4102444800999);
    await c.pExpireTime(key('a'));
    await c.pExpireAt(key('a'), new Date(4102444900000), 'NX');
    await c.persist(key('a'));
    await c.persist(key('a'));
    await c.expireTime(key('a'));
    await c.pExpireTime(key('missing'));
    await c.expire(key('a'), -1);
    await c.exists(key('a'));
  }),

  body('copies and names', async ({ c, key }) => {
    await c.set(key('a'), 'v');
    await c.copy(key('a'), key('b'));
    await c.copy(key('a'), key('b'));
    await c.copy(key('a'), key('b'), { REPLACE: true });
    await c.copy(key('a'), key('b'), { DB: 1 });
    await c.rename(key('a'), key('c'));
    await c.rename(key('missing'), key('c'));
    await c.renameNX(key('b'), key('c'));
    await c.renameNX(key('b'), key('d'));
    await c.move(key('d'), 1);
    await c.type(key('d'));
    await c.type(key('missing'));
  }),

  body('dump and restore', async ({ cluster, c, on, key, record }) => {
    const binary = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await c.rPush(key('list'), ['a', 'b', 'c']);
    const dump = await on(binary).dump(key('list'));
    await c.dump(key('missing'));
    await c.restore(key('copy'), 0, dump);
    await c.restore(key('copy'), 0, dump);
    await c.restore(key('copy'), 4102444800000, dump, { REPLACE: true, ABSTTL: true });
    await c.pExpireTime(key('copy'));
    await c.lRange(key('copy'), 0, -1);
    await c.restore(key('bad'), 0, Buffer.from('nonsense'));
    await c.restore(key('idle'), 0, dump, { IDLETIME: 100 });
    await record('dump is a Buffer', Buffer.isBuffer(dump));
    await c.restoreAsking();
  }),

  body('objects', async ({ c, shape, key }) => {
    await c.set(key('int'), '1');
    await c.set(key('raw'), 'x'.repeat(100));
    await c.objectEncoding(key('int'));
    await c.objectEncoding(key('raw'));
    await c.objectEncoding(key('missing'));
    await c.objectRefCount(key('raw'));
    await shape.objectIdleTime(key('raw'));
    await c.objectFreq(key('raw'));
    await shape.memoryUsage(key('raw'));
    await shape.memoryUsage(key('raw'), { SAMPLES: 0 });
    await c.memoryUsage(key('missing'));
  }),

  body('sorting', async ({ c, key }) => {
    await c.rPush(key('l'), ['3', '1', '2', '10']);
    await c.sort(key('l'));
    await c.sort(key('l'), { DIRECTION: 'DESC', LIMIT: { offset: 1, count: 2 } });
    await c.sort(key('l'), { ALPHA: true });
    await c.sort(key('l'), { GET: '#' });
    await c.sortRo(key('l'), { DIRECTION: 'ASC' });
    await c.sortStore(key('l'), key('sorted'), { DIRECTION: 'DESC' });
    await c.lRange(key('sorted'), 0, -1);
    await c.sort(key('l'), { BY: 'other_*' });
    await c.rPush(key('words'), ['b', 'a']);
    await c.sort(key('words'));
    await c.sort(key('missing'));
  }),

  body('keys that move between nodes', async ({ c, key }) => {
    await c.migrate('127.0.0.1', 1, key('missing'), 0, 10);
    await c.migrate('127.0.0.1', 1, [key('missing'), key('missing2')], 0, 10, {
      COPY: true,
      REPLACE: true,
    });
  }),
];
