// Writes RESP values, described as plain objects, in the engine's flat form and as RESP3 text: one
// description, two encodings, so that our decoder can be compared with node-redis's.

import { createRequire } from 'node:module';

const { TAPE } = createRequire(import.meta.url)('../../js/decoder.js');

/** Precedes an event instead of a ticket. */
export const EVENT = 0xffffffff;

const STRINGS = { simple: [TAPE.SIMPLE, '+'], blob: [TAPE.BLOB, '$'], verbatim: [TAPE.VERBATIM, '='] };
const TEXTS = { error: [TAPE.ERROR, '-'], double: [TAPE.DOUBLE, ','], bigNumber: [TAPE.BIG_NUMBER, '('] };
const AGGREGATES = { array: [TAPE.ARRAY, '*'], set: [TAPE.SET, '~'], map: [TAPE.MAP, '%'] };

const isAscii = (bytes) => bytes.every((byte) => byte < 128);
const toBytes = (text) => (Buffer.isBuffer(text) ? text : Buffer.from(String(text)));

export class TapeWriter {
  #words = [];
  #bytes = [];
  #large = [];

  word(word) {
    this.#words.push(word >>> 0);
  }

  finish() {
    return { words: this.#words, bytes: Buffer.concat(this.#bytes), large: this.#large };
  }

  #shape(kind, size) {
    this.word(kind | (size << TAPE.BITS));
  }

  value(value) {
    const { type, text, items } = value;
    if (type === 'null') this.#shape(TAPE.NULL, 0);
    else if (type === 'boolean') this.#shape(TAPE.BOOLEAN, value.value ? 1 : 0);
    else if (type === 'number') this.#number(BigInt(value.value));
    else if (type === 'failure') this.#failure(value);
    else if (type in AGGREGATES) this.#aggregate(AGGREGATES[type][0], items, type === 'map');
    else if (type in STRINGS) this.#string(STRINGS[type][0], toBytes(text), value.isLarge);
    else if (type === 'unreadable') this.#unreadable(value.error);
    else this.#text(type === 'blobError' ? TAPE.BLOB_ERROR : TEXTS[type][0], toBytes(text));
  }

  #number(number) {
    if (number >= -(2n ** 31n) && number < 2n ** 31n) {
      this.#shape(TAPE.INT, 0);
      this.word(Number(number));
      return;
    }
    this.#shape(TAPE.INT64, 0);
    this.word(Number(number & 0xffffffffn));
    this.word(Number((number >> 32n) & 0xffffffffn));
  }

  #failure({ code, details }) {
    this.#shape(TAPE.FAILURE, code);
    this.value(details ?? { type: 'null' });
  }

  #aggregate(kind, items, isMap) {
    this.#shape(kind, isMap ? items.length / 2 : items.length);
    for (const item of items) this.value(item);
  }

  #string(asciiKind, bytes, isLarge) {
    const kind = isAscii(bytes) ? asciiKind : asciiKind + 1;
    if (!isLarge) return this.#text(kind, bytes);
    this.#shape(TAPE.LARGE, kind);
    this.#large.push(bytes);
  }

  #unreadable(error) {
    this.#shape(TAPE.LARGE, TAPE.BLOB);
    this.#large.push(error);
  }

  #text(kind, bytes) {
    this.#shape(kind, bytes.length);
    this.#bytes.push(bytes);
  }
}

/** The same value as a server sends it. */
export function toResp(value) {
  const { type, text, items } = value;
  if (type === 'null') return Buffer.from('_\r\n');
  if (type === 'boolean') return Buffer.from(`#${value.value ? 't' : 'f'}\r\n`);
  if (type === 'number') return Buffer.from(`:${value.value}\r\n`);
  if (type in AGGREGATES) {
    const count = type === 'map' ? items.length / 2 : items.length;
    return Buffer.concat([Buffer.from(`${AGGREGATES[type][1]}${count}\r\n`), ...items.map(toResp)]);
  }
  const bytes = toBytes(text);
  const isBulk = type === 'blob' || type === 'verbatim' || type === 'blobError';
  const prefix = type === 'blobError' ? '!' : (STRINGS[type] ?? TEXTS[type])[1];
  const head = isBulk ? `${prefix}${bytes.length}\r\n` : prefix;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n')]);
}
