'use strict';
// Commands that nobody may send over a connection that others use too: they would change what the
// others' commands mean, or end it.

const ELSEWHERE = 'a client of `redis` for it';

/**
 * By name, with what to use instead.
 *
 * @type {ReadonlyMap<string, string>}
 */
const REFUSED = new Map([
  ['MULTI', '`multi()`'],
  ['EXEC', '`multi()`'],
  ['DISCARD', '`multi()`'],
  ['MONITOR', ELSEWHERE],
  ['SUBSCRIBE', ELSEWHERE],
  ['PSUBSCRIBE', ELSEWHERE],
  ['SSUBSCRIBE', ELSEWHERE],
]);

/**
 * @param {string} name in capitals
 * @returns {Error | undefined} why it is not sent
 */
function refusalOf(name) {
  const instead = REFUSED.get(name);
  if (instead === undefined) return undefined;
  return new Error(`${name} would change a connection that is shared with the cluster; use ${instead}`);
}

module.exports = { refusalOf };
