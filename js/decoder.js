'use strict';
// Reads the engine's tape: shape words beside payload bytes become JavaScript values. The only file
// that knows the layout; src/resp/tape.rs describes it, and a test compares the numbers.

const { BlobError, SimpleError, failureError } = require('./errors');
const { VerbatimString } = require('./definitions');
const { AS } = require('./type-mapping');

// Plain constants: the switch below is compiled into a jump table.
const NULL = 0;
const INT = 1;
const INT64 = 2;
const DOUBLE = 3;
const BOOLEAN = 4;
const BIG_NUMBER = 5;
const SIMPLE = 6;
const SIMPLE_UTF8 = 7;
const BLOB = 8;
const BLOB_UTF8 = 9;
const VERBATIM = 10;
const VERBATIM_UTF8 = 11;
const ERROR = 12;
const BLOB_ERROR = 13;
const ARRAY = 14;
const SET = 15;
const MAP = 16;
const PUSH = 17;
const LARGE = 18;
const FAILURE = 19;
const BITS = 5;
const MASK = (1 << BITS) - 1;

/** The layout, under the names that the engine's source has. */
const TAPE = Object.freeze({
  NULL, INT, INT64, DOUBLE, BOOLEAN, BIG_NUMBER, SIMPLE, SIMPLE_UTF8, BLOB, BLOB_UTF8, VERBATIM,
  VERBATIM_UTF8, ERROR, BLOB_ERROR, ARRAY, SET, MAP, PUSH, LARGE, FAILURE, BITS, MASK,
});

/**
 * The strings of an aggregate are cut out of pieces of this many bytes: one native call per piece
 * instead of one per string (14 ns instead of 70). A cut keeps its piece alive, so this is also what
 * one kept string can hold at most. Larger pieces are not faster: at 64-byte strings the call is
 * shared by 64 already.
 */
const PIECE_BYTES = 4096;
/** Longer strings get a call of their own; less than an eighth of a piece is ever read twice. */
const LONGEST_CUT = PIECE_BYTES >> 3;
/** Below this many strings, pieces cost more than they save. */
const FEWEST_CUTS = 4;
/** Up to this length building a string character by character beats a native call. */
const LONGEST_BUILT = 3;
/** Length of 'txt:'. */
const VERBATIM_PREFIX = 4;

/** Node's own slice methods: `toString` with an encoding does the same, more slowly. */
/** @typedef {Buffer & { latin1Slice(start: number, end: number): string, utf8Slice(start: number, end: number): string }} SliceableBuffer */

/** @type {Uint32Array} */
const NO_WORDS = new Uint32Array(0);
/** @type {Int32Array} */
const NO_INTS = new Int32Array(0);
const NO_BYTES = /** @type {SliceableBuffer} */ (Buffer.alloc(0));

/** Reads one batch of completions after another. */
class Decoder {
  #native;
  #words = NO_WORDS;
  #ints = NO_INTS;
  #bytes = NO_BYTES;
  #at = 0;
  #position = 0;
  /** The piece that strings are cut from: bytes #pieceStart to #pieceEnd as one string. */
  #piece = '';
  #pieceStart = 0;
  #pieceEnd = 0;
  /** Where the payload of the aggregate ends that may be cut; 0 outside of one. */
  #cutEnd = 0;
  /** @type {unknown} */
  #unreadable;
  /** Whether the batch had a string that travels beside the tape. */
  hadLarge = false;

  /** @param {Pick<import('./native-addon').NativeCluster, 'takeLargeString' | 'takeLargeBuffer'>} native */
  constructor(native) {
    this.#native = native;
  }

  /**
   * Starts with a new batch.
   *
   * @param {Uint32Array} words
   * @param {Int32Array} ints the same words, signed
   * @param {Buffer} bytes
   */
  begin(words, ints, bytes) {
    this.#words = words;
    this.#ints = ints;
    this.#bytes = /** @type {SliceableBuffer} */ (bytes);
    this.#at = this.#position = this.#pieceEnd = this.#cutEnd = 0;
    this.hadLarge = false;
  }

  /** Forgets the batch, which may be large, and its last piece. */
  end() {
    this.#words = NO_WORDS;
    this.#ints = NO_INTS;
    this.#bytes = NO_BYTES;
    this.#piece = '';
  }

  /** How many words were read. */
  get at() {
    return this.#at;
  }

  /** The word that precedes each entry's value. */
  ticket() {
    return this.#words[this.#at++];
  }

