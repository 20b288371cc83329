// Types that only newer servers know (vector sets, arrays, bulk import, flags): there the replies
// must agree, on the others the server's refusal.

import { body } from './body.mjs';

export const newerTypes = [
  body('vector sets', async ({ c, shape, kind, key }) => {
    await c.vAdd(key('v'), [1, 0, 0], 'x', { SETATTR: { n: 1 }, QUANT: 'NOQUANT' });
    await c.vAdd(key('v'), [0, 1, 0], 'y', { QUANT: 'NOQUANT' });
    await c.vAdd(key('v'), [0.5, 0.5, 0], 'z', { QUANT: 'NOQUANT' });
    await c.vAdd(key('v'), [1, 2], 'bad', { QUANT: 'NOQUANT' });
    await c.vCard(key('v'));
    await c.vDim(key('v'));
    await c.vEmb(key('v'), 'x');
    await c.vEmb(key('v'), 'missing');
    await c.vEmbRaw(key('v'), 'x');
    await c.vGetAttr(key('v'), 'x');
    await c.vGetAttr(key('v'), 'y');
    await c.vSetAttr(key('v'), 'y', { colour: 'red' });
    await c.vSetAttr(key('v'), 'y', '');
    await shape.vInfo(key('v'));
    await c.vInfo(key('missing'));
    await kind.vLinks(key('v'), 'x');
    await kind.vLinksWithScores(key('v'), 'x');
    await shape.vRandMember(key('v'));
    await shape.vRandMember(key('v'), 2);
    await c.vRandMember(key('missing'));
    await c.vRange(key('v'), '-', '+', 2);
    await c.vSim(key('v'), 'x');
    await c.vSim(key('v'), [1, 0, 0], { COUNT: 1, EF: 10 });
    await c.vSimWithScores(key('v'), 'x', { COUNT: 2 });
    await c.vRem(key('v'), 'x');
    await c.vRem(key('v'), 'x');
  }),

  body('arrays', async ({ c, key }) => {
    await c.arSet(key('a'), 0, 'zero');
    await c.arSet(key('a'), 3, ['three', 'four']);
    await c.arMSet(key('a'), { 7: 'seven' });
    await c.arMSet(key('a'), new Map([[8, 'eight']]));
    await c.arInsert(key('a'), ['next']);
    await c.arGet(key('a'), 0);
    await c.arMGet(key('a'), [0, 1, 3]);
    await c.arGetRange(key('a'), 0, 8);
    await c.arCount(key('a'));
    await c.arLen(key('a'));
    await c.arNext(key('a'));
    await c.arSeek(key('a'), 2);
    await c.arInfo(key('a'), { FULL: true });
    await c.arLastItems(key('a'), 2, { REV: true });
    await c.arScan(key('a'), 0, 8, { LIMIT: 2 });
    await c.arOp(key('a'), 0, 8, 'SUM');
    await c.arGrep(key('a'), 0, 8, [['MATCH', 'e']], { NOCASE: true });
    await c.arGrepWithValues(key('a'), 0, 8, [['MATCH', 'e']]);
    await c.arRing(key('r'), 2, ['a', 'b', 'c']);
    await c.arDel(key('a'), [0, 3]);
    await c.arDelRange(key('a'), [[4, 8]]);
  }),

  body('key flags', async ({ c, key }) => {
    await c.set(key('a'), '1');
    await c.blessSet(key('a'), 'KEEP');
    await c.blessGet(key('a'));
    await c.blessClear(key('a'), 'KEEP');
  }),
];
