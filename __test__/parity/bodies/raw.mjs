// sendCommand(): replies of every protocol type as they come, without a command's own reshaping.

import { RESP_TYPES } from '@redis/client';
import { body } from './body.mjs';

/** What `DEBUG PROTOCOL` can be asked for; a RESP 2 connection is refused some of them. */
const PROTOCOL_TYPES = [
  'string',
  'integer',
  'double',
  'null',
  'array',
  'set',
  'map',
  'push',
  'verbatim',
  'true',
  'false',
  'bignum',
];

export const raw = [
  body('raw replies of every type', async ({ c, key }) => {
    for (const type of PROTOCOL_TYPES)
      await c.sendCommand(key('a'), false, ['DEBUG', 'PROTOCOL', type]);
    await c.sendCommand(key('a'), false, ['DEBUG', 'PROTOCOL', 'nonsense']);
    await c.sendCommand(key('a'), false, ['DEBUG', 'ERROR', 'ERR made up']);
    await c.sendCommand(key('a'), false, ['DEBUG', 'ERROR', 'CUSTOM made up']);
  }),

  body('raw commands', async ({ c, key }) => {
    const bytes = Buffer.from([0, 13, 10, 255]);
    await c.sendCommand(key('a'), false, ['SET', key('a'), 'v']);
    await c.sendCommand(key('a'), true, ['get', key('a')]);
    await c.sendCommand(Buffer.from(key('a')), false, [
      Buffer.from('SET'),
      Buffer.from(key('a')),
      bytes,
    ]);
    await c.sendCommand(key('a'), true, ['GET', key('a')]);
    await c.sendCommand(key('a'), undefined, ['GET', key('a')]);
    await c.sendCommand(key('a'), true, ['GET', key('a')], {
      typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer },
    });
    await c.sendCommand(key('a'), true, ['STRLEN', key('a')], {
      typeMapping: { [RESP_TYPES.NUMBER]: String },
    });
    await c.sendCommand(key('h'), false, ['HSET', key('h'), 'a', '1', 'b', '2']);
    await c.sendCommand(key('h'), true, ['HGETALL', key('h')]);
    await c.sendCommand(key('h'), true, ['HGETALL', key('h')], {
      typeMapping: { [RESP_TYPES.MAP]: Map },
    });
    await c.sendCommand(key('z'), false, ['ZADD', key('z'), '1.5', 'm', 'inf', 'n']);
    await c.sendCommand(key('z'), true, ['ZRANGE', key('z'), '0', '-1', 'WITHSCORES']);
    await c.sendCommand(key('z'), true, ['ZSCORE', key('z'), 'n']);
    await c.sendCommand(key('s'), false, ['SADD', key('s'), 'm']);
    await c.sendCommand(key('s'), true, ['SMEMBERS', key('s')]);
    await c.sendCommand(key('a'), true, ['MGET', key('a'), key('missing')]);
    await c.sendCommand(undefined, undefined, ['ECHO', 'keyless']);
    await c.sendCommand(undefined, true, ['COMMAND', 'COUNT']);
    await c.sendCommand(key('a'), false, ['NONSENSE', key('a'), 'x']);
    await c.sendCommand(key('a'), true, ['GET']);
    await c.sendCommand(key('a'), true, ['GET', key('a'), 'too many']);
  }),
];
