'use strict';
// Packs commands into the two buffers that go to the engine in one call: words that describe them,
// and the bytes of their arguments.
//
// Per command: ticket; argument count (low 24 bits) and flags; index of the routing key among the
// arguments; timeout in ms (0: none); then the byte length of each argument, that of a routing key that
// is not among them, and the response timeout in ms if there is one.
//
// Per transaction: ticket; number of commands and flags; no key; no timeout; then per command its
// argument count and flags, the index of its first key, and the byte length of each argument; then the
// byte length of a routing key that is not the first key of a command.

/** Room for about 5,000 usual commands; a tick that has more goes over in several calls. */
const BASE_WORDS = 32 << 10;
const BASE_BYTES = 1 << 20;
/** Grown room for bytes is kept up to this size, and for so many calls that do not need it. */
const KEPT_BYTES = 4 << 20;
const KEPT_CALLS = 1024;
/** Up to this length a loop over the characters beats a native call. */
const LONGEST_LOOP = 24;
/** UTF-8 needs at most three bytes per UTF-16 unit. */
const UTF8_PER_UNIT = 3;

const HEADER_WORDS = 4;
/** Words that may follow the lengths: of the extra key, a response timeout, a destination. */
const MOST_TRAILING_WORDS = 3;
/** What fits into a word. Servers take 512 MB. */
const LONGEST_ARGUMENT = 0xffffffff;
const MAX_ARGUMENTS = (1 << 24) - 1;
const FLAGS_SHIFT = 24;
const READONLY_UNSPECIFIED = 0;
const READONLY_TRUE = 1;
const READONLY_FALSE = 2;
/** The routing key is not among the arguments and follows them. */
const EXTRA_KEY = 4;
/** A response timeout follows. */
const RESPONSE_TIMEOUT = 8;
/** A destination follows. */
const DESTINATION = 32;
/** It is a transaction. */
const UNIT = 16;
/** Words of a transaction's command before the lengths. */
const PART_WORDS = 2;
const KEYLESS = 0xffffffff;
const NOT_AN_ARGUMENT = -1;

/** @typedef {Buffer & { utf8Write(text: string, offset: number): number }} WritableBuffer */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

/** @typedef {{ redisArgs: ReadonlyArray<RedisArgument>, firstKey: RedisArgument | undefined, readonly: boolean | undefined }} Part of a transaction */

/** What waits to be handed over. */
class Submission {
  #hand;
  #onRefused;
  #words = new Uint32Array(BASE_WORDS);
  #base = asWritable(BASE_BYTES);
  #bytes = this.#base;
  #wordCount = 0;
  #byteCount = 0;
  /** @type {WritableBuffer | undefined} room for large commands, between two of them */
  #grown;
  #callsWithoutGrown = 0;

  /**
   * @param {(words: Uint32Array, wordCount: number, bytes: Uint8Array, byteCount: number) => void} hand
   *   takes what is packed; the buffers are used again when it returns
   * @param {(error: unknown) => void} onRefused called if it throws instead
   */
  constructor(hand, onRefused) {
    this.#hand = hand;
    this.#onRefused = onRefused;
  }

