'use strict';
// Gives a class its methods: commands, modules, functions and scripts. Definitions load when a method
// is first called.

const { ErrorReply, notSupported } = require('./errors');
const {
  BasicCommandParser, functionArgumentsPrefix, getTransformReply, scriptArgumentsPrefix,
} = require('./commands');
const { hasCursor } = require('./cursor-commands');
const { isSplit, namingKeys } = require('./split-commands');

/** @typedef {import('@redis/client/dist/lib/RESP/types').Command} Command */
/** @typedef {import('./channel').TransformReply} TransformReply */
/** @typedef {(this: any, ...args: any[]) => unknown} Method */
/** @typedef {{ command: Command, transform: TransformReply | undefined }} Definition */

/**
 * @typedef {object} Makers how each kind of method is made
 * @property {(name: string, define: () => Definition) => Method} command
 * @property {(define: () => Definition) => Method} module `this` is the namespace, `_self` whose it is
 * @property {(name: string, fn: any, resp: 2 | 3) => Method} function the same
 * @property {(script: any, resp: 2 | 3) => Method} script
 */

/**
 * node-redis keeps a registry for these, because the server keeps what they prepare per connection.
 * Without it they would work or fail depending on which node a command reaches.
 */
const PER_CONNECTION = /^HIMPORT_/;

/**
 * @param {() => Command} load
 * @param {2 | 3} resp
 * @returns {() => Definition}
 */
function lazily(load, resp) {
  /** @type {Definition | undefined} */
  let definition;
  return () => {
    if (definition === undefined) {
      const command = load();
      definition = { command, transform: getTransformReply(command, resp) };
    }
    return definition;
  };
}

// A cluster's methods return promises and never throw, like the async functions of node-redis. They are no async
// functions, because those would cost a second promise per command.

/**
 * @param {() => Definition} define
 * @returns {Method}
 */
