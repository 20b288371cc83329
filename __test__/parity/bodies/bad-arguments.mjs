// Arguments that are neither string nor Buffer: that one command is rejected, its neighbours in the
// same tick are not harmed.

import { body } from './body.mjs';

const NOT_ARGUMENTS = {
  undefined,
  null: null,
  number: 5,
  boolean: true,
  bigint: 5n,
  object: {},
  array: ['x'],
  date: new Date(0),
  symbol: Symbol('x'),
  function: () => {},
  'boxed string': new String('x'),
  Uint8Array: new Uint8Array([65]),
  ArrayBuffer: new ArrayBuffer(1),
};

async function betweenNeighbours({ cluster, key, attempt }, label, action) {
  await Promise.all([
    attempt(`${label}: before`, () => cluster.set(key('before'), label)),
    attempt(`${label}: bad`, action),
    attempt(`${label}: after`, () => cluster.get(key('before'))),
  ]);
}

export const badArguments = Object.entries(NOT_ARGUMENTS).flatMap(([name, bad]) => [
  body(`bad argument: ${name}`, async (context) => {
    const { cluster, key } = context;
    const calls = {
      key: () => cluster.get(bad),
      value: () => cluster.set(key('a'), bad),
      field: () => cluster.hSet(key('h'), bad, 'x'),
      'field value': () => cluster.hSet(key('h'), 'x', bad),
      'object value': () => cluster.hSet(key('h'), { good: '1', bad }),
      'list element': () => cluster.lPush(key('l'), ['good', bad]),
      'one of many keys': () => cluster.sInter([key('a'), bad]),
      score: () => cluster.zAdd(key('z'), { score: bad, value: 'x' }),
      count: () => cluster.lPopCount(key('l'), bad),
      keyless: () => cluster.echo(bad),
      'script argument': () => cluster.eval('return 1', { keys: [key('a')], arguments: [bad] }),
      'raw value': () => cluster.sendCommand(key('a'), false, ['SET', key('a'), bad]),
      'raw key': () => cluster.sendCommand(key('a'), true, ['GET', bad]),
    };
    for (const [label, call] of Object.entries(calls))
      await betweenNeighbours(context, label, call);
    await context.c.lRange(key('l'), 0, -1);
    await context.c.hGetAll(key('h'));
  }),
]);