  /**
   * Copies a command. If this throws, nothing of the command is left behind.
   *
   * @param {number} ticket
   * @param {ReadonlyArray<RedisArgument>} args
   * @param {RedisArgument | undefined} key that decides the slot
   * @param {boolean | undefined} readonly what the caller says about replicas
   * @param {number} timeout in ms, 0 for none
   * @param {number} responseTimeout in ms, 0 for none
   * @param {number} [destination] the one node that it is for, whatever its key
   * @throws {TypeError} for an argument that is neither a string nor a Buffer
   */
  pack(ticket, args, key, readonly, timeout, responseTimeout, destination) {
    const keyIndex = key === undefined || key === null ? KEYLESS : indexOfKey(args, key);
    const extraKey = keyIndex === NOT_AN_ARGUMENT ? key : undefined;
    let room = roomOf(args);
    if (extraKey !== undefined) room += byteBound(extraKey, 'firstKey');
    const wordCount = HEADER_WORDS + args.length + MOST_TRAILING_WORDS;
    if (!this.#fits(wordCount, room)) this.#makeRoom(wordCount, room, [args], extraKey);

    let flags = readonlyFlag(readonly);
    if (extraKey !== undefined) flags |= EXTRA_KEY;
    if (responseTimeout !== 0) flags |= RESPONSE_TIMEOUT;
    if (destination !== undefined) flags |= DESTINATION;
    const words = this.#words;
    let at = this.#wordCount;
    words[at] = ticket;
    words[at + 1] = args.length | (flags << FLAGS_SHIFT);
    words[at + 2] = keyIndex;
    words[at + 3] = timeout;
    at += HEADER_WORDS;
    for (let i = 0; i < args.length; i++) words[at++] = this.#write(args[i]);
    if (extraKey !== undefined) words[at++] = this.#write(extraKey);
    if (responseTimeout !== 0) words[at++] = responseTimeout;
    if (destination !== undefined) words[at++] = destination;
    this.#finish(at);
  }

  /**
   * Copies a transaction. If this throws, nothing of it is left behind.
   *
   * @param {number} ticket
   * @param {ReadonlyArray<Part>} commands
   * @param {RedisArgument | undefined} key that decides the slot
   * @param {number} [destination] the one node that it is for, whatever its keys
   * @throws {TypeError} for an argument that is neither a string nor a Buffer
   */
  packTransaction(ticket, commands, key, destination) {
    const first = commands.find(({ firstKey }) => firstKey !== undefined);
    const isFirst = key !== undefined && first?.firstKey === key && first.redisArgs.includes(key);
    const extraKey = isFirst || key === null ? undefined : key;
    let room = extraKey === undefined ? 0 : byteBound(extraKey, 'firstKey');
    let wordCount = HEADER_WORDS + MOST_TRAILING_WORDS;
    for (const { redisArgs } of commands) {
      room += roomOf(redisArgs);
      wordCount += PART_WORDS + redisArgs.length;
    }
    if (!this.#fits(wordCount, room)) {
      this.#makeRoom(wordCount, room, commands.map(({ redisArgs }) => redisArgs), extraKey);
    }

    const words = this.#words;
    let at = this.#wordCount;
    words[at] = ticket;
    let flags = extraKey === undefined ? UNIT : UNIT | EXTRA_KEY;
    if (destination !== undefined) flags |= DESTINATION;
    words[at + 1] = commands.length | (flags << FLAGS_SHIFT);
    words[at + 2] = KEYLESS;
    words[at + 3] = 0;
    at += HEADER_WORDS;
    for (const { redisArgs, firstKey, readonly } of commands) {
      words[at] = redisArgs.length | (readonlyFlag(readonly) << FLAGS_SHIFT);
      // One that is not among the arguments leads past their end.
      words[at + 1] = firstKey === undefined || firstKey === null ? KEYLESS : indexOfKey(redisArgs, firstKey);
      at += PART_WORDS;
      for (let i = 0; i < redisArgs.length; i++) words[at++] = this.#write(redisArgs[i]);
    }
    if (extraKey !== undefined) words[at++] = this.#write(extraKey);
    if (destination !== undefined) words[at++] = destination;
    this.#finish(at);
  }

  /** @param {number} wordCount with what has been packed just now */
  #finish(wordCount) {
    this.#wordCount = wordCount;
    if (this.#words.length > BASE_WORDS || this.#bytes.length > BASE_BYTES) this.flush();
  }

  /**
   * Hands over what is packed.
   *
   * @returns {boolean} whether there was anything
   */
  flush() {
    if (this.#wordCount === 0) return false;
    const words = this.#words;
    const bytes = this.#bytes;
    const wordCount = this.#wordCount;
    const byteCount = this.#byteCount;
    this.#wordCount = this.#byteCount = 0;
    // What only one command needed is not kept.
    if (words.length > BASE_WORDS) this.#words = new Uint32Array(BASE_WORDS);
    if (bytes.length > BASE_BYTES) this.#shrink();
    else if (this.#grown !== undefined && ++this.#callsWithoutGrown > KEPT_CALLS) this.#grown = undefined;
    try {
      this.#hand(words, wordCount, bytes, byteCount);
    } catch (error) {
      this.#onRefused(error);
    }
    return true;
  }

  /**
   * @param {number} words
   * @param {number} bytes
   */
  #fits(words, bytes) {
    return this.#wordCount + words <= BASE_WORDS && this.#byteCount + bytes <= BASE_BYTES;
  }

  /**
   * Hands over what is before a command, and grows for one that is larger than the buffers.
   *
   * @param {number} words at most
   * @param {number} bound of its bytes
   * @param {ReadonlyArray<ReadonlyArray<RedisArgument>>} lists its arguments, or those of its commands
   * @param {RedisArgument | undefined} extraKey
   */
  #makeRoom(words, bound, lists, extraKey) {
    const longest = lists.reduce((most, { length }) => Math.max(most, length), lists.length);
    if (longest > MAX_ARGUMENTS) {
      throw new RangeError(`a command can have ${MAX_ARGUMENTS} arguments, this one has ${longest}`);
    }
    this.flush();
    if (words > BASE_WORDS) this.#words = new Uint32Array(words);
    if (bound <= BASE_BYTES) return;
    let bytes = extraKey === undefined ? 0 : Buffer.byteLength(extraKey);
    for (const args of lists) for (const arg of args) bytes += Buffer.byteLength(arg);
    if (bytes > BASE_BYTES) this.#grow(bytes);
  }

  /**
   * Programs that write large values write many, and fresh memory costs as much as the copy into it.
   *
   * @param {number} size
   */
  #grow(size) {
    const fits = this.#grown !== undefined && this.#grown.length >= size;
    this.#bytes = fits ? /** @type {WritableBuffer} */ (this.#grown) : asWritable(size);
  }

