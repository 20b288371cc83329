'use strict';
// All keys of a cluster, page by page, from several nodes at once. A key that exists from the first
// page to the last is among them, also while slots move and primaries are replaced: a slot counts as
// scanned only if the node that was scanned had it all the time by its own account.

const { setTimeout: sleep } = require('node:timers/promises');
const { BasicCommandParser, calculateSlot, loadCommand } = require('./commands');
const { RESP_TYPES } = require('./definitions');
const { AbortError, ErrorReply } = require('./errors');
const { ScanCoverage } = require('./scan-coverage');
const { SlotHistory, readAccount } = require('./slot-ownership');

/**
 * How long to wait before what is left is tried again, and when to stop trying.
 *
 * @typedef {{ firstMs: number, longestMs: number, patienceMs: number, fewestTries: number }} Pace
 */

/** @type {Pace} */
const PACE = Object.freeze({ firstMs: 50, longestMs: 1000, patienceMs: 30_000, fewestTries: 5 });
/** Errors by which a server says that it may be different later. */
const PASSING = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY|MOVED|ASK) ?/;

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./topology-view').ShardNode} ShardNode */
/** @typedef {{ MATCH?: RedisArgument, COUNT?: number, TYPE?: RedisArgument }} ScanOptions */

/**
 * The cluster, as far as it is needed here.
 *
 * @typedef {object} Scanned
 * @property {() => import('./topology-view').TopologyPicture} view throws if the cluster is not open
 * @property {(node: ShardNode, parser: BasicCommandParser, options: CommandOptions) => Promise<any>} send
 * @property {(node: ShardNode) => number} connections how often the node has been connected to
 * @property {() => void} refresh the topology
 */

class ClusterScan {
  #cluster;
  #scan;
  #command = loadCommand('SCAN');
  #commandOptions;
  #coverage;
  #pace;
  /** Nodes that were scanned before: a further scan of them is for some slots only. @type {Set<string>} */
  #visited = new Set();
  /** Pages that nobody has taken yet, at most one of each node. @type {Array<{ keys: RedisArgument[], go: () => void }>} */
  #pages = [];
  #running = 0;
  #isStopped = false;
  /** @type {() => void} */
  #wake = () => {};
  /** @type {unknown} */
  #lastError;
  /** @type {unknown} */
  #fatal;
  #covered = 0;

  /**
   * @param {Scanned} cluster
   * @param {ScanOptions} scan
   * @param {CommandOptions} commandOptions
   * @param {Pace} pace
   */
  constructor(cluster, scan, commandOptions, pace) {
    this.#cluster = cluster;
    this.#scan = scan;
    this.#commandOptions = commandOptions;
    this.#pace = pace;
    const slot = slotOfPattern(scan.MATCH);
    this.#coverage = slot === undefined ? new ScanCoverage() : new ScanCoverage([slot]);
  }

