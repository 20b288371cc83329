'use strict';
// A client of one node, as node-redis's: every command of it goes to that node, over the connection
// that the engine has anyway. Between WATCH and EXEC it has one of its own.

const { EventEmitter } = require('node:events');
const { BasicCommandParser, prefixKeys } = require('./commands');
const { defineListenerMethods, defineMissing } = require('./common-methods');
const { ClientClosedError, notSupported } = require('./errors');
const { NodeMultiCommand } = require('./node-multi-command');
const { defineScanIterators } = require('./node-scan-iterators');
const { refusalOf } = require('./shared-connection');
const { Watch } = require('./watch');

const DEFAULT_COMMAND_TIMEOUT_MS = 5000;

/** @typedef {import('./channel').CommandOptions} CommandOptions */
/** @typedef {import('./channel').TransformReply} TransformReply */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

/** @typedef {import('./nodes').NodeCore} NodeCore */

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
      case 'SELECT': if (args.length === 2) return this.SELECT(args[1]).then(() => 'OK'); break;
      case 'RESET': return this.reset().then(() => 'RESET');
    }
    const refusal = refusalOf(name);
    return refusal === undefined ? send(this, args, options) : Promise.reject(refusal);
  }

  /** @param {RedisArgument | RedisArgument[]} key */
  async WATCH(key) {
    if (!this._self.#isOpen) throw new ClientClosedError();
    const keys = prefixKeys(this._keyPrefix, key);
    return this._self.#watch.begin(() => send(this, ['WATCH', ...keys]));
  }

  UNWATCH() {
    const { _commandOptions: options, _self: client } = this;
    return client.#watch.endBy((lease) => client.#sendTo(lease, ['UNWATCH'], options));
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

  /**
   * A cluster has one database. Whether a server says so or not, the shared connection stays in it.
   *
   * @param {number | RedisArgument} db
   */
  async SELECT(db) {
    const args = ['SELECT', db.toString()];
    if (Number(db) === 0) return void (await send(this, args));
    const { lessor } = this._self.#core;
    const lease = lessor.lease();
    try {
      await this._self.#sendTo(lease, args, this._commandOptions);
    } finally {
      lessor.release(lease, false);
    }
    throw notSupported(`SELECT ${db}`);
  }

  /** Ends what was watched. The shared connection has no state of its own. */
  async reset() {
    this._self.#watch.end();
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
    this.#watch.check();
    return this.#watch.endBy((lease) =>
      this.#core.submitTransaction(commands, lease ?? this.#core.destination));
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
    this.#watch.end();
  }

  /**
   * @param {number | undefined} lease undefined: the connection that all share
   * @param {RedisArgument[]} args
   * @param {CommandOptions | undefined} options
   */
  async #sendTo(lease, args, options) {
    if (!this.#isOpen) throw new ClientClosedError();
    const parser = new BasicCommandParser();
    for (const arg of args) parser.push(arg);
    return this.#core.submit(parser, undefined, options, undefined, lease ?? this.#core.destination);
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
