'use strict';
// Cursors of commands that go on where an earlier one stopped, on one node after the other: SCAN,
// BLESS SCAN, FT.CURSOR. A server's cursor means nothing without its node, so callers get tokens that
// stand for both. Rules and messages are node-redis's.

const { BasicCommandParser } = require('./commands');
const { scanCommand, upper } = require('./cursor-commands');

/** How long a token is good for when nobody uses it, unless FT.AGGREGATE says otherwise. */
const IDLE_MS = 300_000;

const INDEX_PLACE = 2;
/** Of FT.CURSOR. */
const CURSOR_PLACE = 3;

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('./topology-view').ShardNode} ShardNode */
/** @typedef {import('./topology-view').TopologyPicture} TopologyPicture */
/** @typedef {(node: ShardNode, parser: BasicCommandParser) => Promise<any>} Send */
/** @typedef {import('./cursor-commands').ScanCommand} ScanCommand */
/** @typedef {{ label: string, address: string, cursor: string, visited: Set<string>, since: number }} Scan */
/** @typedef {{ address: string, cursor: string, idleMs: number, since: number }} Search */

class VirtualCursors {
  #lastToken = 0;
  /** @type {Map<string, Scan>} */
  #scans = new Map();
  /** @type {Map<string, Search>} */
  #searches = new Map();

  /**
   * Sends a command for which `hasCursor` holds to the node that its cursor belongs to.
   *
   * @param {BasicCommandParser} parser
   * @param {TopologyPicture} view
   * @param {ShardNode} anyMaster for a command that may go to any
   * @param {Send} send
   */
  async run(parser, view, anyMaster, send) {
    const { redisArgs } = parser;
    const scan = scanCommand(redisArgs);
    if (scan !== undefined) return this.#runScan(scan, parser, view, anyMaster, send);
    if (upper(redisArgs[0]) === 'FT.AGGREGATE') return this.#runAggregate(parser, anyMaster, send);
    return this.#runCursor(parser, view, anyMaster, send);
  }

  /**
   * @param {ScanCommand} command
   * @param {BasicCommandParser} parser
   * @param {TopologyPicture} view
   * @param {ShardNode} anyMaster
   * @param {Send} send
   */
  async #runScan({ label, place }, parser, view, anyMaster, send) {
    // Without a cursor: the server has the right error.
    if (parser.redisArgs.length <= place) return send(anyMaster, parser);
    const given = String(parser.redisArgs[place]);
    const scan = given === '0' ? this.#newScan(label, view) : this.#scans.get(given);
    if (scan === undefined || scan.label !== label) {
      throw new Error(
        `${label}: unknown cursor "${given}". Cluster-wide ${label} cursors are ` +
          'minted per client instance and expire when idle — restart the scan from 0.',
      );
    }
    const node = view.nodeByAddress.get(scan.address);
    if (node === undefined) {
      throw new Error(
        `${label}: node ${scan.address} serving this cursor has left the cluster — restart the scan from 0.`,
      );
    }
    const reply = await send(node, withArgument(parser, place, scan.cursor));
    const cursor = Array.isArray(reply) ? reply[0] : reply?.cursor;
    if (typeof cursor !== 'string' && !(cursor instanceof Buffer)) return reply;
    const next = this.#advance(scan, String(cursor), view);
    if (next === undefined) {
      this.#scans.delete(given);
      return reply;
    }
    const token = given === '0' ? this.#mint() : given;
    this.#sweep(this.#scans, () => IDLE_MS);
    this.#scans.set(token, next);
    return withCursor(reply, 0, cursor instanceof Buffer ? Buffer.from(token) : token);
  }

  /**
   * @param {string} label
   * @param {TopologyPicture} view
   * @returns {Scan}
   */
  #newScan(label, view) {
    const address = view.masters[0]?.address;
    if (address === undefined) throw new Error(`${label}: no master nodes available`);
    return { label, address, cursor: '0', visited: new Set(), since: 0 };
  }

  /**
   * @param {Scan} scan
   * @param {string} cursor that its node gave
   * @param {TopologyPicture} view
   * @returns {Scan | undefined} undefined: every master has been visited
   */
  #advance({ label, address, visited }, cursor, view) {
    const since = Date.now();
    if (cursor !== '0') return { label, address, cursor, visited, since };
    const all = new Set(visited).add(address);
    const next = view.masters.find((master) => !all.has(master.address));
    return next && { label, address: next.address, cursor, visited: all, since };
  }

  /**
   * @param {BasicCommandParser} parser
   * @param {ShardNode} node
   * @param {Send} send
   */
  async #runAggregate(parser, node, send) {
    const reply = await send(node, parser);
    const cursor = searchCursor(reply);
    if (cursor === undefined || Number(cursor) === 0) return reply;
    const token = this.#mint();
    const idleMs = maxIdle(parser.redisArgs) ?? IDLE_MS;
    this.#keepSearch(token, { address: node.address, cursor: String(cursor), idleMs });
    return withSearchCursor(reply, token, cursor);
  }

  /**
   * @param {BasicCommandParser} parser
   * @param {TopologyPicture} view
   * @param {ShardNode} anyMaster
   * @param {Send} send
   */
  async #runCursor(parser, view, anyMaster, send) {
    const { redisArgs } = parser;
    if (redisArgs.length <= CURSOR_PLACE) return send(anyMaster, parser);
    const token = String(redisArgs[CURSOR_PLACE]);
    const index = String(redisArgs[INDEX_PLACE]);
    const search = this.#searches.get(token);
    if (search === undefined) {
      throw new Error(
        `FT.CURSOR: unknown cursor ${token} on index "${index}". ` +
          'Cluster cursors are minted per client instance and expire when idle — ' +
          'the cursor was not created by this client, has already been exhausted, or has expired.',
      );
    }
    const node = view.nodeByAddress.get(search.address);
    if (node === undefined) {
      throw new Error(`FT.CURSOR: the node serving cursor ${token} on index "${index}" has left the cluster.`);
    }
    const reply = await send(node, withArgument(parser, CURSOR_PLACE, search.cursor));
    const subcommand = upper(redisArgs[1]);
    if (subcommand === 'DEL') this.#searches.delete(token);
    if (subcommand !== 'READ') return reply;
    const cursor = searchCursor(reply);
    if (cursor === undefined || Number(cursor) === 0) {
      this.#searches.delete(token);
      return reply;
    }
    this.#keepSearch(token, { ...search, cursor: String(cursor) });
    return withSearchCursor(reply, token, cursor);
  }

  #mint() {
    return String(++this.#lastToken);
  }

  /**
   * @param {string} token
   * @param {Omit<Search, 'since'>} search
   */
  #keepSearch(token, search) {
    this.#sweep(this.#searches, ({ idleMs }) => idleMs);
    this.#searches.set(token, { ...search, since: Date.now() });
  }

  /**
   * Forgets what nobody has used for its time. There is no timer: it is done when one is added.
   *
   * @template {{ since: number }} T
   * @param {Map<string, T>} kept
   * @param {(one: T) => number} idleMs
   */
  #sweep(kept, idleMs) {
    const now = Date.now();
    for (const [token, one] of kept) if (now - one.since > idleMs(one)) kept.delete(token);
  }
}