  /** Back to the usual buffer, after a large command. */
  #shrink() {
    this.#grown = this.#bytes.length > KEPT_BYTES ? undefined : this.#bytes;
    this.#callsWithoutGrown = 0;
    this.#bytes = this.#base;
  }

  /**
   * @param {RedisArgument} arg
   * @returns {number} its length in bytes
   */
  #write(arg) {
    const start = this.#byteCount;
    const length = typeof arg === 'string' ? this.#writeString(arg, start) : arg.length;
    if (typeof arg !== 'string') this.#bytes.set(arg, start);
    this.#byteCount = start + length;
    return length;
  }

  /**
   * @param {string} text
   * @param {number} start
   */
  #writeString(text, start) {
    const bytes = this.#bytes;
    const length = text.length;
    if (length > LONGEST_LOOP) return bytes.utf8Write(text, start);
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return bytes.utf8Write(text, start);
      bytes[start + i] = unit;
    }
    return length;
  }
}

/** @param {boolean | undefined} readonly */
function readonlyFlag(readonly) {
  if (readonly === undefined) return READONLY_UNSPECIFIED;
  return readonly ? READONLY_TRUE : READONLY_FALSE;
}

/**
 * @param {ReadonlyArray<RedisArgument>} args of one command
 * @returns {number} how many bytes they take at most
 */
function roomOf(args) {
  // It would go out as nothing that a server answers, and the next answer would be taken for its.
  if (args.length === 0) throw new TypeError('a command needs a name');
  let room = 0;
  for (let i = 0; i < args.length; i++) room += byteBound(args[i], i);
  return room;
}

/**
 * @param {ReadonlyArray<RedisArgument>} args
 * @param {RedisArgument} key
 */
function indexOfKey(args, key) {
  return args[1] === key ? 1 : args.indexOf(key);
}

/**
 * @param {RedisArgument} arg
 * @param {number | string} place its index, or its name
 * @returns {number} how many bytes it takes at most
 */
function byteBound(arg, place) {
  if (typeof arg === 'string') return arg.length * UTF8_PER_UNIT;
  if (arg instanceof Buffer) {
    if (arg.length > LONGEST_ARGUMENT) {
      throw new RangeError(`an argument can have ${LONGEST_ARGUMENT} bytes, this one has ${arg.length}`);
    }
    return arg.length;
  }
  const name = typeof place === 'number' ? `arguments[${place}]` : place;
  throw new TypeError(`"${name}" must be of type "string | Buffer", got ${typeof arg} instead.`);
}

/** @param {number} size */
function asWritable(size) {
  return /** @type {WritableBuffer} */ (Buffer.allocUnsafeSlow(size));
}

module.exports = { Submission };
