'use strict';
// One engine from connect to close: commands go in, answers and events come out, and the functions
// that a user put into the options are called for the engine.

const { SocketTimeoutError, forgetError, internalError, keepError } = require('./errors');
const { Channel } = require('./channel');
const { createNativeCluster } = require('./native-addon');
const { NodeConnections } = require('./node-connections');
const { toHostPort } = require('./options');
const { ReconnectionTracker } = require('./reconnection-tracker');

/** What setTimeout, which node-redis waits with, makes of a delay that it cannot count. */
const MAX_DELAY_MS = 0x7fffffff;

/** @typedef {import('./options').ParsedOptions} ParsedOptions */

/**
 * @typedef {object} SessionListener
 * @property {(name: string, ...args: unknown[]) => void} emit
 * @property {() => void} onTopology called when a new topology is there
 * @property {(error: Error) => void} onFatal called when a defect has ended the session
 */

class Session {
  #options;
  #listener;
  #native;
  #channel;
  /** Undefined: the engine decides when to refresh. @type {ReconnectionTracker | undefined} */
  #tracker;
  /**
   * The engine's wake-up keeps neither the process nor this object alive; from connect to destroy,
   * this timer does both.
   *
   * @type {NodeJS.Timeout | undefined}
   */
  #keepAlive;
  #isDestroyed = false;
  #connections = new NodeConnections();
  /** Those that are not given back, and whether their connection is there. @type {Map<number, boolean>} */
  #leases = new Map();
  /** What `nodeAddressMap` makes of addresses. @type {Map<string, string>} */
  #mapped = new Map();
  /**
   * With what a strategy gave a node up, by the node's address. Commands that waited for the node are
   * answered before the strategy is asked again, so there is one for each node.
   *
   * @type {Map<string, string>}
   */
  #keptErrors = new Map();

  /**
   * @param {ParsedOptions} options
   * @param {SessionListener} listener
   */
  constructor(options, listener) {
    this.#options = options;
    this.#listener = listener;
    const { topologyRefresh, native } = options;
    for (const { from, host, port } of native.addressMap ?? []) this.#mapped.set(from, `${host}:${port}`);
    this.#tracker = topologyRefresh === undefined ? undefined : new ReconnectionTracker(topologyRefresh);
    this.#native = createNativeCluster(native, settleWeakly(this));
    this.#channel = new Channel(this.#native, (name, details) => this.#onEvent(name, details));
  }

  get channel() {
    return this.#channel;
  }

  /** Discovers the cluster. Until the session ends, it keeps the process alive. */
  async connect() {
    this.#keepAlive = setInterval(() => this, MAX_DELAY_MS);
    await this.#channel.request((ticket) => this.#native.connect(ticket));
  }

