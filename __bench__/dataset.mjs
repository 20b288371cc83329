// The keys and values every client reads and writes. A value follows from its key's number alone,
// so a reply can be checked by whoever knows the number, and a SET never changes what a GET must
// answer.

/** Fields of one hash and elements of one list, as the workloads' names promise. */
export const HASH_FIELDS = 100;
export const LIST_ELEMENTS = 1000;
/** Commands of one transaction, all on one key. */
export const TRANSACTION = Object.freeze({ sets: 2, gets: 8 });

/**
 * Every size is a power of two: the workloads walk the keys with a mask instead of a division.
 * @type {Record<string, { kind: 'string' | 'hash' | 'list', keys: number, bytes?: number }>}
 */
export const DATASETS = {
  '64b': { kind: 'string', keys: 32768, bytes: 64 },
  '1kb': { kind: 'string', keys: 8192, bytes: 1024 },
  '16kb': { kind: 'string', keys: 1024, bytes: 16 * 1024 },
  '1mb': { kind: 'string', keys: 32, bytes: 1024 * 1024 },
  hash: { kind: 'hash', keys: 1024 },
  list: { kind: 'list', keys: 256 },
};

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * A flat one-byte string: a concatenation would stay a tree inside V8, and the first client to send
 * it would pay for flattening it.
 */
function stringValue(number, bytes) {
  const filler = ALPHABET.repeat(Math.ceil(bytes / ALPHABET.length));
  return Buffer.from(`${number}:${filler}`.slice(0, bytes), 'latin1').toString('latin1');
}

function hashValue(number) {
  const fields = {};
  for (let i = 0; i < HASH_FIELDS; i++) fields[`field:${i}`] = `value:${number}:${i}`;
  return fields;
}

function listValue(number) {
  return Array.from({ length: LIST_ELEMENTS }, (_, i) => `element:${number}:${i}`);
}

/** @returns {{ key: string, value: any }} the key with this number, and what it holds */
export function entry(name, number) {
  const { kind, bytes } = DATASETS[name];
  const key = `bench:${name}:${number}`;
  if (kind === 'hash') return { key, value: hashValue(number) };
  if (kind === 'list') return { key, value: listValue(number) };
  return { key, value: stringValue(number, bytes) };
}

/** All string entries in two arrays, made before the clock starts. */
export function stringTable(name) {
  const keys = [];
  const values = [];
  for (let number = 0; number < DATASETS[name].keys; number++) {
    const { key, value } = entry(name, number);
    keys.push(key);
    values.push(value);
  }
  return { keys, values };
}

/** The keys alone, for data sets whose values are only read. */
export function keyTable(name) {
  return Array.from({ length: DATASETS[name].keys }, (_, number) => `bench:${name}:${number}`);
}

/**
 * Writes the named data sets.
 * @param {any} client a connected node-redis cluster client
 * @param {Iterable<string>} names
 */
export async function fill(client, names) {
  for (const name of names) {
    const { kind, keys } = DATASETS[name];
    let next = 0;
    const writer = async () => {
      while (next < keys) {
        const { key, value } = entry(name, next++);
        await client.del(key);
        if (kind === 'hash') await client.hSet(key, value);
        else if (kind === 'list') await client.rPush(key, value);
        else await client.set(key, value);
      }
    };
    await Promise.all(Array.from({ length: Math.min(64, keys) }, writer));
  }
}
