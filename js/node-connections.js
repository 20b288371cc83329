'use strict';
// What is known of the engine's connection to each node: whether it is ready, how often it has been,
// and who listens to it. Told by the engine's node events, by address as `nodeAddressMap` maps it.

const { EventEmitter } = require('node:events');

/** The names that a client of one node has for the events of its connection. */
const EVENTS = Object.freeze({
  'node-connect': 'connect',
  'node-ready': 'ready',
  'node-reconnecting': 'reconnecting',
  'node-disconnect': 'end',
  'node-error': 'error',
});

/** The connection to one node, as far as it can be seen from here. */
class NodeConnection extends EventEmitter {
  isReady = false;
  /** Whether it was given up for good; a later command may open it again. */
  isEnded = false;
  /** How often it has become ready. */
  epoch = 0;
}

class NodeConnections {
  /** @type {Map<string, NodeConnection>} */
  #byAddress = new Map();

  /** @param {string} address `host:port`, mapped */
  at(address) {
    let connection = this.#byAddress.get(address);
    if (connection === undefined) {
      connection = new NodeConnection();
      this.#byAddress.set(address, connection);
    }
    return connection;
  }

  /**
   * @param {keyof typeof EVENTS} event
   * @param {string} address
   * @param {unknown[]} args of the event besides the address
   */
  onEvent(event, address, ...args) {
    const connection = this.at(address);
    const name = EVENTS[event];
    connection.isReady = name === 'ready';
    connection.isEnded = name === 'end';
    if (name === 'ready') connection.epoch++;
    // As with node-redis, whose cluster listens to the errors of every node: nobody else has to.
    if (name === 'error' && connection.listenerCount(name) === 0) return;
    try {
      connection.emit(name, ...args);
    } catch (error) {
      // What a listener throws must not stop the answers that wait behind the event.
      queueMicrotask(() => { throw error; });
    }
  }
}

module.exports = { NodeConnection, NodeConnections };
