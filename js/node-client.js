'use strict';
// A client of one node, as node-redis's: every command of it goes to that node, over the connection
// that the engine has anyway. Between WATCH and EXEC it has one of its own.

const { EventEmitter } = require('node:events');
const { BasicCommandParser, prefixKeys } = require('./commands');
const { defineListenerMethods, defineMissing } = require('./common-methods');
const { ClientClosedError, ErrorReply, WatchError, notSupported } = require('./errors');
const { NodeMultiCommand } = require('./node-multi-command');
const { defineScanIterators } = require('./node-scan-iterators');
const { Watch } = require('./watch');

const DEFAULT_COMMAND_TIMEOUT_MS = 5000;

/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./channel').TransformReply} TransformReply */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

/**
 * What all clients of one node share.
 *
 * @typedef {object} NodeCore
 * @property {boolean} isOpen whether its cluster is
 * @property {import('./node-connections').NodeConnection} connection
 * @property {number} destination
 * @property {Record<string, any>} options
 * @property {(parser: import('./channel').CommandParser, readonly: boolean | undefined, options: CommandOptions | undefined,
 *   transform: TransformReply | undefined, destination: number) => Promise<unknown>} submit
 * @property {(commands: import('./multi-command').QueuedCommand[], destination: number) => Promise<any>} submitTransaction
 * @property {import('./watch').Lessor} lessor
 */

/**
 * Commands that would change or end the connection that a client shares with its cluster, by name, and
 * what to use instead.
 *
 * @type {Record<string, string>}
 */
const NOT_SHARED = {
  MULTI: '`multi()`',
  EXEC: '`multi()`',
  DISCARD: '`multi()`',
  MONITOR: 'a client of `redis` for it',
  SUBSCRIBE: 'a client of `redis` for it',
  PSUBSCRIBE: 'a client of `redis` for it',
  SSUBSCRIBE: 'a client of `redis` for it',
};

class NodeClient extends EventEmitter {
  // withCommandOptions() and its kin hand out objects that inherit from this one and find its private
  // fields through `_self`. Clients of the same node that were asked for separately share the core only.
  _self = this;
  /** @type {CommandOptions | undefined} */
  _commandOptions;
  #core;
  #isOpen = true;
  #watch;

  /** @param {NodeCore} core */
  constructor(core) {
    super();
    this.#core = core;
    this.#watch = new Watch(core.lessor);
    this._commandOptions = { timeout: DEFAULT_COMMAND_TIMEOUT_MS, ...core.options.commandOptions };
  }

