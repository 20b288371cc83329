// Lists, and the commands that wait for an element.

import { body } from './body.mjs';

const SOON = 0.02;

export const lists = [
  body('list ends', async ({ c, key }) => {
    await c.lPush(key('l'), 'b');
    await c.lPush(key('l'), ['a', Buffer.from('z')]);
    await c.rPush(key('l'), ['c', 'd']);
    await c.lPushX(key('l'), 'x');
    await c.rPushX(key('l'), ['y', 'w']);
    await c.lPushX(key('missing'), 'x');
    await c.rPushX(key('missing'), 'x');
    await c.lLen(key('l'));
    await c.lRange(key('l'), 0, -1);
    await c.lRange(key('missing'), 0, -1);
    await c.lPop(key('l'));
    await c.rPop(key('l'));
    await c.lPopCount(key('l'), 2);
    await c.rPopCount(key('l'), 2);
    await c.lPop(key('missing'));
    await c.rPop(key('missing'));
    await c.lPopCount(key('missing'), 2);
    await c.rPopCount(key('missing'), 2);
    await c.lPopCount(key('l'), 0);
  }),

  body('list elements', async ({ c, key }) => {
    await c.rPush(key('l'), ['a', 'b', 'c', 'b', 'a']);
    await c.lIndex(key('l'), 1);
    await c.lIndex(key('l'), 99);
    await c.lInsert(key('l'), 'BEFORE', 'b', 'x');
    await c.lInsert(key('l'), 'AFTER', 'missing', 'x');
    await c.lSet(key('l'), 0, 'first');
    await c.lSet(key('l'), 99, 'x');
    await c.lSet(key('missing'), 0, 'x');
    await c.lPos(key('l'), 'b');
    await c.lPos(key('l'), 'missing');
    await c.lPos(key('l'), 'b', { RANK: -1, MAXLEN: 10 });
    await c.lPosCount(key('l'), 'b', 0);
    await c.lPosCount(key('l'), 'missing', 2);
    await c.lRem(key('l'), 1, 'b');
    await c.lTrim(key('l'), 1, -2);
    await c.lRange(key('l'), 0, -1);
  }),

  body('between lists', async ({ c, key }) => {
    await c.rPush(key('l'), ['a', 'b', 'c', 'd']);
    await c.lMove(key('l'), key('m'), 'LEFT', 'RIGHT');
    await c.lMove(key('missing'), key('m'), 'LEFT', 'RIGHT');
    await c.rPopLPush(key('l'), key('m'));
    await c.rPopLPush(key('missing'), key('m'));
    await c.lmPop([key('missing'), key('l')], 'LEFT', { COUNT: 2 });
    await c.lmPop(key('missing'), 'RIGHT');
    await c.lMoveM(key('m'), key('l'), 'LEFT', 'RIGHT', { COUNT: 2, ORDER: 'KEEP' });
    await c.lRange(key('m'), 0, -1);
  }),

  body('waiting for elements', async ({ c, key }) => {
    await c.rPush(key('l'), ['a', 'b', 'c', 'd', 'e', 'f']);
    await c.blPop(key('l'), SOON);
    await c.brPop([key('missing'), key('l')], SOON);
    await c.blMove(key('l'), key('m'), 'LEFT', 'RIGHT', SOON);
    await c.brPopLPush(key('l'), key('m'), SOON);
    await c.blmPop(SOON, [key('missing'), key('l')], 'LEFT', { COUNT: 2 });
    await c.blMoveM(key('m'), key('l'), 'LEFT', 'RIGHT', SOON, { COUNT: 2, ORDER: 'KEEP' });
    await c.blPop(key('missing'), SOON);
    await c.brPop(key('missing'), SOON);
    await c.blMove(key('missing'), key('m'), 'LEFT', 'RIGHT', SOON);
    await c.brPopLPush(key('missing'), key('m'), SOON);
    await c.blmPop(SOON, key('missing'), 'LEFT');
    await c.blPop(key('l'), -1);
  }),
];
