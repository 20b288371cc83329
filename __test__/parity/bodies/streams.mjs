// Streams and their consumer groups.

import { body } from './body.mjs';

export const streams = [
  body('stream entries', async ({ c, shape, key }) => {
    await c.xAdd(key('x'), '1-1', { a: '1', b: '2' });
    await c.xAdd(key('x'), '1-2', { a: '2' });
    await c.xAdd(key('x'), '1-1', { a: 'late' });
    await shape.xAdd(key('other'), '*', { a: '1' });
    await c.xAdd(
      key('x'),
      '2-0',
      { f: Buffer.from([0, 255]).toString('latin1') },
      {
        TRIM: { strategy: 'MAXLEN', strategyModifier: '=', threshold: 10 },
      },
    );
    await c.xAddNoMkStream(key('missing'), '*', { a: '1' });
    await c.xAddNoMkStream(key('x'), '3-0', { a: '3' });
    await c.xLen(key('x'));
    await c.xRange(key('x'), '-', '+');
    await c.xRange(key('x'), '-', '+', { COUNT: 1 });
    await c.xRange(key('missing'), '-', '+');
    await c.xRevRange(key('x'), '+', '-');
    await c.xRevRange(key('x'), '+', '-', { COUNT: 2 });
    await c.xRead({ key: key('x'), id: '0-0' });
    await c.xRead(
      [
        { key: key('x'), id: '1-2' },
        { key: key('missing'), id: '0-0' },
      ],
      { COUNT: 1 },
    );
    await c.xRead({ key: key('missing'), id: '0-0' });
    await c.xRead({ key: key('missing'), id: '0-0' }, { BLOCK: 10 });
    await c.xDel(key('x'), '1-1');
    await c.xDel(key('x'), ['1-2', '9-9']);
    await c.xTrim(key('x'), 'MAXLEN', 1);
    await c.xTrim(key('x'), 'MINID', '3-0', { strategyModifier: '~', LIMIT: 10 });
    await c.xSetId(key('x'), '5-0');
    await c.xSetId(key('x'), '6-0', { ENTRIESADDED: 10, MAXDELETEDID: '2-0' });
    await c.xAdd(key('x'), 'nonsense', { a: '1' });
  }),

  body('stream introspection', async ({ c, shape, key }) => {
    await c.xAdd(key('x'), '1-0', { a: '1' });
    await c.xGroupCreate(key('x'), 'g', '0');
    await c.xInfoStream(key('x'));
    await c.xInfoStream(key('missing'));
    await c.xInfoGroups(key('x'));
    await c.xGroupCreateConsumer(key('x'), 'g', 'alice');
    await shape.xInfoConsumers(key('x'), 'g');
    await c.xInfoConsumers(key('x'), 'nobody');
    await c.xCfgSet(key('x'), { IDMP_DURATION: 10 });
  }),

  body('consumer groups', async ({ c, shape, key }) => {
    await c.xGroupCreate(key('x'), 'g', '$');
    await c.xGroupCreate(key('x'), 'g', '$', { MKSTREAM: true });
    await c.xGroupCreate(key('x'), 'g', '$', { MKSTREAM: true });
    await c.xGroupCreate(key('x'), 'h', '0', { ENTRIESREAD: 1 });
    await c.xGroupCreateConsumer(key('x'), 'g', 'alice');
    await c.xGroupCreateConsumer(key('x'), 'g', 'alice');
    for (let id = 1; id <= 6; id++) await c.xAdd(key('x'), `${id}-0`, { n: String(id) });
    await c.xReadGroup('g', 'alice', { key: key('x'), id: '>' }, { COUNT: 4 });
    await c.xReadGroup('g', 'alice', [{ key: key('x'), id: '0' }]);
    await c.xReadGroup('g', 'bob', { key: key('x'), id: '>' }, { NOACK: true });
    await c.xReadGroup('g', 'bob', { key: key('x'), id: '>' });
    await c.xReadGroup('nobody', 'bob', { key: key('x'), id: '>' });
    await c.xPending(key('x'), 'g');
    await c.xPending(key('x'), 'h');
    await shape.xPendingRange(key('x'), 'g', '-', '+', 10);
    await shape.xPendingRange(key('x'), 'g', '-', '+', 10, { IDLE: 0, consumer: 'alice' });
    await c.xAck(key('x'), 'g', '1-0');
    await c.xAck(key('x'), 'g', ['1-0', '2-0']);
    await c.xClaim(key('x'), 'g', 'carol', 0, '3-0');
    await c.xClaim(key('x'), 'g', 'carol', 0, ['3-0', '99-0'], {
      IDLE: 5,
      RETRYCOUNT: 2,
      FORCE: true,
    });
    await c.xClaimJustId(key('x'), 'g', 'carol', 0, ['4-0']);
    await c.xAutoClaim(key('x'), 'g', 'dave', 0, '0-0', { COUNT: 1 });
    await c.xAutoClaimJustId(key('x'), 'g', 'dave', 0, '0-0');
    await c.xDel(key('x'), '3-0');
    await c.xAutoClaim(key('x'), 'g', 'erin', 0, '0-0');
    await c.xGroupSetId(key('x'), 'g', '0');
    await c.xGroupSetId(key('x'), 'g', '0', { ENTRIESREAD: 3 });
    await c.xGroupDelConsumer(key('x'), 'g', 'dave');
    await c.xGroupDestroy(key('x'), 'g');
    await c.xGroupDestroy(key('x'), 'g');
  }),

  body('acknowledge and delete', async ({ c, key }) => {
    for (let id = 1; id <= 4; id++) await c.xAdd(key('x'), `${id}-0`, { n: String(id) });
    await c.xGroupCreate(key('x'), 'g', '0');
    await c.xReadGroup('g', 'alice', { key: key('x'), id: '>' });
    await c.xAckDel(key('x'), 'g', ['1-0', '9-0']);
    await c.xAckDel(key('x'), 'g', '2-0', 'KEEPREF');
    await c.xDelEx(key('x'), ['3-0', '9-0'], 'DELREF');
    await c.xDelEx(key('x'), '4-0');
    await c.xNack(key('x'), 'g', 'FAIL', '4-0');
  }),
];
