// Many commands at once: each gets its own answer, and those of one key settle in their order.

import { body } from './body.mjs';

export const concurrency = [
  body('one key, one tick', async ({ cluster, key, attempt }) => {
    const settled = [];
    const calls = Array.from({ length: 500 }, (_, index) => {
      const call = index % 50 === 49 ? cluster.hGet(key('n'), 'f') : cluster.incr(key('n'));
      return call?.then(
        (value) => settled.push([index, value]),
        (error) => settled.push([index, error]),
      );
    });
    await Promise.all(calls);
    await attempt('settled', async () => settled);
  }),

  body('many slots, one tick', async ({ cluster, attempt }) => {
    const names = Array.from({ length: 400 }, (_, index) => `many slots ${index}`);
    const set = await Promise.allSettled(names.map((name) => cluster.set(name, name)));
    const got = await Promise.allSettled(names.map((name) => cluster.get(name)));
    await attempt('set', async () => set.map(({ status, value }) => [status, value]));
    await attempt('get', async () => got.map(({ status, value }) => [status, value]));
  }),

  body('large and small replies side by side', async ({ cluster, key, attempt }) => {
    await cluster.set(key('large'), 'x'.repeat(200_000));
    await cluster.rPush(
      key('list'),
      Array.from({ length: 2000 }, (_, index) => `e${index}`),
    );
    await cluster.set(key('small'), 'y');
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        if (index % 3 === 0) return cluster.get(key('large'));
        return index % 3 === 1 ? cluster.lRange(key('list'), 0, -1) : cluster.get(key('small'));
      }),
    );
    await attempt('replies', async () => replies.map((reply) => [typeof reply, reply?.length]));
    await attempt('one of them', async () => replies[1]);
  }),
];
