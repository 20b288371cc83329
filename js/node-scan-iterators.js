'use strict';
// The iterators over the pages of SCAN and its kin that a client of one node has, as in node-redis.

/**
 * @param {(cursor: any) => Promise<any>} ask for the page at a cursor
 * @param {any} cursor to begin at
 * @param {(page: any) => unknown} pick what a page yields
 */
async function* pages(ask, cursor, pick) {
  do {
    const page = await ask(cursor);
    cursor = page.cursor;
    yield pick(page);
    // With a type mapping it may be a Buffer.
  } while (String(cursor) !== '0');
}

/** @type {Record<string, [command: string, pick: (page: any) => unknown]>} by name: of the keys in a key */
const ITERATORS = {
  hScanIterator: ['hScan', (page) => page.entries],
  hScanValuesIterator: ['hScan', (page) => page.entries.map((/** @type {any} */ entry) => entry.value)],
  hScanNoValuesIterator: ['hScanNoValues', (page) => page.fields],
  sScanIterator: ['sScan', (page) => page.members],
  zScanIterator: ['zScan', (page) => page.members],
};

/** @param {object} prototype that has the commands */
function defineScanIterators(prototype) {
  /** @this {any} @param {Record<string, any>} [options] */
  function scanIterator(options) {
    return pages((cursor) => this.scan(cursor, options), options?.cursor ?? '0', (page) => page.keys);
  }
  define(prototype, 'scanIterator', scanIterator);
  for (const [name, [command, pick]] of Object.entries(ITERATORS)) {
    define(prototype, name, /** @this {any} @param {unknown} key @param {Record<string, any>} [options] */
      function (key, options) {
        return pages((cursor) => this[command](key, cursor, options), options?.cursor ?? '0', pick);
      });
  }
}

/**
 * @param {object} prototype
 * @param {string} name
 * @param {Function} value
 */
function define(prototype, name, value) {
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}

module.exports = { defineScanIterators };
