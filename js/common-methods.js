'use strict';
// Methods that are all alike: those for listeners, and those that this version lacks.

const { EventEmitter } = require('node:events');
const { notSupported } = require('./errors');

const LISTENER_METHODS = /** @type {const} */ ([
  'on', 'addListener', 'prependListener', 'once', 'prependOnceListener', 'off', 'removeListener',
  'removeAllListeners', 'setMaxListeners', 'emit',
]);

/** Those that only look. */
const LOOKING_METHODS = /** @type {const} */ ([
  'listenerCount', 'listeners', 'rawListeners', 'eventNames', 'getMaxListeners',
]);

/**
 * @param {object} prototype
 * @param {string} name
 * @param {Function} value
 */
function define(prototype, name, value) {
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}

/**
 * Listeners belong to one emitter, whichever object they are added through.
 *
 * @param {object} prototype
 * @param {(receiver: any) => EventEmitter} emitterOf
 */
function defineListenerMethods(prototype, emitterOf) {
  for (const name of [...LISTENER_METHODS, ...LOOKING_METHODS]) {
    const method = /** @type {Function} */ (EventEmitter.prototype[name]);
    define(prototype, name, /** @this {any} @param {unknown[]} args */ function (...args) {
      const emitter = emitterOf(this);
      const result = method.apply(emitter, args);
      return result === emitter ? this : result;
    });
  }
}

/**
 * Methods of node-redis that this version does not have.
 *
 * @param {object} prototype
 * @param {{ sync: string[], async: string[] }} names of those that throw, and of those that reject
 */
function defineMissing(prototype, { sync, async }) {
  for (const name of sync) define(prototype, name, () => { throw notSupported(name); });
  for (const name of async) define(prototype, name, () => Promise.reject(notSupported(name)));
}

module.exports = { defineListenerMethods, defineMissing };
