// Sets.

import { body } from './body.mjs';

export const sets = [
  body('set members', async ({ c, shape, key }) => {
    await c.sAdd(key('s'), 'a');
    await c.sAdd(key('s'), ['a', 'b', Buffer.from('c')]);
    await c.sCard(key('s'));
    await c.sIsMember(key('s'), 'a');
    await c.sIsMember(key('s'), 'missing');
    await c.smIsMember(key('s'), ['a', 'missing']);
    await c.smIsMember(key('missing'), 'a');
    await c.sAdd(key('one'), 'only');
    await c.sMembers(key('one'));
    await c.sMembers(key('missing'));
    await c.sAdd(key('ints'), ['3', '1', '2']);
    await c.sMembers(key('ints'));
    await shape.sMembers(key('s'));
    await c.sMove(key('s'), key('t'), 'a');
    await c.sMove(key('s'), key('t'), 'missing');
    await c.sRem(key('s'), ['b', 'missing']);
    await c.sRem(key('s'), 'missing');
    await c.sScan(key('ints'), '0');
    await c.sScan(key('one'), '0', { MATCH: 'o*', COUNT: 5 });
    await c.sScan(key('missing'), '0');
  }),

  body('random members', async ({ c, shape, key }) => {
    await c.sAdd(key('s'), ['aa', 'bb', 'cc', 'dd']);
    await shape.sRandMember(key('s'));
    await shape.sRandMemberCount(key('s'), 2);
    await shape.sRandMemberCount(key('s'), -6);
    await c.sRandMember(key('missing'));
    await c.sRandMemberCount(key('missing'), 2);
    await shape.sPop(key('s'));
    await shape.sPopCount(key('s'), 2);
    await c.sPop(key('missing'));
    await c.sPopCount(key('missing'), 2);
  }),

  body('set algebra', async ({ c, key }) => {
    await c.sAdd(key('a'), ['1', '2', '3', '4']);
    await c.sAdd(key('b'), ['3', '4', '5']);
    await c.sDiff([key('a'), key('b')]);
    await c.sDiff(key('a'));
    await c.sInter([key('a'), key('b')]);
    await c.sUnion([key('a'), key('b')]);
    await c.sInter([key('a'), key('missing')]);
    await c.sDiffStore(key('d'), [key('a'), key('b')]);
    await c.sInterStore(key('i'), [key('a'), key('b')]);
    await c.sUnionStore(key('u'), [key('a'), key('b')]);
    await c.sInterCard([key('a'), key('b')]);
    await c.sInterCard([key('a'), key('b')], 1);
    await c.sInterCard([key('a'), key('b')], { LIMIT: 1 });
    await c.sDiffCard([key('a'), key('b')]);
    await c.sUnionCard([key('a'), key('b')]);
  }),
];
