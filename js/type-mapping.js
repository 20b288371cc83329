'use strict';
// Turns a type mapping ({ [RESP_TYPES.BLOB_STRING]: Buffer, ... }) into one number, so that decoding
// asks for a bit per value instead of a property.

const { RESP_TYPES, VerbatimString } = require('./definitions');

/** @typedef {import('@redis/client').TypeMapping} TypeMapping */

/** What a mapping asks for. No bit: the type that node-redis gives without a mapping. */
const AS = Object.freeze({
  BLOB_BUFFER: 1,
  SIMPLE_BUFFER: 2,
  VERBATIM_BUFFER: 4,
  VERBATIM_OBJECT: 8,
  NUMBER_STRING: 16,
  DOUBLE_STRING: 32,
  BIG_NUMBER_STRING: 64,
  SET_SET: 128,
  MAP_MAP: 256,
  MAP_ARRAY: 512,
});

/** @type {Array<[type: number, constructor: Function, bit: number]>} */
const CHOICES = [
  [RESP_TYPES.BLOB_STRING, Buffer, AS.BLOB_BUFFER],
  [RESP_TYPES.SIMPLE_STRING, Buffer, AS.SIMPLE_BUFFER],
  [RESP_TYPES.VERBATIM_STRING, Buffer, AS.VERBATIM_BUFFER],
  [RESP_TYPES.VERBATIM_STRING, VerbatimString, AS.VERBATIM_OBJECT],
  [RESP_TYPES.NUMBER, String, AS.NUMBER_STRING],
  [RESP_TYPES.DOUBLE, String, AS.DOUBLE_STRING],
  [RESP_TYPES.BIG_NUMBER, String, AS.BIG_NUMBER_STRING],
  [RESP_TYPES.SET, Set, AS.SET_SET],
  [RESP_TYPES.MAP, Map, AS.MAP_MAP],
  [RESP_TYPES.MAP, Array, AS.MAP_ARRAY],
];

/** @type {WeakMap<object, number>} */
const compiled = new WeakMap();
/** @type {TypeMapping | undefined} */
let lastMapping;
let lastBits = 0;

/**
 * @param {TypeMapping | undefined | null} mapping taken as it is now: a mapping that was used once
 *   is not looked at again
 * @returns {number} bits of {@link AS}
 */
function compileTypeMapping(mapping) {
  if (mapping === undefined || mapping === null) return 0;
  if (mapping === lastMapping) return lastBits;
  let bits = compiled.get(mapping);
  if (bits === undefined) {
    const chosen = /** @type {Record<number, unknown>} */ (mapping);
    bits = CHOICES.reduce((all, [type, wanted, bit]) => (chosen[type] === wanted ? all | bit : all), 0);
    compiled.set(mapping, bits);
  }
  lastMapping = mapping;
  lastBits = bits;
  return bits;
}

module.exports = { AS, compileTypeMapping };
