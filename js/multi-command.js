'use strict';
// What `multi()` returns: commands are collected, then sent together, as a transaction or as a pipeline.
// How they are sent is not known here.

const { ErrorReply, MultiErrorReply, WatchError } = require('./errors');
const {
  BasicCommandParser, functionArgumentsPrefix, getTransformReply, prefixKey,
} = require('./commands');
const { attachMethods, lazily } = require('./commander');

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('@redis/client').TypeMapping} TypeMapping */
/** @typedef {import('./waiting').TransformReply} TransformReply */
/** @typedef {RedisArgument[] & { preserve?: unknown }} Arguments what a parser leaves for the transform goes with them */

/**
 * @typedef {object} QueuedCommand
 * @property {Arguments} redisArgs
 * @property {RedisArgument | undefined} firstKey
 * @property {unknown} preserve
 * @property {boolean | undefined} readonly whether a replica may serve it; the engine decides if unknown
 * @property {TransformReply | undefined} transform
 * @property {RedisArgument} [keyPrefix] that its keys have been given
 * @property {Arguments} [again] what says the same where the server has seen an earlier command: a script by its hash
 */

/** @typedef {(commands: QueuedCommand[], key: RedisArgument | undefined) => Promise<unknown[] | null>} ExecuteMulti */
/** @typedef {(commands: QueuedCommand[]) => Promise<unknown[]>} ExecutePipeline */

const HIMPORT = 'HIMPORT';
const PER_CONNECTION = new Set(['PREPARE', 'DISCARD', 'DISCARDALL']);

/** Commands of one transaction or pipeline, whoever runs it. */
class MultiCommand {
  /** @type {QueuedCommand[]} */
  #queue = [];
  /** Hashes of scripts that were sent in full already. @type {Set<string>} */
  #scripts = new Set();
  #executeMulti;
  #executePipeline;
  #routing;
  #typeMapping;
  #keyPrefix;

  /**
   * @param {ExecuteMulti} executeMulti answers EXEC's reply, without a type mapping
   * @param {ExecutePipeline} executePipeline answers one reply for each command
   * @param {RedisArgument | undefined} routing a key of the node; without it the first key decides
   * @param {TypeMapping | undefined} typeMapping for transforms
   * @param {RedisArgument | undefined} keyPrefix
   */
  constructor(executeMulti, executePipeline, routing, typeMapping, keyPrefix) {
    this.#executeMulti = executeMulti;
    this.#executePipeline = executePipeline;
    this.#routing = routing === undefined ? undefined : prefixKey(keyPrefix, routing);
    this.#typeMapping = typeMapping;
    this.#keyPrefix = keyPrefix;
  }

  get _keyPrefix() { return this.#keyPrefix; }

  /**
   * @param {Arguments} redisArgs
   * @param {RedisArgument | undefined} firstKey
   * @param {unknown} preserve
   * @param {boolean | undefined} readonly
   * @param {TransformReply | undefined} transform
   * @param {RedisArgument} [keyPrefix] that the keys have been given
   */
  _add(redisArgs, firstKey, preserve, readonly, transform, keyPrefix) {
    this.#queue.push({ redisArgs, firstKey, preserve, readonly, transform, keyPrefix });
    return this;
  }

  /**
   * In full; in a transaction only the first time, as the server has it when the commands behind it run.
   * Commands of a pipeline may go to several servers.
   *
   * @param {any} script made by `defineScript`
   * @param {BasicCommandParser} parser that has parsed its arguments
   * @param {TransformReply | undefined} transform
   */
  _addScript(script, parser, transform) {
    const suffix = script.IS_READ_ONLY ? '_RO' : '';
    const rest = script.NUMBER_OF_KEYS === undefined
      ? parser.redisArgs
      : [script.NUMBER_OF_KEYS.toString(), ...parser.redisArgs];
    this.#queue.push({
      redisArgs: [`EVAL${suffix}`, script.SCRIPT, ...rest],
      again: this.#scripts.has(script.SHA1) ? [`EVALSHA${suffix}`, script.SHA1, ...rest] : undefined,
      firstKey: parser.firstKey,
      preserve: parser.preserve,
      readonly: Boolean(script.IS_READ_ONLY),
      transform,
    });
    this.#scripts.add(script.SHA1);
    return this;
  }

  /** @param {boolean} [execAsPipeline] */
  async exec(execAsPipeline = false) {
    if (execAsPipeline) return this.execAsPipeline();
    refusePerConnection(this.#queue);
    const commands = this.#queue.map((command) =>
      command.again === undefined ? command : { ...command, redisArgs: command.again });
    const replies = await this.#executeMulti(commands, this.#routing ?? this.#firstKey());
    if (replies === null) throw new WatchError();
    return this.#transform(replies);
  }

  EXEC = this.exec;

  /** @param {boolean} [execAsPipeline] */
  execTyped(execAsPipeline = false) {
    return this.exec(execAsPipeline);
  }

  async execAsPipeline() {
    if (this.#queue.length === 0) return [];
    refusePerConnection(this.#queue);
    return this.#transform(await this.#executePipeline(this.#queue));
  }

  execAsPipelineTyped() {
    return this.execAsPipeline();
  }

  #firstKey() {
    return this.#queue.find(({ firstKey }) => firstKey !== undefined)?.firstKey;
  }

  /** @param {unknown[]} rawReplies */
  #transform(rawReplies) {
    /** @type {number[]} */
    const errorIndexes = [];
    const replies = rawReplies.map((reply, index) => {
      if (reply instanceof ErrorReply) {
        errorIndexes.push(index);
        return reply;
      }
      const { transform, preserve } = this.#queue[index];
      return transform === undefined ? reply : transform(reply, preserve, this.#typeMapping);
    });
    if (errorIndexes.length > 0) {
      throw new MultiErrorReply(/** @type {any} */ (replies), errorIndexes);
    }
    return replies;
  }
}

