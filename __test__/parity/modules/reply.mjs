// Writes replies of module commands as a server would: JavaScript values to RESP 2 or 3.

/** A RESP 3 double; in RESP 2 the same digits as a blob string. */
export class Double {
  constructor(text) {
    this.text = String(text);
  }
}

/** A simple string. */
export class Simple {
  constructor(text) {
    this.text = text;
  }
}

export const double = (text) => new Double(text);
export const OK = new Simple('OK');

const bulk = (bytes) => `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
const list = (mark, items, protocol) =>
  `${mark}${items.length}\r\n${items.map((item) => encode(item, protocol)).join('')}`;

/**
 * Number: integer. String, Buffer: blob string. Array: array. Map: map (flat array in RESP 2). Set:
 * set (array in RESP 2). Boolean: boolean (1 or 0 in RESP 2). null: the protocol's null.
 *
 * @returns {string} the bytes, as latin1
 */
export function encode(value, protocol) {
  if (value === null) return protocol === 3 ? '_\r\n' : '$-1\r\n';
  if (value instanceof Simple) return `+${value.text}\r\n`;
  if (value instanceof Double)
    return protocol === 3 ? `,${value.text}\r\n` : bulk(Buffer.from(value.text));
  if (Buffer.isBuffer(value)) return bulk(value);
  if (Array.isArray(value)) return list('*', value, protocol);
  if (value instanceof Set) return list(protocol === 3 ? '~' : '*', [...value], protocol);
  if (value instanceof Map) {
    const flat = [...value].flat();
    return protocol === 3
      ? `%${value.size}\r\n${flat.map((item) => encode(item, 3)).join('')}`
      : list('*', flat, 2);
  }
  switch (typeof value) {
    case 'number':
      return `:${value}\r\n`;
    case 'boolean':
      return protocol === 3 ? `#${value ? 't' : 'f'}\r\n` : `:${Number(value)}\r\n`;
    case 'string':
      return bulk(Buffer.from(value));
    default:
      throw new TypeError(`no RESP for ${typeof value}`);
  }
}