  /** Whether the next value is an error as a whole, not a value that may have errors inside. */
  nextIsError() {
    const kind = this.#words[this.#at] & MASK;
    return kind === ERROR || kind === BLOB_ERROR || kind === FAILURE;
  }

  /**
   * Reads one whole value.
   *
   * @param {number} as bits of a type mapping
   * @returns {any}
   * @throws what prevented a string from becoming a JavaScript string; the value is skipped
   */
  value(as) {
    const kind = this.#words[this.#at] & MASK;
    this.#cutEnd = kind >= ARRAY && kind <= PUSH ? this.#measure() : 0;
    const value = this.#next(as);
    if (this.#unreadable !== undefined) {
      const error = this.#unreadable;
      this.#unreadable = undefined;
      throw error;
    }
    return value;
  }

  /** Passes over one whole value. */
  skip() {
    for (let open = 1; open > 0; open--) {
      const word = this.#words[this.#at++];
      switch (word & MASK) {
        case INT: this.#at++; break;
        case INT64: this.#at += 2; break;
        case NULL: case BOOLEAN: break;
        case LARGE: this.#native.takeLargeBuffer(); break;
        case ARRAY: case SET: case PUSH: open += word >>> BITS; break;
        case MAP: open += 2 * (word >>> BITS); break;
        case FAILURE: open++; break;
        default: this.#position += word >>> BITS;
      }
    }
  }

