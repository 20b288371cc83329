// Sorted sets: members, ranges, removal.

import { body } from './body.mjs';

const FOUR = [
  { score: 1, value: 'a' },
  { score: 2.5, value: 'b' },
  { score: -3, value: 'c' },
  { score: Infinity, value: 'd' },
];
const WORDS = ['a', 'b', 'c', 'd'].map((value) => ({ score: 0, value }));

export const sortedSets = [
  body('sorted set members', async ({ c, key }) => {
    await c.zAdd(key('z'), FOUR);
    await c.zAdd(key('z'), { score: -Infinity, value: 'low' });
    await c.zAdd(key('z'), { score: 9, value: 'a' }, { condition: 'NX' });
    await c.zAdd(key('z'), { score: 9, value: 'a' }, { comparison: 'GT', CH: true });
    await c.zAddIncr(key('z'), { score: 0.1, value: 'a' });
    await c.zAddIncr(key('z'), { score: 1, value: 'nobody' }, { condition: 'XX' });
    await c.zIncrBy(key('z'), 1.5, 'b');
    await c.zIncrBy(key('z'), 1e20, 'big');
    await c.zScore(key('z'), 'b');
    await c.zScore(key('z'), 'd');
    await c.zScore(key('z'), 'missing');
    await c.zmScore(key('z'), ['a', 'missing', 'd', 'low']);
    await c.zmScore(key('z'), 'c');
    await c.zCard(key('z'));
    await c.zRank(key('z'), 'a');
    await c.zRank(key('z'), 'missing');
    await c.zRevRank(key('z'), 'a');
    await c.zRankWithScore(key('z'), 'a');
    await c.zRankWithScore(key('z'), 'missing');
    await c.zRevRankWithScore(key('z'), 'a');
    await c.zRem(key('z'), ['a', 'missing']);
    await c.zAdd(key('z'), { score: NaN, value: 'x' });
  }),

  body('scores of every kind', async ({ c, key }) => {
    const scores = [
      0,
      -0,
      0.1,
      1e-7,
      1.7976931348623157e308,
      5e-324,
      123456789.123456789,
      -1.5,
      2 ** 53,
      3,
    ];
    await c.zAdd(
      key('z'),
      scores.map((score, index) => ({ score, value: `m${index}` })),
    );
    await c.zRangeWithScores(key('z'), 0, -1);
    for (const index of scores.keys()) await c.zScore(key('z'), `m${index}`);
  }),

  body('ranges', async ({ c, key }) => {
    await c.zAdd(key('z'), FOUR);
    await c.zRange(key('z'), 0, -1);
    await c.zRange(key('z'), 0, 1, { REV: true });
    await c.zRange(key('z'), '-inf', '(2.5', { BY: 'SCORE', LIMIT: { offset: 0, count: 1 } });
    await c.zRangeWithScores(key('z'), 0, -1);
    await c.zRangeWithScores(key('missing'), 0, -1);
    await c.zRangeByScore(key('z'), -5, 3);
    await c.zRangeByScore(key('z'), '-inf', '+inf', { LIMIT: { offset: 1, count: 2 } });
    await c.zRangeByScoreWithScores(key('z'), -Infinity, Infinity);
    await c.zAdd(key('w'), WORDS);
    await c.zRangeByLex(key('w'), '-', '[c');
    await c.zRangeByLex(key('w'), '(a', '+', { LIMIT: { offset: 0, count: 1 } });
    await c.zRangeStore(key('dest'), key('z'), 0, 1);
    await c.zRangeStore(key('dest'), key('z'), '-inf', '+inf', {
      BY: 'SCORE',
      LIMIT: { offset: 0, count: 2 },
    });
    await c.zCount(key('z'), 0, 10);
    await c.zCount(key('z'), '(1', '+inf');
    await c.zLexCount(key('w'), '-', '+');
    await c.zRange(key('z'), 'x', 'y');
    await c.zScan(key('z'), '0');
    await c.zScan(key('z'), '0', { MATCH: 'a', COUNT: 3 });
    await c.zScan(key('missing'), '0');
    await c.zRemRangeByLex(key('w'), '[a', '[b');
    await c.zRemRangeByRank(key('z'), 0, 0);
    await c.zRemRangeByScore(key('z'), 1, 2);
    await c.zRange(key('z'), 0, -1);
  }),

  body('first and last', async ({ c, key }) => {
    await c.zAdd(key('z'), [
      ...FOUR,
      ...WORDS.map(({ value }) => ({ score: 7, value: value + value })),
    ]);
    await c.zPopMin(key('z'));
    await c.zPopMax(key('z'));
    await c.zPopMinCount(key('z'), 2);
    await c.zPopMaxCount(key('z'), 2);
    await c.zPopMin(key('missing'));
    await c.zPopMax(key('missing'));
    await c.zPopMinCount(key('missing'), 2);
    await c.zPopMaxCount(key('missing'), 2);
    await c.zmPop([key('missing'), key('z')], 'MIN', { COUNT: 1 });
    await c.zmPop(key('missing'), 'MAX');
  }),

  body('waiting for members', async ({ c, key }) => {
    await c.zAdd(key('z'), FOUR);
    await c.bzPopMin(key('z'), 0.02);
    await c.bzPopMax([key('missing'), key('z')], 0.02);
    await c.bzmPop(0.02, [key('missing'), key('z')], 'MIN', { COUNT: 5 });
    await c.bzPopMin(key('missing'), 0.02);
    await c.bzPopMax(key('missing'), 0.02);
    await c.bzmPop(0.02, key('missing'), 'MAX');
  }),

  body('random sorted set members', async ({ c, shape, key }) => {
    await c.zAdd(key('z'), FOUR);
    await shape.zRandMember(key('z'));
    await shape.zRandMemberCount(key('z'), 2);
    await shape.zRandMemberCountWithScores(key('z'), 3);
    await c.zRandMember(key('missing'));
    await c.zRandMemberCount(key('missing'), 2);
    await c.zRandMemberCountWithScores(key('missing'), 2);
  }),

  body('sorted set algebra', async ({ c, key }) => {
    await c.zAdd(key('a'), FOUR);
    await c.zAdd(key('b'), [
      { score: 10, value: 'a' },
      { score: 0.5, value: 'c' },
    ]);
    const both = [key('a'), key('b')];
    const weighted = [
      { key: key('a'), weight: 2 },
      { key: key('b'), weight: 0.5 },
    ];
    await c.zUnion(both);
    await c.zUnion(weighted, { AGGREGATE: 'MAX' });
    await c.zUnionWithScores(both, { AGGREGATE: 'MIN' });
    await c.zUnionStore(key('u'), both);
    await c.zInter(both);
    await c.zInterWithScores(weighted);
    await c.zInterStore(key('i'), both, { AGGREGATE: 'SUM' });
    await c.zInterCard(both);
    await c.zInterCard(both, 1);
    await c.zInterCard(both, { LIMIT: 1 });
    await c.zDiff(both);
    await c.zDiff(key('a'));
    await c.zDiffWithScores(both);
    await c.zDiffStore(key('d'), both);
    await c.zRangeWithScores(key('u'), 0, -1);
    await c.zInter([key('a'), key('missing')]);
  }),
];
