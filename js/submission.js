'use strict';
// Packs commands into the two buffers that go to the engine in one call: words that describe them,
// and the bytes of their arguments.
//
// Per command: ticket; argument count (low 24 bits) and flags; index of the routing key among the
// arguments; timeout in ms (0: none); then the byte length of each argument, that of a routing key that
// is not among them, and the response timeout in ms if there is one.

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
const KEYLESS = 0xffffffff;
const NOT_AN_ARGUMENT = -1;

/** @typedef {Buffer & { utf8Write(text: string, offset: number): number }} WritableBuffer */
/** @typedef {import('@redis/client').RedisArgument} RedisArgument */

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
    // It would go out as nothing that a server answers, and the next answer would be taken for its.
    if (args.length === 0) throw new TypeError('a command needs a name');
    const keyIndex = key === undefined || key === null ? KEYLESS : indexOfKey(args, key);
    const extraKey = keyIndex === NOT_AN_ARGUMENT ? key : undefined;
    let room = 0;
    for (let i = 0; i < args.length; i++) room += byteBound(args[i], i);
    if (extraKey !== undefined) room += byteBound(extraKey, 'firstKey');
    this.#makeRoom(args, extraKey, room);

    let flags = readonly === undefined ? READONLY_UNSPECIFIED : readonly ? READONLY_TRUE : READONLY_FALSE;
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
    this.#wordCount = at;
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
   * Makes sure that a command fits: hands over what is before it, and grows for a command that is
   * larger than the buffers.
   *
   * @param {ReadonlyArray<RedisArgument>} args
   * @param {RedisArgument | undefined} extraKey
   * @param {number} bound of its bytes
   */
  #makeRoom(args, extraKey, bound) {
    const words = HEADER_WORDS + args.length + MOST_TRAILING_WORDS;
    if (this.#wordCount + words <= BASE_WORDS && this.#byteCount + bound <= BASE_BYTES) return;
    if (args.length > MAX_ARGUMENTS) {
      throw new RangeError(`a command can have ${MAX_ARGUMENTS} arguments, this one has ${args.length}`);
    }
    this.flush();
    if (words > BASE_WORDS) this.#words = new Uint32Array(words);
    if (bound <= BASE_BYTES) return;
    let bytes = extraKey === undefined ? 0 : Buffer.byteLength(extraKey);
    for (const arg of args) bytes += Buffer.byteLength(arg);
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
