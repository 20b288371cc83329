'use strict';
// The JavaScript end of the border: gives each command a ticket, hands a tick's worth of commands
// over in one call, and settles promises when the engine says that answers are ready.

const { AbortError, DisconnectsClientError } = require('./errors');
const { Decoder } = require('./decoder');
const { Lookout } = require('./lookout');
const { Submission } = require('./submission');
const { compileTypeMapping } = require('./type-mapping');
const { PLACE_MASK, Waiting } = require('./waiting');

/** Precedes an event instead of a ticket. */
const EVENT = 0xffffffff;
/** Answers that do not fit into these get buffers of their own, for one batch. */
const ANSWER_WORDS = 64 << 10;
const ANSWER_BYTES = 1 << 20;
/** node-redis's default, for commands whose options do not name a timeout. */
const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 0xffffffff;
/** What the engine can count; it is 24 days. */
const LONGEST_TIMEOUT_MS = 0x7fffffff;

/** @typedef {import('./native-addon').NativeCluster} NativeCluster */
/** @typedef {import('@redis/client').TypeMapping} TypeMapping */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {Pick<import('@redis/client').CommandParser, 'redisArgs' | 'firstKey' | 'preserve'>} CommandParser */
/** @typedef {import('./waiting').TransformReply} TransformReply */