  async* pages() {
    let tries = 0;
    let failingSince = 0;
    let delayMs = this.#pace.firstMs;
    try {
      for (;;) {
        yield* this.#round();
        if (this.#coverage.size === 0) return;
        if (this.#covered > 0) {
          tries = 0;
          delayMs = this.#pace.firstMs;
        } else {
          if (tries++ === 0) failingSince = Date.now();
          if (tries > this.#pace.fewestTries && Date.now() - failingSince > this.#pace.patienceMs) {
            throw this.#lastError ?? this.#givingUp();
          }
        }
        this.#cluster.refresh();
        await sleep(delayMs);
        delayMs = Math.min(delayMs * 2, this.#pace.longestMs);
      }
    } finally {
      this.#isStopped = true;
      for (const { go } of this.#pages) go();
    }
  }

  /** Scans every node that has slots which are not covered, all at the same time. */
  async* #round() {
    const plan = this.#coverage.plan(this.#cluster.view());
    this.#covered = 0;
    this.#lastError = undefined;
    this.#running = plan.size;
    for (const [node, slots] of plan) this.#run(node, slots);
    while (this.#running > 0 || this.#pages.length > 0) {
      if (this.#fatal !== undefined) throw this.#fatal;
      const page = this.#pages.shift();
      if (page === undefined) {
        await new Promise((resolve) => { this.#wake = () => resolve(undefined); });
        continue;
      }
      // The node reads its next page while this one is looked at.
      page.go();
      yield page.keys;
    }
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  /**
   * @param {ShardNode} node
   * @param {Set<number>} slots
   */
  async #run(node, slots) {
    try {
      await this.#scanNode(node, slots);
    } catch (error) {
      this.#lastError = error;
      if (isFinal(error)) this.#fatal ??= error;
    }
    this.#running--;
    this.#wake();
  }

  /**
   * @param {ShardNode} node
   * @param {Set<number>} slots that it is scanned for
   */
  async #scanNode(node, slots) {
    const isFirst = !this.#visited.has(node.id);
    this.#visited.add(node.id);
    // What answers the first page is the connection that there is, or the first one.
    const connections = Math.max(this.#cluster.connections(node), 1);
    // In one piece with the first page, which the server answers after it.
    const look = this.#look(node);
    const first = this.#page(node, '0', isFirst);
    const [account, page] = await Promise.all([look, first]);
    if (account.id !== node.id) throw new Error(`the node at ${node.address} is ${account.id}, not ${node.id}`);
    const history = new SlotHistory(account);
    const wanted = isFirst ? undefined : slots;
    let cursor = page.cursor;
    await this.#offer(page.keys, wanted);
    while (cursor !== '0' && !this.#isStopped) {
      // A node that may be taking over slots is watched at every page: see `isSteady`.
      const again = isFirst ? undefined : this.#look(node);
      const next = this.#page(node, cursor, isFirst);
      if (again !== undefined) history.add((await Promise.all([again, next]))[0]);
      const { keys } = { cursor } = await next;
      await this.#offer(keys, wanted);
    }
    if (this.#isStopped) return;
    history.add(await this.#look(node));
    // It may have started anew, and then its cursors meant nothing.
    if (this.#cluster.connections(node) !== connections) return;
    const sources = await this.#lookAt(this.#coverage.sourcesOf(slots));
    this.#covered += this.#coverage.add(slots, history, !isFirst || history.isSteady, sources);
  }

  /**
   * @param {ShardNode} node
   * @param {string} cursor
   * @param {boolean} isFirst
   * @returns {Promise<{ cursor: string, keys: RedisArgument[] }>}
   */
  async #page(node, cursor, isFirst) {
    const parser = new BasicCommandParser();
    this.#command.parseCommand(parser, cursor, this.#scan);
    // What keys are sorted by must be their bytes.
    const options = isFirst ? this.#commandOptions : { ...this.#commandOptions, typeMapping: AS_BUFFERS };
    const [next, keys] = await this.#cluster.send(node, parser, options);
    return { cursor: String(next), keys };
  }

  /**
   * @param {ShardNode} node
   * @returns {Promise<import('./slot-ownership').Account>} what the node says of its slots now
   */
  async #look(node) {
    const parser = new BasicCommandParser();
    parser.push('CLUSTER', 'NODES');
    return readAccount(await this.#cluster.send(node, parser, { ...this.#commandOptions, typeMapping: undefined }));
  }

  /** @param {Set<string>} ids */
  async #lookAt(ids) {
    const nodes = this.#cluster.view().masters.filter(({ id }) => ids.has(id));
    const accounts = await Promise.all(nodes.map((node) => this.#look(node)));
    return new Map(accounts.map((account) => [account.id, account]));
  }

  /**
   * Hands over a page and waits until it is taken.
   *
   * @param {RedisArgument[]} keys
   * @param {Set<number> | undefined} slots of the keys that are wanted, if not all are
   */
  async #offer(keys, slots) {
    const wanted = slots === undefined ? keys : this.#filter(keys, slots);
    if (wanted.length === 0 || this.#isStopped) return;
    await new Promise((resolve) => {
      this.#pages.push({ keys: wanted, go: () => resolve(undefined) });
      this.#wake();
    });
  }

  /**
   * @param {RedisArgument[]} keys
   * @param {Set<number>} slots
   */
  #filter(keys, slots) {
    const mapping = /** @type {Record<number, unknown> | undefined} */ (this.#commandOptions.typeMapping);
    const wanted = keys.filter((key) => slots.has(calculateSlot(key)));
    return mapping?.[RESP_TYPES.BLOB_STRING] === Buffer ? wanted : wanted.map(String);
  }

  #givingUp() {
    const { size, some } = this.#coverage;
    return new Error(
      `scanIterator: ${size} slots could not be scanned while they stayed where they were, slot ${some} for example`,
    );
  }
}

const AS_BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };

/** @param {unknown} error @returns {boolean} whether to try again would not help */
function isFinal(error) {
  if (error instanceof ErrorReply) return !PASSING.test(error.message);
  return error instanceof AbortError || error instanceof TypeError || error instanceof RangeError;
}

/**
 * As the server decides it: a pattern with a hash tag that is plain text is about one slot.
 *
 * @param {RedisArgument | undefined} pattern
 */
function slotOfPattern(pattern) {
  if (pattern === undefined) return undefined;
  const text = Buffer.from(pattern).toString('latin1');
  const tagged = /^[^*?[\]\\{}]*\{[^*?[\]\\{}]+\}/.exec(text);
  return tagged === null ? undefined : calculateSlot(Buffer.from(tagged[0], 'latin1'));
}

/**
 * @param {Scanned} cluster
 * @param {ScanOptions} [options]
 * @param {CommandOptions} [commandOptions]
 * @param {Pace} [pace]
 */
async function* scanCluster(cluster, options = {}, commandOptions = {}, pace = PACE) {
  if ('cursor' in options) throw new TypeError('scanIterator of a cluster cannot begin at a cursor');
  yield* new ClusterScan(cluster, options, commandOptions, pace).pages();
}

module.exports = { scanCluster };