  get isOpen() { return this._self.#isOpen && this._self.#core.isOpen && !this._self.#core.connection.isEnded; }
  get isReady() { return this.isOpen && this._self.#core.connection.isReady; }
  get isPubSubActive() { return false; }
  get socketEpoch() { return this._self.#core.connection.epoch; }
  get isWatching() { return this._self.#watch.isWatching; }
  get isDirtyWatch() { return this._self.#watch.isDirty; }
  get options() { return this._self.#core.options; }
  get clientSideCache() { return undefined; }
  get _Multi() { return NodeMultiCommand; }
  /** As in node-redis, the prefix is the cluster's, not its nodes'. */
  get _keyPrefix() { return this._self.#core.options.keyPrefix; }
  /** Where listeners are kept. */
  get _emitter() { return this._self.#core.connection; }

  /** Opens a client again that was closed. */
  async connect() {
    if (this._self.#isOpen) throw new Error('Socket already opened');
    if (!this._self.#core.isOpen) throw new ClientClosedError();
    this._self.#isOpen = true;
    return this;
  }

  /** @param {Record<string, any>} [overrides] */
  duplicate(overrides = {}) {
    const { commandOptions = this._commandOptions, ...others } = overrides;
    const [name] = Object.keys(others);
    if (name !== undefined) throw notSupported(`duplicate with the option \`${name}\``);
    const Class = /** @type {typeof NodeClient} */ (this._self.constructor);
    const copy = new Class(this._self.#core);
    copy._commandOptions = { timeout: DEFAULT_COMMAND_TIMEOUT_MS, ...commandOptions };
    copy.#isOpen = false;
    return copy;
  }

  /** @param {CommandOptions} options used beside the others */
  withCommandOptions(options) {
    const view = Object.create(this._self);
    view._commandOptions = { ...this._commandOptions, ...options };
    return view;
  }

  /** @param {CommandOptions['typeMapping']} typeMapping */
  withTypeMapping(typeMapping) { return this.withCommandOptions({ typeMapping }); }
  /** @param {AbortSignal} abortSignal */
  withAbortSignal(abortSignal) { return this.withCommandOptions({ abortSignal }); }
  asap() { return this.withCommandOptions(/** @type {CommandOptions} */ ({ asap: true })); }

  /**
   * @param {RedisArgument[]} args
   * @param {CommandOptions} [options]
   */
  sendCommand(args, options) {
    const name = String(args[0]).toUpperCase();
    switch (name) {
      case 'WATCH': return this.WATCH(args.slice(1));
      case 'UNWATCH': return this.UNWATCH();
      case 'QUIT': return this.QUIT();
      case 'RESET': return this.reset().then(() => 'RESET');
    }
    if (Object.hasOwn(NOT_SHARED, name)) {
      return Promise.reject(new Error(
        `${name} would change a connection that is shared with the cluster; use ${NOT_SHARED[name]}`,
      ));
    }
    return send(this, args, options);
  }

  /** @param {RedisArgument | RedisArgument[]} key */
  WATCH(key) {
    const keys = prefixKeys(this._keyPrefix, key);
    return this._self.#watch.begin(() => send(this, ['WATCH', ...keys]));
  }

  async UNWATCH() {
    const reply = await send(this, ['UNWATCH']);
    this._self.#watch.end(true);
    return reply;
  }

  MULTI() {
    const client = this._self;
    const { typeMapping } = this._commandOptions ?? {};
    return new client._Multi(
      (commands) => client.#executeMulti(commands),
      (commands) => client.#executePipeline(commands, typeMapping),
      undefined,
      typeMapping,
      client._keyPrefix,
    );
  }

  /** @param {string} message with which the next transaction fails */
  setDirtyWatch(message) {
    this._self.#watch.setDirty(message);
  }

  /** @param {number} db */
  async SELECT(db) {
    await send(this, ['SELECT', db.toString()]);
  }

  /** Ends what was watched. The shared connection has no state of its own. */
  async reset() {
    this._self.#watch.end(false);
  }

  /** Ends this object; the connection is the cluster's and stays. */
  async close() {
    this._self.#end();
  }

  destroy() {
    this._self.#end();
  }

  /** @deprecated Use `close`. */
  async QUIT() {
    this._self.#end();
    return 'OK';
  }

  /** @deprecated Use `destroy`. */
  async disconnect() {
    this._self.#end();
  }

  // Whether the process stays alive is the cluster's affair.
  ref() {}
  unref() {}

  /** @param {import('./multi-command').QueuedCommand[]} commands */
  async #executeMulti(commands) {
    if (!this.#isOpen || !this.#core.isOpen) throw new ClientClosedError();
    const objection = this.#watch.takeObjection();
    if (objection !== undefined) throw new WatchError(objection);
    const { lease } = this.#watch;
    try {
      const replies = await this.#core.submitTransaction(commands, lease ?? this.#core.destination);
      this.#watch.end(true);
      return replies;
    } catch (error) {
      // EXEC ends what was watched, whatever comes of it.
      this.#watch.end(error instanceof ErrorReply);
      throw error;
    }
  }

  /**
   * @param {import('./multi-command').QueuedCommand[]} commands
   * @param {CommandOptions['typeMapping']} typeMapping
   */
  async #executePipeline(commands, typeMapping) {
    const options = { timeout: undefined, typeMapping };
    return Promise.all(commands.map((command) => this._submit(command, command.readonly, options, undefined)));
  }

  #end() {
    this.#isOpen = false;
    this.#watch.end(false);
  }

  /**
   * Every command ends here.
   *
   * @param {import('./channel').CommandParser} parser
   * @param {boolean | undefined} readonly
   * @param {CommandOptions | undefined} options
   * @param {TransformReply | undefined} transform
   * @returns {Promise<unknown>}
   */
  _submit(parser, readonly, options, transform) {
    const core = this.#core;
    if (!this.#isOpen) return Promise.reject(new ClientClosedError());
    const { lease } = this.#watch;
    if (lease === undefined) return core.submit(parser, readonly, options, transform, core.destination);
    return this.#watch.guard(core.submit(parser, readonly, options, transform, lease));
  }
}

/**
 * @param {NodeClient} client or a view of it
 * @param {RedisArgument[]} args
 * @param {CommandOptions} [options]
 */
function send(client, args, options) {
  const parser = new BasicCommandParser();
  for (const arg of args) parser.push(arg);
  return client._self._submit(parser, undefined, { ...client._commandOptions, ...options }, undefined);
}

const { prototype } = NodeClient;
/** @type {any} */ (prototype)._submitCursor = prototype._submit;
/** @type {Array<[alias: string, name: 'WATCH' | 'UNWATCH' | 'SELECT' | 'QUIT' | 'MULTI']>} */
const ALIASES = [
  ['watch', 'WATCH'], ['unwatch', 'UNWATCH'], ['select', 'SELECT'], ['quit', 'QUIT'], ['multi', 'MULTI'],
];
for (const [alias, name] of ALIASES) {
  Object.defineProperty(prototype, alias, { configurable: true, writable: true, value: prototype[name] });
}
defineScanIterators(prototype);
defineListenerMethods(prototype, (client) => client._emitter);
defineMissing(prototype, {
  sync: ['legacy', 'createPool'],
  async: [
    'subscribe', 'SUBSCRIBE', 'unsubscribe', 'UNSUBSCRIBE', 'pSubscribe', 'PSUBSCRIBE', 'pUnsubscribe',
    'PUNSUBSCRIBE', 'sSubscribe', 'SSUBSCRIBE', 'sUnsubscribe', 'SUNSUBSCRIBE', 'monitor', 'MONITOR',
  ],
});

module.exports = { NodeClient };
