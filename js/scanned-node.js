'use strict';
// One node that is being scanned: what it is asked, and whether it is still the same process.

const { BasicCommandParser, loadCommand } = require('./commands');
const { RESP_TYPES } = require('./definitions');
const { AbortError, ErrorReply } = require('./errors');
const { readAccount } = require('./slot-ownership');

/** How often a question is asked again whose answer was lost. */
const TRIES = 3;
/** Errors by which a server says that it may be different later. */
const PASSING = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY|MOVED|ASK) ?/;
const AS_BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./slot-ownership').Account} Account */
/** @typedef {import('./topology-view').ShardNode} ShardNode */
/** @typedef {{ MATCH?: RedisArgument, COUNT?: number, TYPE?: RedisArgument }} ScanOptions */
/** @typedef {{ cursor: string, keys: RedisArgument[] }} Page */

/**
 * The cluster, as far as it is needed here.
 *
 * @typedef {object} Scanned
 * @property {() => import('./topology-view').TopologyPicture} view throws if the cluster is not open
 * @property {(node: ShardNode, parser: BasicCommandParser, options: CommandOptions) => Promise<any>} send
 * @property {(node: ShardNode) => number} connections how often the node has been connected to
 * @property {() => void} refresh the topology
 */

/** @param {unknown} error @returns {boolean} whether to try again would not help */
function isFinal(error) {
  if (error instanceof ErrorReply) return !PASSING.test(error.message);
  return error instanceof AbortError || error instanceof TypeError || error instanceof RangeError;
}

class ScannedNode {
  #cluster;
  #node;
  #scan;
  #options;
  #bytes;
  #command = loadCommand('SCAN');
  #connections = 0;
  /** What only this process calls itself. @type {string | undefined} */
  #process;

  /**
   * @param {Scanned} cluster
   * @param {ShardNode} node
   * @param {ScanOptions} scan
   * @param {CommandOptions} options
   * @param {boolean} asBytes whether keys are wanted as Buffers, whatever the options say
   */
  constructor(cluster, node, scan, options, asBytes) {
    this.#cluster = cluster;
    this.#node = node;
    this.#scan = scan;
    this.#options = { ...options, typeMapping: undefined };
    this.#bytes = asBytes ? { ...options, typeMapping: AS_BUFFERS } : options;
  }

  /**
   * The first page, and the node's account from before it.
   *
   * @returns {Promise<[Account, Page]>}
   */
  async begin() {
    const { address, id } = this.#node;
    const [account, page] = await again(() => {
      // What answers is the connection that there is, or the first one.
      this.#connections = Math.max(this.#cluster.connections(this.#node), 1);
      // In one piece, which the server answers in this order.
      return Promise.all([this.look(), this.page('0'), this.#askProcess()]);
    });
    if (account.id !== id) throw new Error(`the node at ${address} is ${account.id}, not ${id}`);
    return [account, page];
  }

  /**
   * @param {string} cursor
   * @returns {Promise<Page>}
   */
  async page(cursor) {
    const parser = new BasicCommandParser();
    this.#command.parseCommand(parser, cursor, this.#scan);
    const [next, keys] = await this.#cluster.send(this.#node, parser, this.#bytes);
    return { cursor: String(next), keys };
  }

  /** What the node says of its slots now. */
  async look() {
    return readAccount(await this.#ask('CLUSTER', 'NODES'));
  }

  /** The same, asked until there is an answer. */
  lookAgain() {
    return again(() => this.look());
  }

  /** Whether its cursors have meant the same all the time: a server that started anew forgets them. */
  async isSameProcess() {
    if (this.#cluster.connections(this.#node) === this.#connections) return true;
    const before = this.#process;
    if (before === undefined) return false;
    await again(() => this.#askProcess());
    return this.#process === before;
  }

  /** A user may be forbidden to ask: then a new connection counts as a new process. */
  async #askProcess() {
    try {
      this.#process = /^run_id:(\w+)/m.exec(await this.#ask('INFO', 'server'))?.[1];
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
      this.#process = undefined;
    }
  }

  /** @param {...string} args */
  #ask(...args) {
    const parser = new BasicCommandParser();
    parser.push(...args);
    return this.#cluster.send(this.#node, parser, this.#options);
  }
}

/**
 * @template T
 * @param {() => Promise<T>} ask something that can be asked more than once
 * @returns {Promise<T>}
 */
async function again(ask) {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === TRIES || isFinal(error)) throw error;
    }
  }
}

module.exports = { ScannedNode, isFinal };
