// Lua scripts and functions, called by their commands.

import { createHash } from 'node:crypto';
import { body } from './body.mjs';

const RETURN_KEYS = 'return {KEYS[1], ARGV[1], ARGV[2]}';
const SHA1 = createHash('sha1').update(RETURN_KEYS).digest('hex');

export const scripting = [
  body('eval', async ({ c, key }) => {
    const call = { keys: [key('a')], arguments: ['one', Buffer.from('two')] };
    await c.evalSha(SHA1, call);
    await c.eval(RETURN_KEYS, call);
    await c.evalSha(SHA1, call);
    await c.evalShaRo(SHA1, call);
    await c.evalRo(RETURN_KEYS, call);
    await c.evalSha('f'.repeat(40), { keys: [key('a')] });
    await c.evalRo("return redis.call('SET', KEYS[1], 'x')", { keys: [key('a')] });
    await c.eval('return 1');
    await c.eval('this is not Lua', { keys: [key('a')] });
  }),

  body('what scripts return', async ({ c, key }) => {
    const keys = [key('a')];
    for (const script of [
      'return 42',
      'return -7.9',
      "return 'text'",
      'return nil',
      'return true',
      'return false',
      'return {}',
      "return {1, 'two', {3, nil, 4}}",
      "return redis.status_reply('FINE')",
      "return redis.error_reply('MYERR something')",
      "return {1, redis.error_reply('ERR inner'), 3}",
      "return {err = 'ERR from a table'}",
      "error('raised')",
      "return redis.call('INCR', KEYS[1], 'too', 'many')",
      'redis.setresp(3); return {map = {a = 1}}',
      'redis.setresp(3); return {set = {a = true}}',
      'redis.setresp(3); return {double = 3.25}',
      'redis.setresp(3); return {big_number = "123456789012345678901234567890"}',
      'redis.setresp(3); return {verbatim_string = {format = "txt", string = "verbatim"}}',
      'redis.setresp(3); return true',
      'redis.setresp(3); return {false, nil}',
    ]) {
      await c.eval(script, { keys });
    }
  }),

  body('script text that looks like a redirect', async ({ c, key }) => {
    const keys = [key('a')];
    await c.eval("return 'MOVED 1 127.0.0.1:1'", { keys });
    await c.eval("return {'ASK 1 127.0.0.1:1'}", { keys });
    await c.set(key('a'), 'MOVED 1 127.0.0.1:1');
    await c.get(key('a'));
  }),

  body('functions', async ({ c, shape, unordered, key }) => {
    await c.fCall('parity_echo', { keys: [key('a')], arguments: ['x'] });
    await c.fCallRo('parity_read', { keys: [key('a')], arguments: [] });
    await c.fCallRo('parity_echo', { keys: [key('a')], arguments: ['x'] });
    await c.fCall('parity_missing', { keys: [key('a')] });
    await unordered.functionList();
    await c.functionList({ LIBRARYNAME: 'nothing*' });
    await unordered.functionListWithCode({ LIBRARYNAME: 'parity' });
    await c.functionStats();
    await shape.functionDump();
  }),
];