/**
 * @typedef {object} CommandOptions
 * @property {number} [timeout]
 * @property {number} [responseTimeout]
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
  /** @type {Waiting[]} by the place in their tickets */
  #waiting = [];
  /** @type {Waiting[]} those of them that nobody uses */
  #free = [];
  #isScheduled = false;
  #lookout = new Lookout((sleep) => this.#settleAll(sleep));
  #isDestroyed = false;
  /** Where the batch ends that is being settled. */
  #end = 0;
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
    // An engine that throws may have sent some of the tick all the same: it cannot go on.
    this.#submission = new Submission(native.submit.bind(native), (error) => {
      this.fail(error);
      this.#tell('fatal', [error instanceof Error ? error.message : String(error)]);
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
   * @param {number} [destination] of `NativeCluster.destination`: the one node that may serve it
   * @returns {Promise<unknown>}
   */
  submit(parser, readonly, options, transform, destination) {
    const waiting = this.#take();
    if (waiting === undefined) return Promise.reject(tooMany());
    const promise = waiting.begin();
    waiting.transform = transform;
    waiting.preserve = parser.preserve;
    let timeout = DEFAULT_TIMEOUT_MS;
    let responseTimeout = 0;
    try {
      if (options !== undefined && options !== null) {
        timeout = timeoutOf(options);
        if (options.responseTimeout) responseTimeout = checkTimeout(options.responseTimeout);
        waiting.typeMapping = options.typeMapping;
        waiting.as = compileTypeMapping(options.typeMapping);
        if (options.abortSignal) this.#listen(waiting, options.abortSignal);
      } else waiting.as = 0;
      this.#submission.pack(
        waiting.ticket, parser.redisArgs, parser.firstKey, readonly, timeout, responseTimeout, destination,
      );
    } catch (error) {
      this.#reject(waiting, error);
      return promise;
    }
    this.#schedule();
    return promise;
  }

  /**
   * Sends a transaction. It has no deadline, like node-redis's.
   *
   * @param {import('./submission').Part[]} commands
   * @param {RedisArgument | undefined} key that decides the slot
   * @param {number} [destination] the one node that may serve it
   * @returns {Promise<any>} EXEC's reply
   */
  submitTransaction(commands, key, destination) {
    const waiting = this.#take();
    if (waiting === undefined) return Promise.reject(tooMany());
    const promise = waiting.begin();
    waiting.as = 0;
    try {
      this.#submission.packTransaction(waiting.ticket, commands, key, destination);
    } catch (error) {
      this.#reject(waiting, error);
      return promise;
    }
    this.#schedule();
    return promise;
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    schedule(this.#flushTick);
  }

  /**
   * Asks the engine for something that is not a command, after all commands before it.
   *
   * @param {(ticket: number) => void} ask
   * @returns {Promise<unknown>}
   */
  request(ask) {
    this.flush();
    const waiting = this.#take();
    if (waiting === undefined) return Promise.reject(tooMany());
    const promise = waiting.begin();
    waiting.as = 0;
    try {
      ask(waiting.ticket);
    } catch (error) {
      this.#reject(waiting, error);
    }
    return promise;
  }

  /** Hands over what was submitted so far. */
  flush() {
    if (!this.#submission.flush()) return;
    this.#lookout.onSent(this.#waiting.length - this.#free.length);
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
    if (this.#isDestroyed || !this.#settleBatch(sleep)) return false;
    // Large values hold the loop by themselves: one batch of them is enough for one turn.
    while (!this.#decoder.hadLarge && this.#settleBatch(false));
    return true;
  }

  /**
   * Ends it at once: what was answered is settled, everything else is rejected. It may be a listener
   * or a transform that asks for it, in the middle of a batch: the rest of the batch comes first.
   */
  destroy() {
    if (this.#isDestroyed) return;
    this.flush();
    this.#native.destroy();
    this.#settleRest();
    while (this.#settleBatch(false));
    this.#isDestroyed = true;
    this.fail(new DisconnectsClientError());
  }

  /**
   * Rejects everything that still waits.
   *
   * @param {unknown} error
   */
  fail(error) {
    for (const waiting of this.#waiting) this.#reject(waiting, error);
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
    this.#decoder.begin(words, ints, bytes);
    this.#end = count;
    this.#settleRest();
    this.#decoder.end();
    return true;
  }

  /** Settles what is left of the batch. */
  #settleRest() {
    const decoder = this.#decoder;
    while (decoder.at < this.#end) this.#settleEntry(decoder.ticket());
    this.#end = 0;
  }

  /** @param {number} ticket */
  #settleEntry(ticket) {
    const decoder = this.#decoder;
    if (ticket === EVENT) {
      const [name, ...details] = decoder.value(0);
      this.#tell(name, details);
      return;
    }
    const waiting = this.#waiting[ticket & PLACE_MASK];
    if (waiting?.ticket !== ticket || waiting.resolve === undefined) {
      // Nobody's, or too late: rejected already, for example because the cluster was ended.
      decoder.skip();
      return;
    }
    const isError = decoder.nextIsError();
    try {
      const reply = decoder.value(waiting.as);
      if (isError) return this.#reject(waiting, reply);
      const { resolve, transform, preserve, typeMapping } = waiting;
      const value = transform === undefined ? reply : transform(reply, preserve, typeMapping);
      // A transform is user code that may have ended the cluster, and rejected this very command.
      if (waiting.resolve !== resolve) return;
      this.#release(waiting);
      resolve(value);
    } catch (error) {
      this.#reject(waiting, error);
    }
  }

  /**
   * What an event leads to must not stop the answers behind it.
   *
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, details) {
    try {
      this.#onEvent(name, details);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  }

  /**
   * @param {Waiting} waiting
   * @param {unknown} error
   */
  #reject(waiting, error) {
    const { reject } = waiting;
    if (reject === undefined) return;
    this.#release(waiting);
    reject(error);
  }

  /** @returns {Waiting | undefined} undefined: all places are taken */
  #take() {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const place = this.#waiting.length;
    if (place > PLACE_MASK) return undefined;
    const added = new Waiting(place);
    this.#waiting.push(added);
    return added;
  }

  /** @param {Waiting} waiting */
  #release(waiting) {
    waiting.release();
    this.#free.push(waiting);
  }

  /**
   * @param {Waiting} waiting
   * @param {AbortSignal} signal
   */
  #listen(waiting, signal) {
    if (signal.aborted) throw new AbortError();
    const { ticket } = waiting;
    const onAbort = () => {
      this.flush();
      this.#native.cancel(ticket);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.signal = signal;
    waiting.onAbort = onAbort;
  }
}

function tooMany() {
  return new RangeError(`more than ${PLACE_MASK} commands are on their way`);
}

/**
 * @param {CommandOptions} options
 * @returns {number} milliseconds, 0 for none
 */
function timeoutOf(options) {
  const { timeout } = options;
  if (timeout === undefined) return 'timeout' in options ? 0 : DEFAULT_TIMEOUT_MS;
  return timeout ? checkTimeout(timeout) : 0;
}

/** @param {number} timeout */
function checkTimeout(timeout) {
  // The method that node-redis hands the number to refuses others with just the right error.
  if (!Number.isInteger(timeout) || timeout < 0 || timeout > MAX_TIMEOUT_MS) AbortSignal.timeout(timeout);
  return Math.min(timeout, LONGEST_TIMEOUT_MS);
}

module.exports = { Channel };
