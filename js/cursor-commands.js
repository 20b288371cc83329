'use strict';
// Which commands go on where an earlier one stopped, by a cursor that one node has given.

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {{ label: string, place: number }} ScanCommand */

/** Where commands that scan have their cursor. */
const SCANS = new Map([['SCAN', 1], ['BLESS SCAN', 2]]);
const NAMES = new Set(['SCAN', 'BLESS', 'FT.AGGREGATE', 'FT.CURSOR']);

/** @param {unknown} arg */
const upper = (arg) => String(arg).toUpperCase();

/**
 * @param {readonly RedisArgument[]} args
 * @returns {ScanCommand | undefined}
 */
function scanCommand(args) {
  const name = upper(args[0]);
  const label = name === 'BLESS' ? `${name} ${upper(args[1])}` : name;
  const place = SCANS.get(label);
  return place === undefined ? undefined : { label, place };
}

/**
 * @param {readonly RedisArgument[]} args of any command
 * @returns {boolean} whether cursors have to be looked after
 */
function hasCursor(args) {
  const name = upper(args[0]);
  if (!NAMES.has(name)) return false;
  if (name === 'FT.AGGREGATE') return args.some((arg) => upper(arg) === 'WITHCURSOR');
  return name === 'FT.CURSOR' || scanCommand(args) !== undefined;
}

module.exports = { hasCursor, scanCommand, upper };