/**
 * @param {BasicCommandParser} parser
 * @param {number} place
 * @param {string} value
 */
function withArgument(parser, place, value) {
  const copy = new BasicCommandParser();
  copy.push(...replaced(parser.redisArgs, place, value));
  copy.preserve = parser.preserve;
  return copy;
}

/**
 * The cursor of FT.AGGREGATE or FT.CURSOR READ: transformed, or raw in RESP2 or RESP3.
 *
 * @param {any} reply
 * @returns {number | string | undefined}
 */
function searchCursor(reply) {
  const cursor = Array.isArray(reply) ? reply[1] : reply instanceof Map ? reply.get('cursor') : reply?.cursor;
  return typeof cursor === 'number' || typeof cursor === 'string' ? cursor : undefined;
}

/**
 * @param {any} reply
 * @param {string} token
 * @param {number | string} original whose type the token gets
 */
function withSearchCursor(reply, token, original) {
  return withCursor(reply, 1, typeof original === 'number' ? Number(token) : token);
}

/**
 * @param {any} reply
 * @param {number} place of the cursor in an array
 * @param {unknown} cursor
 */
function withCursor(reply, place, cursor) {
  if (Array.isArray(reply)) return replaced(reply, place, cursor);
  if (reply instanceof Map) return new Map(reply).set('cursor', cursor);
  return { ...reply, cursor };
}

/**
 * @param {any[]} array
 * @param {number} place
 * @param {unknown} value
 */
function replaced(array, place, value) {
  const copy = array.slice();
  copy[place] = value;
  return copy;
}

/**
 * @param {readonly RedisArgument[]} args of FT.AGGREGATE
 * @returns {number | undefined} ms; 0 is the server's default
 */
function maxIdle(args) {
  const at = args.findIndex((arg) => upper(arg) === 'MAXIDLE');
  const idleMs = at === -1 ? NaN : Number(String(args[at + 1]));
  return idleMs > 0 ? idleMs : undefined;
}

module.exports = { VirtualCursors };
