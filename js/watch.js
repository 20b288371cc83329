'use strict';
// WATCH of one client: from its first key to EXEC, UNWATCH or the end, the client has a connection of
// its own, so that clients of one node do not end each other's watches.

const { AbortError, ErrorReply, TimeoutError, WatchError } = require('./errors');

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
    const lease = this.#lease ?? this.#take();
    try {
      const reply = await send();
      if (this.#lease === lease) this.#isWatching = true;
      return reply;
    } catch (error) {
      if (this.#lease === lease && !this.#isWatching) this.#giveBack(this.#detach(), error);
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
   * Ends what is watched by something that the server is told, EXEC or UNWATCH. What the client does
   * from now on is no longer part of it.
   *
   * @template T
   * @param {(lease: number | undefined) => Promise<T>} send
   * @returns {Promise<T>}
   */
  async endBy(send) {
    const lease = this.#detach();
    try {
      const reply = await send(lease);
      this.#giveBack(lease, undefined);
      return reply;
    } catch (error) {
      this.#giveBack(lease, error);
      throw error;
    }
  }

  /** @throws {WatchError} if something speaks against a transaction now: once, then nothing is watched */
  check() {
    if (this.#lease !== undefined && !this.#lessor.isLeaseAlive(this.#lease)) this.#lose();
    const objection = this.#dirty ?? (this.#isWatching && this.#isLost ? RECONNECTED : undefined);
    if (objection === undefined) return;
    this.end();
    throw new WatchError(objection);
  }

  /** Nothing is watched any more; the connection is closed. */
  end() {
    this.#dirty = undefined;
    this.#close();
  }

  #close() {
    const lease = this.#detach();
    if (lease !== undefined) this.#lessor.release(lease, false);
  }

  #take() {
    const lease = this.#lessor.lease();
    this.#lease = lease;
    forgotten.register(this, { lessor: this.#lessor, lease }, this);
    return lease;
  }

  /** @returns {number | undefined} the lease, which is no longer this client's */
  #detach() {
    const lease = this.#lease;
    if (lease !== undefined) forgotten.unregister(this);
    this.#lease = undefined;
    this.#isWatching = this.#isLost = false;
    return lease;
  }

  /** What was watched is lost, and the next transaction must not run. */
  #lose() {
    const isWatching = this.#isWatching;
    this.#close();
    this.#isWatching = isWatching;
    this.#isLost = true;
  }

  /**
   * @param {number | undefined} lease
   * @param {unknown} error of the last command over it, if it failed
   */
  #giveBack(lease, error) {
    if (lease !== undefined) this.#lessor.release(lease, error === undefined || error instanceof ErrorReply);
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
