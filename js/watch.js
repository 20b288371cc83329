'use strict';
// WATCH of one client: from its first key to EXEC, UNWATCH or the end, the client has a connection of
// its own, so that clients of one node do not end each other's watches.

const { AbortError, ErrorReply, TimeoutError } = require('./errors');

const RECONNECTED = 'Client reconnected after WATCH';

/**
 * Where connections of one's own come from, by number.
 *
 * @typedef {object} Lessor
 * @property {() => number} lease
 * @property {(lease: number, isClean: boolean) => void} release
 * @property {(lease: number) => boolean} isLeaseAlive
 */

/** A client that nobody has any more watches nothing. */
const forgotten = new FinalizationRegistry(
  /** @param {{ lessor: Lessor, lease: number }} held */
  ({ lessor, lease }) => lessor.release(lease, false),
);

class Watch {
  #lessor;
  /** The connection that commands go over, if it is not the one that all share. @type {number | undefined} */
  #lease;
  #isWatching = false;
  /** What the user or a lost connection has to say against the next transaction. @type {string | undefined} */
  #dirty;
  #isLost = false;

  /** @param {Lessor} lessor */
  constructor(lessor) {
    this.#lessor = lessor;
  }

  get lease() { return this.#lease; }
  get isWatching() { return this.#isWatching; }
  get isDirty() { return this.#dirty !== undefined; }

  /** @param {string} message */
  setDirty(message) {
    this.#dirty = message;
  }

  /**
   * Watches through `send`, which sends WATCH over the lease that there is by then.
   *
   * @template T
   * @param {() => Promise<T>} send
   * @returns {Promise<T>}
   */
  async begin(send) {
    if (this.#lease === undefined && !this.#isLost) this.#take();
    try {
      const reply = await send();
      this.#isWatching = true;
      return reply;
    } catch (error) {
      if (!this.#isWatching) this.end(error instanceof ErrorReply);
      throw error;
    }
  }

  /**
   * Sees to it that an answer which never comes, because the connection is gone, ends the lease.
   *
   * @template T
   * @param {Promise<T>} answer to a command that went over the lease
   * @returns {Promise<T>}
   */
  guard(answer) {
    const lease = this.#lease;
    return answer.catch((error) => {
      if (this.#lease === lease && isLoss(error)) this.#lose();
      throw error;
    });
  }

  /**
   * What speaks against a transaction now. It is said once: after it the client watches nothing.
   *
   * @returns {string | undefined}
   */
  takeObjection() {
    if (this.#lease !== undefined && !this.#lessor.isLeaseAlive(this.#lease)) this.#lose();
    const objection = this.#dirty ?? (this.#isWatching && this.#isLost ? RECONNECTED : undefined);
    if (objection !== undefined) this.end(false);
    return objection;
  }

  /**
   * Nothing is watched any more.
   *
   * @param {boolean} isClean whether the server says so too; otherwise its connection is closed
   */
  end(isClean) {
    this.#giveBack(isClean);
    this.#isWatching = this.#isLost = false;
    this.#dirty = undefined;
  }

  #take() {
    const lease = this.#lessor.lease();
    this.#lease = lease;
    forgotten.register(this, { lessor: this.#lessor, lease }, this);
  }

  #lose() {
    this.#giveBack(false);
    this.#isLost = true;
  }

  /** @param {boolean} isClean */
  #giveBack(isClean) {
    if (this.#lease === undefined) return;
    forgotten.unregister(this);
    this.#lessor.release(this.#lease, isClean);
    this.#lease = undefined;
  }
}

/** @param {unknown} error of a command */
function isLoss(error) {
  return !(
    error instanceof ErrorReply || error instanceof TimeoutError || error instanceof AbortError ||
    error instanceof TypeError || error instanceof RangeError
  );
}

module.exports = { Watch };
