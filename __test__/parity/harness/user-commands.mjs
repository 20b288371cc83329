// Scripts, functions and a module as a user brings them along. What is kept for the transform, and the
// mapping it gets, show in the replies.

import { defineScript } from '@redis/client';

export const scripts = {
  setAndGet: defineScript({
    SCRIPT: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key, value) {
      parser.pushKey(key);
      parser.push(value);
      parser.preserve = value;
    },
    transformReply: (reply, preserve, typeMapping) => ({ reply, preserve, typeMapping }),
  }),
  readOnly: defineScript({
    SCRIPT: "return redis.call('GET', KEYS[1])",
    NUMBER_OF_KEYS: 1,
    IS_READ_ONLY: true,
    parseCommand(parser, key) {
      parser.pushKey(key);
    },
    transformReply: { 2: (reply) => ['RESP 2', reply], 3: (reply) => ['RESP 3', reply] },
  }),
  countsItsKeys: defineScript({
    SCRIPT: 'return #KEYS',
    parseCommand(parser, keys) {
      parser.pushKeysLength(keys);
    },
    transformReply: undefined,
  }),
  fails: defineScript({
    SCRIPT: "return redis.error_reply('MYERR on purpose')",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key) {
      parser.pushKey(key);
    },
    transformReply: undefined,
  }),
  withoutKeys: defineScript({
    SCRIPT: 'return ARGV[1]',
    NUMBER_OF_KEYS: 0,
    parseCommand(parser, text) {
      parser.push(text);
    },
    transformReply: undefined,
  }),
};

export const functions = {
  parity: {
    parity_echo: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser, key, ...args) {
        parser.pushKey(key);
        parser.push(...args);
      },
      transformReply: (reply) => ({ reply }),
    },
    parity_read: {
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: true,
      parseCommand(parser, key) {
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
    parity_missing: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser, key) {
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
  },
};

export const modules = {
  mine: {
    echo: {
      IS_READ_ONLY: true,
      parseCommand(parser, text) {
        parser.push('ECHO', text);
      },
      transformReply: (reply) => reply.toString().toUpperCase(),
    },
    fetch: {
      IS_READ_ONLY: true,
      parseCommand(parser, key, note) {
        parser.push('GET');
        parser.pushKey(key);
        parser.preserve = note;
      },
      transformReply: (reply, preserve, typeMapping) => ({ reply, preserve, typeMapping }),
    },
    unknown: {
      parseCommand(parser, key) {
        parser.push('MINE.UNKNOWN');
        parser.pushKey(key);
      },
      transformReply: undefined,
    },
    throwsInParse: {
      parseCommand() {
        throw new RangeError('in parseCommand');
      },
      transformReply: undefined,
    },
    throwsInTransform: {
      parseCommand(parser, key) {
        parser.push('GET');
        parser.pushKey(key);
      },
      transformReply() {
        throw new RangeError('in transformReply');
      },
    },
  },
};
