// Commands whose keys are in many slots: sent in parts, answered as one.

import { RESP_TYPES } from '@redis/client';
import { body } from './body.mjs';

const NUMBERS_AS_TEXT = { typeMapping: { [RESP_TYPES.NUMBER]: String } };
const BUFFERS = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
const BYTES = Buffer.from([0, 13, 10, 255, 123, 125]);

/** Names whose keys are in different slots, and on all nodes. */
const names = (prefix, count) => Array.from({ length: count }, (_, index) => `${prefix}:${index}`);
const reversed = (list) => [...list].reverse();

export const split = [
  body('read and write many slots', async ({ c }) => {
    const keys = names('many', 100);
    await c.mSet(keys.map((key) => [key, `value of ${key}`]));
    await c.mGet(keys);
    await c.mGet(reversed(keys));
    await c.mGet(['many:3', 'missing', 'many:1', 'many:3', 'missing', 'many:1']);
    await c.mSet(Object.fromEntries(keys.slice(0, 10).map((key) => [key, ''])));
    await c.mGet(keys.slice(5, 15));
    await c.mSet(['many:1', '1', 'many:2', '2', 'many:3', BYTES]);
    await c.mGet(['many:2', 'many:3', 'many:1']);
    await c.touch(keys);
    await c.touch(['many:1', 'missing', 'many:1']);
    await c.exists(keys);
    await c.exists(['many:1', 'many:2', 'missing', 'many:1']);
    await c.del(keys.slice(0, 30));
    await c.del(['many:30', 'many:31', 'many:30', 'missing']);
    await c.unlink([...keys.slice(30, 60), 'missing']);
    await c.unlink(keys);
    await c.exists(keys);
  }),

  body('the last of equal keys counts', async ({ c }) => {
    await c.mSet([['twice:1', 'a'], ['twice:2', 'b'], ['twice:1', 'c'], ['twice:2', 'd']]);
    await c.mGet(['twice:1', 'twice:2']);
  }),

  body('keys of one slot go together', async ({ c, key }) => {
    await c.mSet([[key('a'), '1'], [key('b'), '2'], ['elsewhere', '3']]);
    await c.mGet([key('b'), 'elsewhere', key('a'), key('c')]);
    await c.del([key('a'), key('b')]);
    await c.exists([key('a'), 'elsewhere']);
    await c.exists('elsewhere');
    await c.del('elsewhere');
  }),

  body('keys of any bytes', async ({ c }) => {
    const keys = [BYTES, Buffer.from('ab'), Buffer.from('é'), 'é{é}', '', '{}', '{}x'];
    await c.mSet(keys.map((key, index) => [key, String(index)]));
    await c.mGet(keys);
    await c.mSet([[BYTES, BYTES], ['', Buffer.alloc(0)]]);
    await c.mGet(['', BYTES, 'é']);
    await c.exists(keys);
    await c.del(keys);
  }),

  body('large values in parts', async ({ cluster, c, record }) => {
    const keys = names('large', 12);
    await c.mSet(keys.map((key, index) => [key, 'x'.repeat(60_000 + 2_000 * index)]));
    const values = await cluster.mGet(reversed(keys));
    await record('lengths', values?.map((value) => [typeof value, value.length]));
    await c.unlink(keys);
  }),

  body('a key of another type among them', async ({ cluster, c }) => {
    await cluster.rPush('other type', 'x');
    await c.mGet(['many', 'other type', 'one']);
    await c.touch(['other type', 'one']);
    await c.del(['other type', 'one']);
  }),

  body('too few arguments', async ({ c }) => {
    await c.mGet([]);
    await c.mSet([]);
    await c.mSet({});
    await c.del([]);
    await c.exists([]);
    await c.unlink([]);
    await c.touch([]);
  }),

  body('in parts, as raw commands', async ({ c }) => {
    const send = (...args) => c.sendCommand(undefined, false, args);
    await send('MSET', 'raw:1', '1', 'raw:2', '2', 'raw:3', '3');
    await c.sendCommand('raw:1', false, ['mset', 'raw:1', '1', BYTES, BYTES]);
    await c.sendCommand('raw:9', true, ['MGET', 'raw:3', 'raw:1', 'missing', 'raw:2']);
    await c.sendCommand(undefined, true, ['mGet', BYTES, Buffer.from('raw:1')], BUFFERS);
    await c.sendCommand(undefined, undefined, ['MGET', 'raw:3']);
    await send(Buffer.from('EXISTS'), 'raw:1', 'raw:2', 'raw:2');
    await c.sendCommand('raw:1', true, ['EXISTS', 'raw:1', 'raw:2'], NUMBERS_AS_TEXT);
    await c.sendCommand('raw:1', true, ['TOUCH', 'raw:3'], NUMBERS_AS_TEXT);
    await send('MSET', 'raw:1');
    await send('mset', 'raw:1', '1', 'raw:2');
    await send('MSET');
    await send('MGET');
    await send('Del');
    await c.sendCommand('raw:1', true, ['EXISTS']);
    await send('UNLINK', 'raw:1', 'raw:2', 'raw:3', BYTES, 'missing');
    await send('DEL', 'raw:1');
  }),

  body('all or nothing', async ({ cluster, c, key }) => {
    await c.mSetNX([[key('a'), '1'], [key('b'), '2']]);
    await c.mSetNX([[key('a'), '1'], [key('c'), '2']]);
    await c.sendCommand(key('a'), false, ['MSETNX', key('a')]);
    await c.sendCommand(key('a'), false, ['MSETNX']);
    await c.mSetEx([[key('a'), '1'], [key('b'), '2']]);
    await cluster.del([key('a'), key('b')]);
  }),
];
