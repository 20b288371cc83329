'use strict';
// Methods of a cluster that are all alike: those for listeners, and those that this version lacks.

const { EventEmitter } = require('node:events');
const { notSupported } = require('./errors');

const LISTENER_METHODS = /** @type {const} */ ([
  'on', 'addListener', 'prependListener', 'once', 'prependOnceListener', 'off', 'removeListener',
  'removeAllListeners', 'setMaxListeners', 'emit',
]);

/** Methods of node-redis's cluster that this version does not have: these throw, those reject. */
const MISSING_SYNC = ['getRandomNode', 'getSlotRandomNode'];
const MISSING_ASYNC = [
  'subscribe', 'SUBSCRIBE', 'unsubscribe', 'UNSUBSCRIBE', 'pSubscribe', 'PSUBSCRIBE', 'pUnsubscribe',
  'PUNSUBSCRIBE', 'sSubscribe', 'SSUBSCRIBE', 'sUnsubscribe', 'SUNSUBSCRIBE', 'nodeClient',
  'getNodeClientForKey',
];

/**
 * @param {object} prototype
 * @param {string} name
 * @param {Function} value
 */
function define(prototype, name, value) {
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}

/** @param {EventEmitter & { _self: EventEmitter }} prototype of the cluster's class */
function defineCommonMethods(prototype) {
  for (const name of LISTENER_METHODS) {
    const method = /** @type {Function} */ (EventEmitter.prototype[name]);
    // Listeners belong to the cluster, also if they are added through an object that inherits from it.
    define(prototype, name, /** @this {typeof prototype} @param {unknown[]} args */ function (...args) {
      const result = method.apply(this._self, args);
      return result === this._self ? this : result;
    });
  }
  for (const name of MISSING_SYNC) define(prototype, name, () => { throw notSupported(name); });
  for (const name of MISSING_ASYNC) define(prototype, name, () => Promise.reject(notSupported(name)));
}

module.exports = { defineCommonMethods };
