'use strict';
// Decides when a node that does not come back is reason enough to learn the topology again: the
// option topologyRefreshOnReconnectionAttemptStrategy, with node-redis's rules. When it is not
// given, the engine decides, and does so sooner.

/** @typedef {false | number | ((firstReconnectionAt: number) => false | number | undefined)} Strategy */

class ReconnectionTracker {
  #strategy;
  /** Nodes that are being connected to again, after they had been ready. @type {Set<string>} */
  #reconnecting = new Set();
  /** @type {Set<string>} */
  #wereReady = new Set();
  /** @type {number | undefined} */
  #firstReconnectionAt;

  /** @param {Strategy} strategy */
  constructor(strategy) {
    this.#strategy = strategy;
  }

  /** @param {string} address */
  onReady(address) {
    this.#wereReady.add(address);
    this.#forget(address);
  }

  /** @param {string} address */
  onDisconnect(address) {
    this.#wereReady.delete(address);
    this.#forget(address);
  }

  /**
   * @param {string} address
   * @returns {boolean} whether to refresh now
   * @throws {TypeError} if the user's function returns what is no delay
   */
  onReconnecting(address) {
    if (!this.#strategy || !this.#wereReady.has(address)) return false;
    this.#reconnecting.add(address);
    const now = Date.now();
    this.#firstReconnectionAt ??= now;
    const delay = this.#delay(this.#firstReconnectionAt);
    if (delay === undefined || now - this.#firstReconnectionAt < delay) return false;
    this.#firstReconnectionAt = now;
    return true;
  }

  /** @param {number} firstReconnectionAt */
  #delay(firstReconnectionAt) {
    if (typeof this.#strategy !== 'function') return Number(this.#strategy);
    const delay = this.#strategy(firstReconnectionAt);
    if (delay === false || delay === undefined || delay === 0) return undefined;
    if (Number.isInteger(delay) && delay > 0) return delay;
    throw new TypeError(
      `topologyRefreshOnReconnectionAttempt should return \`false | undefined | number\`, got ${delay} instead`,
    );
  }

  /** @param {string} address */
  #forget(address) {
    if (this.#reconnecting.delete(address) && this.#reconnecting.size === 0) {
      this.#firstReconnectionAt = undefined;
    }
  }
}

module.exports = { ReconnectionTracker };
