'use strict';
// The JavaScript end of the border: gives each command a ticket, hands a tick's worth of commands
// over in one call, and settles promises when the engine says that answers are ready.

const { AbortError, DisconnectsClientError } = require('./errors');
const { Decoder } = require('./decoder');
const { Lookout } = require('./lookout');
const { Submission } = require('./submission');
const { compileTypeMapping } = require('./type-mapping');
const { Waiting } = require('./waiting');

/** Precedes an event instead of a ticket. */
const EVENT = 0xffffffff;
/** Precedes an answer that nobody waits for. */
const SWALLOWED = 0xfffffffe;
/** Answers that do not fit into these get buffers of their own, for one batch. */
const ANSWER_WORDS = 64 << 10;
const ANSWER_BYTES = 1 << 20;
/** node-redis's default, for commands whose options do not name a timeout. */
const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 0xffffffff;

/** @typedef {import('./native-addon').NativeCluster} NativeCluster */
/** @typedef {import('@redis/client').TypeMapping} TypeMapping */
/** @typedef {import('@redis/client').CommandParser} CommandParser */
/** @typedef {import('./waiting').TransformReply} TransformReply */

/**
 * @typedef {object} CommandOptions
 * @property {number} [timeout]
 * @property {TypeMapping} [typeMapping]
 * @property {AbortSignal} [abortSignal]
 */

/** Runs `flush` when the code that runs now, and the promise callbacks before it, are done. */
const schedule = queueMicrotask;

