'use strict';
// Commands that the engine sends in parts, one for each slot. When some parts fail and others succeed,
// the error names the keys.

const { FAILED_GROUPS } = require('./errors');

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

/**
 * How their keys stand: each group of `step` arguments begins with one, and `tail` arguments follow the
 * last. The engine's own table (`src/command/policy.rs`) says the same.
 *
 * @type {ReadonlyMap<string, { step: number, tail: number }>}
 */
const SHAPES = new Map([
  ['DEL', { step: 1, tail: 0 }],
  ['EXISTS', { step: 1, tail: 0 }],
  ['MGET', { step: 1, tail: 0 }],
  ['MSET', { step: 2, tail: 0 }],
  ['TOUCH', { step: 1, tail: 0 }],
  ['UNLINK', { step: 1, tail: 0 }],
  ['JSON.MGET', { step: 1, tail: 1 }],
  ['JSON.MSET', { step: 3, tail: 0 }],
]);

/**
 * @param {RedisArgument} name in any case
 * @returns {boolean} whether the engine may send the command in parts
 */
function isSplit(name) {
  return SHAPES.has(String(name).toUpperCase());
}

/**
 * Sees to it that an error about some parts of a command names the keys.
 *
 * @template T
 * @param {Promise<T>} answer
 * @param {ReadonlyArray<RedisArgument>} args of the command, its name included
 * @param {RedisArgument} [prefix] what was put before the keys, and is not to be named
 * @returns {Promise<T>}
 */
function namingKeys(answer, args, prefix = '') {
  return answer.catch((error) => {
    throw nameKeys(error, args, prefix);
  });
}

/**
 * @param {any} error
 * @param {ReadonlyArray<RedisArgument>} args
 * @param {RedisArgument} prefix
 */
function nameKeys(error, args, prefix) {
  const shape = SHAPES.get(String(args[0]).toUpperCase());
  const groups = error?.[FAILED_GROUPS];
  if (groups === undefined || shape === undefined) return error;
  const failed = new Set(groups);
  /** @type {RedisArgument[]} */
  const failedKeys = [];
  /** @type {RedisArgument[]} */
  const succeededKeys = [];
  const end = args.length - shape.tail;
  for (let at = 1, group = 0; at < end; at += shape.step, group++) {
    (failed.has(group) ? failedKeys : succeededKeys).push(withoutPrefix(args[at], prefix));
  }
  return Object.assign(error, { failedKeys, succeededKeys });
}

/**
 * @param {RedisArgument} key
 * @param {RedisArgument} prefix
 */
function withoutPrefix(key, prefix) {
  return typeof key === 'string' ? key.slice(prefix.length) : key.subarray(Buffer.byteLength(prefix));
}

module.exports = { isSplit, namingKeys };
