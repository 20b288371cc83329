'use strict';
// All keys of a cluster, page by page, from several nodes at once. A key that exists from the first
// page to the last is among them, also while slots move and primaries are replaced: a slot counts as
// scanned only if the node that was scanned had it all the time by its own account.

const { setTimeout: sleep } = require('node:timers/promises');
const { calculateSlot } = require('./commands');
const { RESP_TYPES } = require('./definitions');
const { ScanCoverage } = require('./scan-coverage');
const { ScannedNode, isFinal } = require('./scanned-node');
const { SlotHistory } = require('./slot-ownership');

/**
 * How long to wait before what is left is tried again, and when to stop trying.
 *
 * @typedef {{ firstMs: number, longestMs: number, patienceMs: number, fewestTries: number }} Pace
 */

/** @type {Pace} */
const PACE = Object.freeze({ firstMs: 50, longestMs: 1000, patienceMs: 30_000, fewestTries: 5 });
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./scanned-node').Scanned} Scanned */
/** @typedef {import('./scanned-node').ScanOptions} ScanOptions */
/** @typedef {import('./topology-view').ShardNode} ShardNode */

class ClusterScan {
  #cluster;
  #scan;
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
    const scanned = this.#scanned(node, !isFirst);
    const [account, first] = await scanned.begin();
    const history = new SlotHistory(account);
    const wanted = isFirst ? undefined : slots;
    let { cursor } = first;
    await this.#offer(first.keys, wanted);
    while (cursor !== '0' && !this.#isStopped) {
      // A node that may be taking over slots is watched at every page: see `isSteady`.
      const look = isFirst ? undefined : scanned.lookAgain();
      const next = scanned.page(cursor);
      if (look !== undefined) history.add((await Promise.all([look, next]))[0]);
      const { keys } = { cursor } = await next;
      await this.#offer(keys, wanted);
    }
    if (this.#isStopped) return;
    history.add(await scanned.lookAgain());
    if (!(await scanned.isSameProcess())) return;
    const sources = await this.#lookAt(this.#coverage.sourcesOf(slots));
    this.#covered += this.#coverage.add(slots, history, !isFirst || history.isSteady, sources);
  }

  /**
   * @param {ShardNode} node
   * @param {boolean} asBytes keys, to be sorted by slot
   */
  #scanned(node, asBytes) {
    return new ScannedNode(this.#cluster, node, this.#scan, this.#commandOptions, asBytes);
  }

  /** @param {Set<string>} ids */
  async #lookAt(ids) {
    const nodes = this.#cluster.view().masters.filter(({ id }) => ids.has(id));
    const accounts = await Promise.all(nodes.map((node) => this.#scanned(node, false).lookAgain()));
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