  /**
   * Ends after the commands that were accepted, or when it is destroyed meanwhile.
   *
   * @param {number} withinMs after which it ends all the same; negative: never
   */
  async close(withinMs) {
    try {
      await this.#channel.request((ticket) => this.#native.close(ticket, withinMs));
    } catch (error) {
      if (!this.#isDestroyed) throw error;
    } finally {
      this.destroy();
    }
  }

  /** Ends at once. */
  destroy() {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#channel.destroy();
    clearInterval(this.#keepAlive);
    for (const text of this.#keptErrors.values()) forgetError(text);
  }

  /** @param {Error} error that nothing survives */
  #fail(error) {
    this.#channel.fail(error);
    this.destroy();
    this.#listener.onFatal(error);
  }

  /** @returns {import('./topology-view').Topology} */
  topology() {
    return JSON.parse(this.#native.topology());
  }

  /**
   * @param {string} address as servers announce it
   * @returns the connection to the node that listens there
   */
  connectionTo(address) {
    return this.#connections.at(this.#mapped.get(address) ?? address);
  }

  /**
   * @param {{ host: string, port: number }} node its address as servers announce it
   * @returns {number} what `Channel.submit` takes for it
   */
  destination({ host, port }) {
    return this.#native.destination(host, port);
  }

  /**
   * A connection of one's own, until it is released. What was submitted so far does not use it.
   *
   * @param {number} destination
   * @returns {number} what `Channel.submit` takes for it
   */
  lease(destination) {
    const lease = this.#native.lease(destination);
    this.#leases.set(lease, true);
    return lease;
  }

  /**
   * Gives a lease back, behind everything that was submitted for it.
   *
   * @param {number} lease
   * @param {boolean} isClean whether the connection is as it was, so that others may have it
   */
  release(lease, isClean) {
    this.#channel.flush();
    this.#leases.delete(lease);
    this.#native.release(lease, isClean);
  }

  /** @param {number} lease @returns {boolean} false: its connection is gone, and what it held with it */
  isLeaseAlive(lease) {
    return this.#leases.get(lease) === true;
  }

  /** Learns the topology again, in the background. */
  refresh() {
    this.#native.refresh();
  }

  /** Redirects that were followed since connect. */
  redirects() {
    const [moved, ask] = this.#native.redirects();
    return { moved, ask };
  }

  /**
   * @param {string} name
   * @param {any[]} details
   */
  #onEvent(name, details) {
    switch (name) {
      case 'topology':
        this.#listener.onTopology();
        break;
      case 'fatal':
        this.#fail(internalError(details[0]));
        break;
      case 'lease-lost':
        if (this.#leases.has(details[0])) this.#leases.set(details[0], false);
        break;
      case 'map-address':
        this.#answerAddress(details[0], details[1]);
        break;
      case 'reconnect-strategy':
        this.#answerReconnect(details);
        break;
      case 'node-error':
        this.#tellNodeError(details[0], details[1], details[2]);
        break;
      case 'error':
        this.#listener.emit(name, details[0]);
        break;
      default:
        this.#listener.emit(name, hostPort(details[0], details[1]));
        this.#onNodeEvent(/** @type {any} */ (name), `${details[0]}:${details[1]}`);
    }
  }

  /**
   * @param {'node-connect' | 'node-ready' | 'node-reconnecting' | 'node-disconnect'} event
   * @param {string} address
   */
  #onNodeEvent(event, address) {
    this.#connections.onEvent(event, address);
    const tracker = this.#tracker;
    if (event === 'node-ready') tracker?.onReady(address);
    else if (event === 'node-disconnect') tracker?.onDisconnect(address);
    else if (event === 'node-reconnecting') {
      try {
        if (tracker?.onReconnecting(address)) this.#native.refresh();
      } catch (error) {
        this.#listener.emit('error', error);
      }
    }
  }

  /**
   * @param {unknown} error
   * @param {string} host
   * @param {number} port
   */
  #tellNodeError(error, host, port) {
    this.#listener.emit('node-error', error, hostPort(host, port));
    this.#connections.onEvent('node-error', `${host}:${port}`, error);
  }

  /**
   * The engine gets an answer whatever the user's function does: it waits for one.
   *
   * @param {number} callId
   * @param {string} address
   */
  #answerAddress(callId, address) {
    let mapped;
    try {
      mapped = toHostPort(this.#options.mapAddress?.(address), `nodeAddressMap('${address}')`);
    } catch (error) {
      this.#listener.emit('error', error);
    }
    if (mapped === undefined) this.#mapped.delete(address);
    else this.#mapped.set(address, `${mapped.host}:${mapped.port}`);
    this.#native.answerAddress(callId, mapped?.host ?? null, mapped?.port ?? 0);
  }

  /** @param {any[]} details */
  #answerReconnect([callId, retries, cause, host, port]) {
    let delay;
    try {
      delay = this.#options.reconnectStrategy?.(retries, cause);
      if (delay !== false && !(delay instanceof Error) && typeof delay !== 'number') {
        throw new TypeError(
          `Reconnect strategy should return \`false | Error | number\`, got ${delay} instead`,
        );
      }
    } catch (error) {
      this.#tellNodeError(error, host, port);
      delay = defaultDelay(retries, error);
    }
    if (delay === false) this.#native.answerReconnect(callId, -1, null);
    else if (delay instanceof Error) {
      this.#native.answerReconnect(callId, -1, this.#keep(`${host}:${port}`, delay));
    }
    else this.#native.answerReconnect(callId, delay >= 0 && delay <= MAX_DELAY_MS ? delay : 1, null);
  }

  /**
   * @param {string} address
   * @param {Error} error
   * @returns {string} what stands for the error on the other side
   */
  #keep(address, error) {
    const previous = this.#keptErrors.get(address);
    if (previous !== undefined) forgetError(previous);
    const text = keepError(error);
    this.#keptErrors.set(address, text);
    return text;
  }
}

/**
 * The engine holds its wake-up function for good. That must not hold the session, which holds the
 * engine: neither would ever be collected. (Not in the constructor, where every function holds `this`.)
 *
 * @param {Session} session
 */
function settleWeakly(session) {
  const weak = new WeakRef(session);
  return () => weak.deref()?.channel.settle();
}

/**
 * @param {string} host
 * @param {number} port
 */
function hostPort(host, port) {
  return Object.freeze({ host, port });
}

/**
 * What node-redis waits when a user's strategy fails.
 *
 * @param {number} retries
 * @param {unknown} cause
 * @returns {number | false}
 */
function defaultDelay(retries, cause) {
  if (cause instanceof SocketTimeoutError) return false;
  return Math.min(2 ** retries * 50, 2000) + Math.floor(Math.random() * 200);
}

module.exports = { Session };
