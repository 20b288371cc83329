// What is measured: each workload says how many commands are in flight, how to start the n-th one
// and how to check its reply.
import {
  DATASETS,
  HASH_FIELDS,
  LIST_ELEMENTS,
  TRANSACTION,
  entry,
  keyTable,
  stringTable,
} from './dataset.mjs';

/**
 * @typedef {object} Driver one workload, ready to run
 * @property {(turn: number) => Promise<any>} start sends the command of this turn
 * @property {(reply: any, turn: number) => string | undefined} verify what is wrong with the reply, if anything
 *
 * @typedef {object} Workload
 * @property {string} id as given to --only
 * @property {string} title as printed
 * @property {string} dataset
 * @property {number} inFlight concurrent loops, each awaiting its own command
 * @property {number} sampleEvery one latency in so many is recorded: reading the clock twice costs a
 *   noticeable part of the cheapest commands. Never a multiple of 5, or it would see one kind only.
 * @property {number} verifyEvery one reply in so many is compared with what the key must hold
 * @property {(client: import('./clients/index.mjs').BenchClient) => Driver} driver
 */

/**
 * Odd, so that turn -> key is a permutation of every power of two: neighbours in time are far
 * apart.
 */
const STRIDE = 40503;

function getSet(dataset) {
  return (client) => {
    const { keys, values } = stringTable(dataset);
    const mask = DATASETS[dataset].keys - 1;
    return {
      start(turn) {
        const at = Math.imul(turn, STRIDE) & mask;
        return turn % 5 === 0 ? client.set(keys[at], values[at]) : client.get(keys[at]);
      },
      verify(reply, turn) {
        const at = Math.imul(turn, STRIDE) & mask;
        const want = turn % 5 === 0 ? 'OK' : values[at];
        if (reply === want) return undefined;
        return `${turn % 5 === 0 ? 'SET' : 'GET'} ${keys[at]}: got ${brief(reply)}, want ${brief(want)}`;
      },
    };
  };
}

function hashes(client) {
  const keys = keyTable('hash');
  const mask = keys.length - 1;
  return {
    start: (turn) => client.hgetall(keys[Math.imul(turn, STRIDE) & mask]),
    verify(reply, turn) {
      const { key, value } = entry('hash', Math.imul(turn, STRIDE) & mask);
      const got = client.hashOf(reply);
      const same =
        Object.keys(got).length === HASH_FIELDS &&
        Object.entries(value).every(([field, text]) => got[field] === text);
      return same ? undefined : `HGETALL ${key}: got ${brief(JSON.stringify(got))}`;
    },
  };
}

function lists(client) {
  const keys = keyTable('list');
  const mask = keys.length - 1;
  return {
    start: (turn) => client.lrange(keys[Math.imul(turn, STRIDE) & mask], 0, -1),
    verify(reply, turn) {
      const { key, value } = entry('list', Math.imul(turn, STRIDE) & mask);
      const same =
        Array.isArray(reply) &&
        reply.length === LIST_ELEMENTS &&
        value.every((text, i) => reply[i] === text);
      return same ? undefined : `LRANGE ${key}: got ${brief(JSON.stringify(reply))}`;
    },
  };
}

/** One operation is one transaction of ten commands. */
function transactions(client) {
  const { keys, values } = stringTable('64b');
  const mask = keys.length - 1;
  return {
    start(turn) {
      const at = Math.imul(turn, STRIDE) & mask;
      return client.transaction(keys[at], values[at]);
    },
    verify(reply, turn) {
      const at = Math.imul(turn, STRIDE) & mask;
      const got = client.repliesOf(reply);
      const same =
        got.length === TRANSACTION.sets + TRANSACTION.gets &&
        got.every((one, i) => one === (i < TRANSACTION.sets ? 'OK' : values[at]));
      return same ? undefined : `MULTI on ${keys[at]}: got ${brief(JSON.stringify(got))}`;
    },
  };
}

/** Commands over many slots: in flight, and keys of each. */
const MANY_IN_FLIGHT = 10;
const MANY_KEYS = 100;
const MANY_BATCHES = 256;

/**
 * Commands with a hundred keys each, all over the slots.
 *
 * @param {'mget' | 'mset' | 'del'} command
 * @param {(batch: { keys: string[], values: string[] }) => any} argument
 * @param {(batch: { keys: string[], values: string[] }) => any} expected
 */
