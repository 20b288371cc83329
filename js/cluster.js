'use strict';
// What a user of `createCluster` holds. It knows commands, promises and events; slots, sockets and
// retries are on the other side of the channel.

const { EventEmitter } = require('node:events');
const { ClientClosedError, ClientOfflineError } = require('./errors');
const { BasicCommandParser, isReplicaSafe, listCommands } = require('./commands');
const { defineNodeMethods } = require('./cluster-nodes');
const { hasCursor } = require('./cursor-commands');
const { attachCommands } = require('./commander');
const { defineListenerMethods, defineMissing } = require('./common-methods');
const { attachMultiCommands, RedisClusterMultiCommand } = require('./multi-command');
const { parseOptions } = require('./options');
const { Session } = require('./session');
const { isSplit, namingKeys } = require('./split-commands');
const { TopologyView } = require('./topology-view');

const DEFAULT_COMMAND_TIMEOUT_MS = 5000;
/** Transactions and pipelines have no deadline, and no type mapping: node-redis gives them none. */
const PIPELINED = Object.freeze({ timeout: undefined });
/** Options that decide which methods a class has. */
const CLASS_OPTIONS = /** @type {const} */ (['RESP', 'modules', 'functions', 'scripts']);

/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./nodes').Nodes} Nodes */
/** @typedef {import('./channel').TransformReply} TransformReply */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

/** @type {{ config: Record<string, any>, Class: typeof RedisCluster } | undefined} */
let lastClass;

/**
 * Programs make many clusters of one kind, so the last class is kept.
 *
 * @param {Record<string, any>} config
 * @returns {typeof RedisCluster}
 */
function classFor(config) {
  const last = lastClass;
  if (last !== undefined && CLASS_OPTIONS.every((name) => last.config[name] === config[name])) {
    return last.Class;
  }
  const Class = attachCommands(RedisCluster, config, listCommands());
  /** @type {typeof RedisClusterMultiCommand | undefined} */
  let Multi;
  Object.defineProperty(Class.prototype, '_Multi', {
    get: () => (Multi ??= attachMultiCommands(RedisClusterMultiCommand, config, listCommands())),
  });
  lastClass = { config: { ...config }, Class };
  return Class;
}

class RedisCluster extends EventEmitter {
  // createCluster(), withCommandOptions() and withTypeMapping() hand out objects that inherit from
  // this one. Private fields are not inherited; `_self` is, and leads back to them.
  _self = this;
  _options;
  /** @type {CommandOptions | undefined} */
  _commandOptions;
  #parsed;
  /** An engine that was made to check the options, and waits for `connect`. @type {Session | undefined} */
  #unused;
  /** @type {Session | undefined} */
  #session;
  /** Those that finish what they accepted, and when. @type {Map<Session, Promise<void>>} */
  #closing = new Map();
  #isOpen = false;
  #isReady = false;
  /** Those of the session, if anybody has asked; after it those that it had. @type {Nodes | undefined} */
  #nodes;
  #view = new TopologyView((node) => (this.#isReady ? this._openNodes() : this.#nodes)?.clientOf(node));
  #isViewStale = false;
  /** @type {unknown} an error that nobody listened to, during connect */
  #unheardError;

  /** @param {Record<string, any>} [config] */
  static factory(config = {}) {
    const Class = classFor(config);
    /** @param {Record<string, any>} [options] */
    return (options) => Object.create(new Class({ ...config, ...options }));
  }

  /** @param {any} options */
  static create(options) {
    return RedisCluster.factory(options)(options);
  }

  /** @param {any} options */
  constructor(options) {
    super();
    this.#parsed = parseOptions(options);
    this._options = options;
    this._commandOptions = { timeout: DEFAULT_COMMAND_TIMEOUT_MS, ...options.commandOptions };
    this.#unused = this.#createSession();
  }