/** What a cluster's `multi()` returns, without its commands. */
class RedisClusterMultiCommand extends MultiCommand {
  /**
   * @param {RedisArgument | undefined} firstKey
   * @param {boolean | undefined} isReadonly
   * @param {Arguments} args
   * @param {TransformReply} [transformReply]
   */
  addCommand(firstKey, isReadonly, args, transformReply) {
    return this._add(args, firstKey, args.preserve, Boolean(isReadonly), transformReply);
  }

  /**
   * @param {RedisArgument[]} args
   * @param {{ firstKey?: RedisArgument, isReadonly?: boolean }} [options]
   */
  sendCommand(args, options) {
    return this.addCommand(options?.firstKey, options?.isReadonly, args.slice());
  }
}

/**
 * The server keeps what these prepare per connection. They would be carried out, and then be of no use.
 *
 * @param {QueuedCommand[]} queue
 */
function refusePerConnection(queue) {
  for (const { redisArgs: [name, what] } of queue) {
    if (name?.length !== HIMPORT.length || String(name).toUpperCase() !== HIMPORT) continue;
    if (PER_CONNECTION.has(String(what).toUpperCase())) {
      throw new Error(
        'HIMPORT PREPARE/DISCARD/DISCARDALL are not supported inside MULTI/pipeline; ' +
          'call them on the client before the transaction',
      );
    }
  }
}

/** @typedef {import('./commander').Definition} Definition */

/**
 * @param {MultiCommand} multi
 * @param {Definition} definition
 * @param {readonly RedisArgument[]} prefix arguments before those that the definition adds
 * @param {unknown[]} args
 * @param {boolean | undefined} readonly
 */
function add(multi, { command, transform }, prefix, args, readonly) {
  const parser = new BasicCommandParser(multi._keyPrefix);
  parser.push(...prefix);
  command.parseCommand(parser, ...args);
  const { redisArgs, firstKey, preserve } = parser;
  return multi._add(redisArgs, firstKey, preserve, readonly, transform, multi._keyPrefix);
}

/** @type {import('./commander').Makers} */
const makers = {
  command: (_, define) => function (...args) {
    const definition = define();
    return add(this, definition, [], args, definition.command.IS_READ_ONLY);
  },
  module: (define) => function (...args) {
    const definition = define();
    return add(this._self, definition, [], args, definition.command.IS_READ_ONLY);
  },
  function: (name, fn, resp) => {
    const prefix = functionArgumentsPrefix(name, fn);
    const define = lazily(() => fn, resp);
    return function (...args) {
      return add(this._self, define(), prefix, args, Boolean(fn.IS_READ_ONLY));
    };
  },
  script: (script, resp) => {
    const transform = getTransformReply(script, resp);
    return function (...args) {
      const parser = new BasicCommandParser(this._keyPrefix);
      script.parseCommand(parser, ...args);
      return this._addScript(script, parser, transform);
    };
  },
};

/**
 * @template {new (...args: any[]) => any} BASE
 * @param {BASE} Base
 * @param {import('./commander').CommanderConfig} config
 * @param {import('./commands').CommandList} commands
 * @returns {BASE} a subclass with the methods that the config asks for
 */
function attachMultiCommands(Base, config, commands) {
  return attachMethods(Base, config, makers, commands);
}

module.exports = { attachMultiCommands, MultiCommand, RedisClusterMultiCommand };