function commandMethod(define) {
  return function (...args) {
    try {
      const { command, transform } = define();
      const { _self } = this;
      const parser = new BasicCommandParser(_self._keyPrefix);
      command.parseCommand(parser, ...args);
      return _self._submit(parser, command.IS_READ_ONLY, this._commandOptions, transform);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/**
 * A method of a namespace: `this` is the namespace, `_self` the cluster that it was read from.
 *
 * @param {() => Definition} define
 * @param {readonly import('@redis/client').RedisArgument[]} prefix arguments before those that the definition adds
 * @returns {Method}
 */
function namespaceMethod(define, prefix) {
  return function (...args) {
    try {
      const { command, transform } = define();
      const cluster = this._self;
      const parser = new BasicCommandParser(cluster._keyPrefix);
      parser.push(...prefix);
      command.parseCommand(parser, ...args);
      const submit = hasCursor(parser.redisArgs) ? '_submitCursor' : '_submit';
      const answer =
        cluster._self[submit](parser, command.IS_READ_ONLY, cluster._commandOptions, transform);
      if (!isSplit(parser.redisArgs[0])) return answer;
      return namingKeys(answer, parser.redisArgs, cluster._keyPrefix);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/**
 * @param {any} script made by `defineScript`
 * @param {2 | 3} resp
 * @returns {Method}
 */
function scriptMethod(script, resp) {
  const prefix = scriptArgumentsPrefix(script);
  const transform = getTransformReply(script, resp);
  return async function (...args) {
    const parser = new BasicCommandParser(this._self._keyPrefix);
    parser.push(...prefix);
    script.parseCommand(parser, ...args);
    const send = () => this._self._submit(parser, script.IS_READ_ONLY, this._commandOptions, transform);
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error;
      parser.redisArgs[0] = script.IS_READ_ONLY ? 'EVAL_RO' : 'EVAL';
      parser.redisArgs[1] = script.SCRIPT;
      return send();
    }
  };
}

/**
 * The same for a command that may be sent in parts.
 *
 * @param {() => Definition} define
 * @returns {Method}
 */
function splitMethod(define) {
  return async function (...args) {
    const { command, transform } = define();
    const parser = new BasicCommandParser(this._self._keyPrefix);
    command.parseCommand(parser, ...args);
    const answer = this._self._submit(parser, command.IS_READ_ONLY, this._commandOptions, transform);
    return namingKeys(answer, parser.redisArgs, this._self._keyPrefix);
  };
}

/**
 * The same for a command that goes on from node to node.
 *
 * @param {() => Definition} define
 * @returns {Method}
 */
function cursorMethod(define) {
  return async function (...args) {
    const { command, transform } = define();
    const parser = new BasicCommandParser(this._self._keyPrefix);
    command.parseCommand(parser, ...args);
    return this._self._submitCursor(parser, command.IS_READ_ONLY, this._commandOptions, transform);
  };
}

/** @param {string} name @returns {Method} */
function refusedMethod(name) {
  return () => Promise.reject(notSupported(name));
}

// By receiver: a view made by `withCommandOptions` has namespaces of its own, which lead back to it.
/** @type {WeakMap<object, Map<string, object>>} */
const namespaces = new WeakMap();

/**
 * @param {object} prototype
 * @param {string} name
 * @param {() => Record<string, Method>} createMethods called when the namespace is first read
 */
function attachNamespace(prototype, name, createMethods) {
  /** @type {Record<string, Method> | undefined} */
  let methods;
  Object.defineProperty(prototype, name, {
    get() {
      let own = namespaces.get(this);
      if (own === undefined) namespaces.set(this, (own = new Map()));
      let namespace = own.get(name);
      if (namespace === undefined) {
        methods ??= createMethods();
        namespace = Object.assign(Object.create(methods), { _self: this });
        own.set(name, /** @type {object} */ (namespace));
      }
      return namespace;
    },
  });
}

/**
 * @param {Record<string, any>} commands
 * @param {(name: string, command: any) => Method} createMethod
 */
function mapMethods(commands, createMethod) {
  return Object.fromEntries(
    Object.entries(commands).map(([name, command]) => [name, createMethod(name, command)]),
  );
}

/**
 * @typedef {object} CommanderConfig
 * @property {2 | 3} [RESP]
 * @property {Record<string, any>} [modules]
 * @property {Record<string, any>} [functions]
 * @property {Record<string, any>} [scripts]
 */

/** @type {Makers} */
const clusterMakers = {
  command: (name, define) => {
    if (PER_CONNECTION.test(name)) return refusedMethod(name);
    if (hasCursor(name.split('_'))) return cursorMethod(define);
    return isSplit(name) ? splitMethod(define) : commandMethod(define);
  },
  module: (define) => namespaceMethod(define, []),
  function: (name, fn, resp) =>
    namespaceMethod(lazily(() => fn, resp), functionArgumentsPrefix(name, fn)),
  script: scriptMethod,
};

/**
 * @template {new (...args: any[]) => any} BASE
 * @param {BASE} Base
 * @param {CommanderConfig} config
 * @param {import('./commands').CommandList} commands
 * @returns {BASE} a subclass with the methods of a cluster that the config asks for
 */
function attachCommands(Base, config, commands) {
  return attachMethods(Base, config, clusterMakers, commands);
}

/**
 * @template {new (...args: any[]) => any} BASE
 * @param {BASE} Base
 * @param {CommanderConfig} config
 * @param {Makers} make
 * @param {import('./commands').CommandList} commands
 * @returns {BASE} a subclass with the methods that the config asks for
 */
function attachMethods(Base, { RESP = 3, modules = {}, functions = {}, scripts = {} }, make, commands) {
  const Class = class extends Base {};
  const { prototype } = Class;
  // V8 copies all properties of a prototype for each one that is added (20 ms for 809 of them), unless
  // one was deleted before (0.3 ms). It makes the prototype fast again when it is first used.
  Reflect.deleteProperty(prototype, 'constructor');
  Object.defineProperty(prototype, 'constructor', { value: Class, configurable: true, writable: true });
  for (const { load, names } of commands) {
    const method = make.command(names[0], lazily(load, RESP));
    for (const name of names) prototype[name] = method;
  }
  for (const name of Object.keys(modules)) {
    attachNamespace(prototype, name, () =>
      mapMethods(modules[name], (_, command) => make.module(lazily(() => command, RESP))));
  }
  for (const [library, all] of Object.entries(functions)) {
    attachNamespace(prototype, library, () =>
      mapMethods(all, (name, fn) => make.function(name, fn, RESP)));
  }
  for (const [name, script] of Object.entries(scripts)) prototype[name] = make.script(script, RESP);
  return Class;
}

module.exports = { attachCommands, attachMethods, lazily };