  get slots() { return this._self.#topology().slots; }
  get masters() { return this._self.#topology().masters; }
  get replicas() { return this._self.#topology().replicas; }
  get nodeByAddress() { return this._self.#topology().nodeByAddress; }
  get isOpen() { return this._self.#isOpen; }
  get isReady() { return this._self.#isReady; }
  get pubSubNode() { return undefined; }
  get clientSideCache() { return undefined; }
  get _keyPrefix() { return this._self._options.keyPrefix; }
  get _Multi() { return RedisClusterMultiCommand; }

  /** @param {Record<string, any>} [overrides] */
  duplicate(overrides) {
    return RedisCluster.create({
      ...this._self._options,
      commandOptions: this._commandOptions,
      ...overrides,
    });
  }

  async connect() {
    await this._self.#connect();
    return this;
  }

  /**
   * Waits for the commands that were accepted; `destroy()` ends the waiting.
   *
   * @param {{ timeout?: number }} [options] the longest that it waits, in ms
   */
  async close(options) {
    await this._self.#close(closeTimeout(options));
  }

  destroy() {
    this._self.#destroy();
  }

  /** @deprecated Use `close`. */
  quit() {
    return this.close();
  }

  /** @deprecated Use `destroy`. */
  async disconnect() {
    this._self.#destroy();
  }

  /** @param {CommandOptions} options used instead of those of `createCluster` */
  withCommandOptions(options) {
    const view = Object.create(this);
    view._commandOptions = options;
    return view;
  }

  /** @param {CommandOptions['typeMapping']} typeMapping used beside the other options */
  withTypeMapping(typeMapping) {
    return this.withCommandOptions({ ...this._commandOptions, typeMapping });
  }

  /**
   * @param {RedisArgument | undefined} firstKey
   * @param {boolean | undefined} isReadonly
   * @param {RedisArgument[]} args
   * @param {CommandOptions} [options]
   */
  async sendCommand(firstKey, isReadonly, args, options) {
    const parser = new BasicCommandParser();
    for (const arg of args) parser.push(arg);
    if (firstKey !== undefined) parser.markRoutingKey(firstKey);
    const all = { ...this._commandOptions, ...options };
    if (hasCursor(args)) return /** @type {any} */ (this._self)._submitCursor(parser, isReadonly, all, undefined);
    const answer = this._self._submit(parser, isReadonly, all, undefined);
    return args.length > 0 && isSplit(args[0]) ? namingKeys(answer, parser.redisArgs) : answer;
  }

  /**
   * @param {RedisArgument} [routing] a key of the node that is to run it; without it the first key decides
   */
  multi(routing) {
    const cluster = this._self;
    return new cluster._Multi(
      async (commands, key) => cluster.#openChannel().submitTransaction(commands, key),
      async (commands) => {
        const channel = cluster.#openChannel();
        // Reads behind a write must see it: a replica may not have it yet.
        const reads = !cluster._options.useReplicas
          || commands.every(({ redisArgs, readonly }) => isReplicaSafe(redisArgs, readonly));
        return inOrder(commands.map((command) => {
          const answer = channel.submit(command, reads ? command.readonly : false, PIPELINED, undefined);
          const args = command.redisArgs;
          const mayBeInParts = args.length > 0 && isSplit(args[0]);
          return mayBeInParts ? namingKeys(answer, args, command.keyPrefix) : answer;
        }));
      },
      routing,
      this._commandOptions?.typeMapping,
      cluster._keyPrefix,
    );
  }

  /** @param {RedisArgument} [routing] */
  MULTI(routing) {
    return this.multi(routing);
  }

  /** How often commands were sent on to another node, since connect. */
  redirects() {
    return this._self.#session?.redirects() ?? { moved: 0, ask: 0 };
  }

  /**
   * Every command ends here.
   *
   * @param {BasicCommandParser} parser
   * @param {boolean | undefined} readonly
   * @param {CommandOptions | undefined} options
   * @param {TransformReply | undefined} transform
   * @returns {Promise<unknown>}
   */
  _submit(parser, readonly, options, transform) {
    const session = this.#session;
    if (!this.#isReady || session === undefined) return Promise.reject(this.#closedError());
    return session.channel.submit(parser, readonly, options, transform);
  }

  /** @throws while nothing is accepted */
  #openChannel() {
    const session = this.#session;
    if (!this.#isReady || session === undefined) throw this.#closedError();
    return session.channel;
  }

  #closedError() {
    return this.#isOpen ? new ClientOfflineError() : new ClientClosedError();
  }

  /** What the methods in cluster-nodes.js work with. @throws while nothing is accepted */
  _openNodes() {
    if (!this.#isReady) throw this.#closedError();
    if (this.#nodes === undefined) {
      const { Nodes } = require('./nodes');
      this.#nodes = new Nodes(/** @type {Session} */ (this.#session), this.constructor, this._options);
    }
    return this.#nodes;
  }

  async #connect() {
    if (this.#isOpen) throw new Error('Cluster already open');
    this.#isOpen = true;
    this.#isReady = false;
    this.#unheardError = undefined;
    const session = (this.#session = this.#unused ?? this.#createSession());
    this.#unused = undefined;
    this.#nodes = undefined;
    try {
      await session.connect();
    } catch (error) {
      if (this.#session !== session) throw new Error('Cluster closed', { cause: error });
      this.#leave();
      session.destroy();
      throw this.#unheardError ?? error;
    }
    if (this.#session !== session) throw new Error('Cluster closed');
    this.#isReady = true;
    this.#isViewStale = true;
    this.#emit('connect');
  }

  /** @param {number} withinMs */
  async #close(withinMs) {
    const session = this.#leave();
    // Called once more, it waits for those that are being closed.
    const closing = session === undefined ? [...this.#closing.values()] : [session.close(withinMs)];
    if (session === undefined && withinMs >= 0) this.#endClosing(withinMs, closing);
    if (session !== undefined) this.#closing.set(session, closing[0]);
    try {
      await Promise.all(closing);
    } finally {
      if (session !== undefined) this.#closing.delete(session);
    }
    this.#emit('disconnect');
  }

  /**
   * @param {number} withinMs after which those that are being closed end all the same
   * @param {Promise<void>[]} closing
   */
  #endClosing(withinMs, closing) {
    const sessions = [...this.#closing.keys()];
    const timer = setTimeout(() => sessions.forEach((session) => session.destroy()), withinMs);
    Promise.allSettled(closing).then(() => clearTimeout(timer));
  }

  #destroy() {
    this.#leave()?.destroy();
    for (const session of this.#closing.keys()) session.destroy();
    this.#emit('disconnect');
  }

  /**
   * A session that is not the cluster's own any more is told of and has no other consequence.
   *
   * @param {Session} session that a defect has ended
   * @param {Error} error
   */
  #onFatal(session, error) {
    // While it is connecting, connect() does the rest.
    const wasReady = this.#session === session && this.#isReady;
    if (wasReady) this.#leave();
    this.#emit('error', error);
    if (wasReady) this.#emit('disconnect');
  }

  /** From now on nothing is accepted. Returns the session that has to end. */
  #leave() {
    const session = this.#session ?? this.#unused;
    this.#session = this.#unused = undefined;
    this.#nodes?.end();
    this.#isOpen = this.#isReady = this.#isViewStale = false;
    this.#view.clear();
    return session;
  }

  #createSession() {
    const session = new Session(this.#parsed, {
      emit: (name, ...args) => this.#emit(name, ...args),
      onTopology: () => { this.#isViewStale = true; },
      onFatal: (error) => this.#onFatal(session, error),
    });
    return session;
  }

  #topology() {
    if (this.#isViewStale && this.#session !== undefined) {
      this.#isViewStale = false;
      this.#view.update(this.#session.topology(), Boolean(this._options.useReplicas));
    }
    return this.#view;
  }

  /**
   * What a listener throws must not stop the answers that wait behind the event.
   *
   * @param {string} name
   * @param {...unknown} args
   */
  #emit(name, ...args) {
    if (name === 'error' && this.#isOpen && !this.#isReady && this.listenerCount(name) === 0) {
      // connect() will reject with it.
      this.#unheardError ??= args[0];
      return;
    }
    try {
      this.emit(name, ...args);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  }
}

/**
 * All values; or the first error in the order of the commands, whichever node was faster.
 *
 * @param {Promise<unknown>[]} answers
 */
async function inOrder(answers) {
  for (const answer of answers) answer.catch(() => {});
  const values = [];
  for (const answer of answers) values.push(await answer);
  return values;
}

/** @param {{ timeout?: number } | null} [options] */
function closeTimeout(options) {
  const timeout = options?.timeout;
  if (timeout === undefined) return -1;
  if (typeof timeout === 'number' && timeout >= 0) return timeout;
  throw new TypeError(`close: \`timeout\` must be a number of milliseconds from 0 on, got ${timeout}`);
}

defineNodeMethods(RedisCluster.prototype);
defineListenerMethods(RedisCluster.prototype, (cluster) => cluster._self);
defineMissing(RedisCluster.prototype, {
  sync: [],
  async: [
    'subscribe', 'SUBSCRIBE', 'unsubscribe', 'UNSUBSCRIBE', 'pSubscribe', 'PSUBSCRIBE', 'pUnsubscribe',
    'PUNSUBSCRIBE', 'sSubscribe', 'SSUBSCRIBE', 'sUnsubscribe', 'SUNSUBSCRIBE',
  ],
});

module.exports = { RedisCluster };