class Channel {
  #native;
  #onEvent;
  #submission;
  #decoder;
  /** @type {Waiting[]} by ticket */
  #waiting = [];
  /** @type {number[]} */
  #freeTickets = [];
  #isScheduled = false;
  #lookout = new Lookout((sleep) => this.#settleAll(sleep));
  #isSettling = false;
  #isDestroyed = false;
  #words = new Uint32Array(ANSWER_WORDS);
  #ints = new Int32Array(this.#words.buffer);
  #bytes = Buffer.allocUnsafeSlow(ANSWER_BYTES);
  #flushTick = () => {
    this.#isScheduled = false;
    this.flush();
  };

  /**
   * @param {NativeCluster} native
   * @param {(name: string, details: unknown[]) => void} onEvent
   */
  constructor(native, onEvent) {
    this.#native = native;
    this.#onEvent = onEvent;
    this.#submission = new Submission(native.submit.bind(native), (tickets, error) => {
      for (const ticket of tickets) this.#reject(ticket, error);
    });
    this.#decoder = new Decoder(native);
  }

  /**
   * Sends a command.
   *
   * @param {CommandParser} parser that has parsed it
   * @param {boolean | undefined} readonly whether a replica may serve it; the engine decides if unknown
   * @param {CommandOptions | undefined} options
   * @param {TransformReply | undefined} transform
   * @returns {Promise<unknown>}
   */
  submit(parser, readonly, options, transform) {
    const ticket = this.#takeTicket();
    const waiting = this.#waiting[ticket];
    const promise = waiting.begin();
    waiting.transform = transform;
    waiting.preserve = parser.preserve;
    let timeout = DEFAULT_TIMEOUT_MS;
    try {
      if (options !== undefined && options !== null) {
        timeout = timeoutOf(options);
        waiting.typeMapping = options.typeMapping;
        waiting.as = compileTypeMapping(options.typeMapping);
        if (options.abortSignal) this.#listen(ticket, waiting, options.abortSignal);
      } else waiting.as = 0;
      this.#submission.pack(ticket, parser.redisArgs, parser.firstKey, readonly, timeout);
    } catch (error) {
      this.#reject(ticket, error);
      return promise;
    }
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      schedule(this.#flushTick);
    }
    return promise;
  }

  /**
   * Asks the engine for something that is not a command, after all commands before it.
   *
   * @param {(ticket: number) => void} ask
   * @returns {Promise<unknown>}
   */
  request(ask) {
    this.flush();
    const ticket = this.#takeTicket();
    const waiting = this.#waiting[ticket];
    const promise = waiting.begin();
    waiting.as = 0;
    try {
      ask(ticket);
    } catch (error) {
      this.#reject(ticket, error);
    }
    return promise;
  }

  /** Hands over what was submitted so far. */
  flush() {
    if (!this.#submission.flush()) return;
    this.#lookout.onSent(this.#waiting.length - this.#freeTickets.length);
  }

  /** The engine has answers. It asks once, until we have looked for more in vain. */
  settle() {
    this.#lookout.onCall();
  }

  /**
   * @param {boolean} sleep whether the engine is to ask again if there is nothing
   * @returns {boolean} whether there was something
   */
  #settleAll(sleep) {
    if (this.#isSettling || this.#isDestroyed) return false;
    this.#isSettling = true;
    try {
      if (!this.#settleBatch(sleep)) return false;
      while (this.#settleBatch(false));
      return true;
    } finally {
      this.#isSettling = false;
    }
  }

  /** Ends it at once: what was answered is settled, everything else is rejected. */
  destroy() {
    this.flush();
    this.#native.destroy();
    this.#settleAll(false);
    this.#isDestroyed = true;
    this.fail(new DisconnectsClientError());
  }

  /**
   * Rejects everything that still waits.
   *
   * @param {Error} error
   */
  fail(error) {
    for (let ticket = 0; ticket < this.#waiting.length; ticket++) this.#reject(ticket, error);
  }

  /**
   * @param {boolean} sleep
   * @returns {boolean} whether there was one
   */
  #settleBatch(sleep) {
    let words = this.#words;
    let ints = this.#ints;
    let bytes = this.#bytes;
    let count = this.#native.take(words, bytes, sleep);
    if (count === -1) {
      words = new Uint32Array(this.#native.pendingWords());
      ints = new Int32Array(words.buffer);
      bytes = Buffer.allocUnsafeSlow(this.#native.pendingBytes());
      count = this.#native.take(words, bytes, sleep);
    }
    if (count <= 0) return false;
    const decoder = this.#decoder;
    decoder.begin(words, ints, bytes);
    while (decoder.at < count && !this.#isDestroyed) this.#settleEntry(decoder.ticket());
    decoder.end();
    return !this.#isDestroyed;
  }

  /** @param {number} ticket */
  #settleEntry(ticket) {
    const decoder = this.#decoder;
    if (ticket === EVENT) {
      const [name, ...details] = decoder.value(0);
      this.#onEvent(name, details);
      return;
    }
    if (ticket === SWALLOWED) {
      decoder.value(0);
      return;
    }
    const isError = decoder.nextIsError();
    const waiting = this.#waiting[ticket];
    try {
      const reply = decoder.value(waiting.as);
      if (isError) return this.#reject(ticket, reply);
      const { resolve, transform, preserve, typeMapping } = waiting;
      const value = transform === undefined ? reply : transform(reply, preserve, typeMapping);
      // A transform is user code that may have ended the cluster, and rejected this very command.
      if (waiting.resolve !== resolve) return;
      this.#free(ticket, waiting);
      /** @type {(value: unknown) => void} */ (resolve)(value);
    } catch (error) {
      this.#reject(ticket, error);
    }
  }

  /**
   * @param {number} ticket
   * @param {unknown} error
   */
  #reject(ticket, error) {
    const waiting = this.#waiting[ticket];
    const { reject } = waiting;
    if (reject === undefined) return;
    this.#free(ticket, waiting);
    reject(error);
  }

  #takeTicket() {
    return this.#freeTickets.pop() ?? this.#waiting.push(new Waiting()) - 1;
  }

  /**
   * @param {number} ticket
   * @param {Waiting} waiting
   */
  #free(ticket, waiting) {
    waiting.release();
    this.#freeTickets.push(ticket);
  }

  /**
   * @param {number} ticket
   * @param {Waiting} waiting
   * @param {AbortSignal} signal
   */
  #listen(ticket, waiting, signal) {
    if (signal.aborted) throw new AbortError();
    const onAbort = () => {
      this.flush();
      this.#native.cancel(ticket);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.signal = signal;
    waiting.onAbort = onAbort;
  }
}

/**
 * @param {CommandOptions} options
 * @returns {number} milliseconds, 0 for none
 */
function timeoutOf(options) {
  const { timeout } = options;
  if (timeout === undefined) return 'timeout' in options ? 0 : DEFAULT_TIMEOUT_MS;
  if (!timeout) return 0;
  // The method that node-redis hands the number to refuses others with just the right error.
  if (!Number.isInteger(timeout) || timeout < 0 || timeout > MAX_TIMEOUT_MS) AbortSignal.timeout(timeout);
  return timeout;
}

module.exports = { Channel };