function manyKeys(command, argument, expected) {
  return (client) => {
    if (client[command] === undefined) throw new Error(`has no ${command} over several slots`);
    const { keys, values } = stringTable('64b');
    const mask = keys.length - 1;
    const batches = Array.from({ length: MANY_BATCHES }, (_, batch) => {
      const places = Array.from(
        { length: MANY_KEYS },
        (_, i) => Math.imul(batch * MANY_KEYS + i, STRIDE) & mask,
      );
      return { keys: places.map((at) => keys[at]), values: places.map((at) => values[at]) };
    });
    const calls = batches.map((batch) => ({ given: argument(batch), want: expected(batch) }));
    return {
      start: (turn) => client[command](calls[turn % MANY_BATCHES].given),
      verify(reply, turn) {
        const { want } = calls[turn % MANY_BATCHES];
        return JSON.stringify(reply) === JSON.stringify(want)
          ? undefined
          : `${command} of batch ${turn % MANY_BATCHES}: got ${brief(JSON.stringify(reply))}`;
      },
    };
  };
}

const manyKeysWorkload = (id, title, driver) => ({
  id,
  title,
  dataset: '64b',
  inFlight: MANY_IN_FLIGHT,
  sampleEvery: 1,
  verifyEvery: 64,
  driver,
});

/** Of SCAN, as programs set it that read everything. */
const SCAN_COUNT = 1000;

/** All keys of one data set, found among all that there are. */
function scans(client) {
  if (client.countKeys === undefined) throw new Error('has no way to scan a cluster');
  return {
    start: () => client.countKeys('bench:64b:*', SCAN_COUNT),
    verify: (reply) =>
      reply === DATASETS['64b'].keys ? undefined : `scan: got ${brief(reply)} keys`,
  };
}

function brief(value) {
  const text = String(value);
  return text.length > 60 ? `${text.slice(0, 60)}... (${text.length} characters)` : text;
}

const getSetWorkload = (id, title, dataset, rest) => ({
  id,
  title: `GET/SET ${title}`,
  dataset,
  verifyEvery: 64,
  driver: getSet(dataset),
  ...rest,
});

/** @type {Workload[]} */
export const WORKLOADS = [
  getSetWorkload('64b-1', '64 B, 1 in flight', '64b', { inFlight: 1, sampleEvery: 1 }),
  getSetWorkload('64b-50', '64 B, 50 in flight', '64b', { inFlight: 50, sampleEvery: 16 }),
  getSetWorkload('64b-1000', '64 B, 1000 in flight', '64b', { inFlight: 1000, sampleEvery: 16 }),
  getSetWorkload('1kb-100', '1 KB, 100 in flight', '1kb', { inFlight: 100, sampleEvery: 16 }),
  getSetWorkload('16kb-50', '16 KB, 50 in flight', '16kb', { inFlight: 50, sampleEvery: 4 }),
  getSetWorkload('1mb-8', '1 MB, 8 in flight', '1mb', {
    inFlight: 8,
    sampleEvery: 1,
    verifyEvery: 16,
  }),
  {
    id: 'hgetall-100',
    title: 'HGETALL of 100 fields, 50 in flight',
    dataset: 'hash',
    inFlight: 50,
    sampleEvery: 4,
    verifyEvery: 64,
    driver: hashes,
  },
  {
    id: 'lrange-1000',
    title: 'LRANGE of 1000 elements, 20 in flight',
    dataset: 'list',
    inFlight: 20,
    sampleEvery: 1,
    verifyEvery: 64,
    driver: lists,
  },
  {
    id: 'multi-10',
    title: 'MULTI of 10 commands, 50 in flight',
    dataset: '64b',
    inFlight: 50,
    sampleEvery: 4,
    verifyEvery: 64,
    driver: transactions,
  },
  manyKeysWorkload(
    'mget-100',
    'MGET of 100 keys over all slots, 10 in flight',
    manyKeys(
      'mget',
      ({ keys }) => keys,
      ({ values }) => values,
    ),
  ),
  manyKeysWorkload(
    'mset-100',
    'MSET of 100 keys over all slots, 10 in flight',
    manyKeys(
      'mset',
      ({ keys, values }) => Object.fromEntries(keys.map((key, i) => [key, values[i]])),
      () => 'OK',
    ),
  ),
  // Keys that are not there: the data set must stay as it is, and the way there and back is the same.
  manyKeysWorkload(
    'del-100',
    'DEL of 100 keys over all slots, 10 in flight',
    manyKeys(
      'del',
      ({ keys }) => keys.map((key) => `${key}:absent`),
      () => 0,
    ),
  ),
  {
    id: 'scan-all',
    title: 'SCAN of all keys, COUNT 1000, one at a time',
    dataset: '64b',
    inFlight: 1,
    sampleEvery: 1,
    verifyEvery: 1,
    driver: scans,
  },
];