  /** Where the payload of the next value ends, or 0 if it has too few strings to be cut. */
  #measure() {
    const words = this.#words;
    let at = this.#at;
    let end = this.#position;
    let strings = 0;
    for (let open = 1; open > 0; open--) {
      const word = words[at++];
      switch (word & MASK) {
        case INT: at++; break;
        case INT64: at += 2; break;
        case NULL: case BOOLEAN: case LARGE: break;
        case ARRAY: case SET: case PUSH: open += word >>> BITS; break;
        case MAP: open += 2 * (word >>> BITS); break;
        case FAILURE: open++; break;
        default: strings++; end += word >>> BITS;
      }
    }
    return strings < FEWEST_CUTS ? 0 : end;
  }

  /**
   * @param {number} as
   * @returns {any}
   */
  #next(as) {
    const word = this.#words[this.#at++];
    const size = word >>> BITS;
    switch (word & MASK) {
      case NULL: return null;
      case INT: return this.#int(as);
      case INT64: return this.#int64(as);
      case DOUBLE: return (as & AS.DOUBLE_STRING) !== 0 ? this.#ascii(size) : parseDouble(this.#ascii(size));
      case BOOLEAN: return size === 1;
      case BIG_NUMBER: return (as & AS.BIG_NUMBER_STRING) !== 0 ? this.#ascii(size) : BigInt(this.#ascii(size));
      case SIMPLE: return (as & AS.SIMPLE_BUFFER) !== 0 ? this.#buffer(size) : this.#ascii(size);
      case SIMPLE_UTF8: return (as & AS.SIMPLE_BUFFER) !== 0 ? this.#buffer(size) : this.#utf8(size);
      case BLOB: return (as & AS.BLOB_BUFFER) !== 0 ? this.#buffer(size) : this.#ascii(size);
      case BLOB_UTF8: return (as & AS.BLOB_BUFFER) !== 0 ? this.#buffer(size) : this.#utf8(size);
      case VERBATIM: return verbatim((as & AS.VERBATIM_BUFFER) !== 0 ? this.#buffer(size) : this.#ascii(size), as);
      case VERBATIM_UTF8: return verbatim((as & AS.VERBATIM_BUFFER) !== 0 ? this.#buffer(size) : this.#utf8(size), as);
      case ERROR: return new SimpleError(this.#utf8(size));
      case BLOB_ERROR: return new BlobError(this.#utf8(size));
      case ARRAY: case PUSH: return this.#array(size, as);
      case SET: return (as & AS.SET_SET) !== 0 ? this.#set(size, as) : this.#array(size, as);
      case MAP: return this.#map(size, as);
      case LARGE: return this.#large(size, as);
      case FAILURE: return failureError(size, this.#next(0));
      default: throw new Error(`unknown kind ${word & MASK} on the tape`);
    }
  }

  /** @param {number} as */
  #int(as) {
    const number = this.#ints[this.#at++];
    return (as & AS.NUMBER_STRING) !== 0 ? String(number) : number;
  }

  /** @param {number} as */
  #int64(as) {
    const low = this.#words[this.#at++];
    const high = this.#ints[this.#at++];
    if ((as & AS.NUMBER_STRING) === 0) return high * 2 ** 32 + low;
    return ((BigInt(high) << 32n) | BigInt(low)).toString();
  }

  /** @param {number} size */
  #ascii(size) {
    const start = this.#position;
    const end = start + size;
    this.#position = end;
    if (end <= this.#pieceEnd) return this.#piece.substring(start - this.#pieceStart, end - this.#pieceStart);
    if (end <= this.#cutEnd && size <= LONGEST_CUT) return this.#cutNewPiece(start, end);
    if (size > LONGEST_BUILT) return this.#bytes.latin1Slice(start, end);
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(this.#bytes[i]);
    return text;
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  #cutNewPiece(start, end) {
    this.#pieceStart = start;
    this.#pieceEnd = Math.min(start + PIECE_BYTES, this.#cutEnd);
    this.#piece = this.#bytes.latin1Slice(start, this.#pieceEnd);
    return this.#piece.substring(0, end - start);
  }

  /** @param {number} size */
  #utf8(size) {
    const start = this.#position;
    this.#position += size;
    return this.#bytes.utf8Slice(start, this.#position);
  }

  /** @param {number} size */
  #buffer(size) {
    const start = this.#position;
    this.#position += size;
    const copy = Buffer.allocUnsafe(size);
    this.#bytes.copy(copy, 0, start, this.#position);
    return copy;
  }

  /**
   * @param {number} size
   * @param {number} as
   */
  #array(size, as) {
    const array = new Array(size);
    for (let i = 0; i < size; i++) array[i] = this.#next(as);
    return array;
  }

  /**
   * @param {number} size
   * @param {number} as
   */
  #set(size, as) {
    const set = new Set();
    for (let i = 0; i < size; i++) set.add(this.#next(as));
    return set;
  }

  /**
   * @param {number} size
   * @param {number} as
   */
  #map(size, as) {
    if ((as & AS.MAP_ARRAY) !== 0) return this.#array(2 * size, as);
    const keysAs = as & ~(AS.BLOB_BUFFER | AS.SIMPLE_BUFFER); // keys are strings in any mapping
    if ((as & AS.MAP_MAP) !== 0) {
      const map = new Map();
      for (let i = 0; i < size; i++) {
        const key = this.#key(as, keysAs);
        map.set(key, this.#next(as));
      }
      return map;
    }
    /** @type {Record<string, unknown>} */
    const object = {};
    for (let i = 0; i < size; i++) {
      const key = this.#key(as, keysAs);
      setOwn(object, typeof key === 'string' ? key : String(key), this.#next(as));
    }
    return object;
  }

  /**
   * Only a key that is itself a string is exempt from the mapping, not the strings inside of one
   * that is an aggregate.
   *
   * @param {number} as
   * @param {number} keysAs
   */
  #key(as, keysAs) {
    const kind = this.#words[this.#at] & MASK;
    return this.#next(kind >= ARRAY && kind <= PUSH ? as : keysAs);
  }

  /**
   * A string that travels beside the tape.
   *
   * @param {number} kind
   * @param {number} as
   */
  #large(kind, as) {
    this.hadLarge = true;
    const isVerbatim = kind === VERBATIM || kind === VERBATIM_UTF8;
    const isSimple = kind === SIMPLE || kind === SIMPLE_UTF8;
    const bit = isVerbatim ? AS.VERBATIM_BUFFER : isSimple ? AS.SIMPLE_BUFFER : AS.BLOB_BUFFER;
    try {
      const whole = (as & bit) !== 0 ? this.#native.takeLargeBuffer() : this.#native.takeLargeString();
      return isVerbatim ? verbatim(whole, as) : whole;
    } catch (error) {
      this.#unreadable ??= error;
      return undefined;
    }
  }
}

/**
 * @param {string | Buffer} whole the format's three letters, a colon, the text
 * @param {number} as
 */
function verbatim(whole, as) {
  if (typeof whole !== 'string') return whole.subarray(VERBATIM_PREFIX);
  const text = whole.slice(VERBATIM_PREFIX);
  if ((as & AS.VERBATIM_OBJECT) === 0) return text;
  return new VerbatimString(whole.slice(0, VERBATIM_PREFIX - 1), text);
}

/** @param {string} text as a server writes doubles */
function parseDouble(text) {
  switch (text) {
    case 'inf': case '+inf': return Infinity;
    case '-inf': return -Infinity;
    case 'nan': return NaN;
    default: return Number(text);
  }
}

/**
 * @param {Record<string, unknown>} object
 * @param {string} name
 * @param {unknown} value
 */
function setOwn(object, name, value) {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

module.exports = { Decoder, TAPE };
