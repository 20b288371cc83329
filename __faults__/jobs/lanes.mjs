// What a worker does: each kind of lane says which command comes next, and checks the reply.

import { counterKey, listKey, pairKeys, pairValue, setKey, setValue, tagIndex } from '../keys.mjs';
import { DONE } from '../ledger.mjs';

/** Half of the reads are of the newest keys: the ones that a failover may have lost. */
const NEWEST = 16;
const PUSHES_PER_ROUND = 2;

/**
 * @typedef {object} Kind
 * @property {string} kind
 * @property {boolean} writes
 * @property {number} [perRound] commands that are issued in one tick
 * @property {(lane: any, index: number, context: Context) => Order | undefined} next
 *
 * @typedef {object} Order
 * @property {() => Promise<any>} send
 * @property {(reply: any, at: number) => Omit<import('../ledger.mjs').BadReply, 'index'> | undefined} check
 *
 * @typedef {object} Context what the lanes of one worker share
 * @property {import('../clients.mjs').FaultClient} client
 * @property {Record<string, import('../ledger.mjs').Lane>} lanes
 * @property {{ value: number, at: number }[]} floors per tag: the last acknowledged count, and when
 */

const wrong = (got) => ({ verdict: /** @type {const} */ ('wrong'), got: String(got) });
const stale = (got, acknowledged) => ({
  verdict: /** @type {const} */ ('stale'),
  got: String(got),
  acknowledged,
});
const expectOk = (reply) => (reply === 'OK' ? undefined : wrong(reply));

const incr = {
  kind: 'incr',
  writes: true,
  next(lane, index, { client, floors }) {
    const tag = tagIndex(lane.worker, index);
    return {
      send: () => client.incr(counterKey(lane.worker.tags[tag])),
      check(reply, at) {
        lane.replies[index] = reply;
        if (!Number.isSafeInteger(reply)) return wrong(reply);
        floors[tag] = { value: reply, at };
        return undefined;
      },
    };
  },
};

const set = {
  kind: 'set',
  writes: true,
  next: (lane, index, { client }) => ({
    send: () => client.set(setKey(lane.worker, index), setValue(lane.worker, index)),
    check: expectOk,
  }),
};

/** Elements grow, and are issued without waiting for the ones before: their order is the point. */
const push = {
  kind: 'push',
  writes: true,
  perRound: PUSHES_PER_ROUND,
  next(lane, index, { client }) {
    const key = listKey(lane.worker.tags[tagIndex(lane.worker, index)]);
    return {
      send: () => client.push(key, String(index)),
      check: (reply) => (Number.isSafeInteger(reply) ? undefined : wrong(reply)),
    };
  },
};

const get = {
  kind: 'get',
  writes: false,
  next(lane, index, context) {
    return index % 2 === 0 ? readKey(lane, context) : readCounter(lane, index, context);
  },
};

/** @returns {number | undefined} the index of a write that was acknowledged */
function acknowledged(lane) {
  const { length } = lane.issued;
  const span = Math.random() < 0.5 ? Math.min(NEWEST, length) : length;
  const index = length - 1 - Math.floor(Math.random() * span);
  return lane.outcome[index] === DONE ? index : undefined;
}

function readKey({ worker }, { client, lanes }) {
  const index = acknowledged(lanes.set);
  if (index === undefined) return undefined;
  const since = lanes.set.settled[index];
  return {
    send: () => client.get(setKey(worker, index)),
    check(reply) {
      if (reply === null) return stale(reply, since);
      return reply === setValue(worker, index) ? undefined : wrong(reply);
    },
  };
}

function readCounter({ worker }, index, { client, floors }) {
  const tag = tagIndex(worker, index);
  const { value, at } = floors[tag] ?? { value: 0, at: 0 };
  return {
    send: () => client.get(counterKey(worker.tags[tag])),
    check(reply) {
      if (reply !== null && !/^\d+$/.test(reply)) return wrong(reply);
      return Number(reply) < value ? stale(reply, at) : undefined;
    },
  };
}

const mset = {
  kind: 'mset',
  writes: true,
  next: ({ kind, worker }, index, { client }) => ({
    send: () => client.mset(pairKeys(kind, worker, index), pairValue(worker, index)),
    check: expectOk,
  }),
};

const mget = {
  kind: 'mget',
  writes: false,
  next({ worker }, _, { client, lanes }) {
    const index = acknowledged(lanes.mset);
    if (index === undefined) return undefined;
    const since = lanes.mset.settled[index];
    return {
      send: () => client.mget(pairKeys('mset', worker, index)),
      check(reply) {
        if (!Array.isArray(reply) || reply.length !== 2) return wrong(reply);
        if (reply.includes(null)) return stale(reply, since);
        return reply.every((one) => one === pairValue(worker, index)) ? undefined : wrong(reply);
      },
    };
  },
};

const multi = {
  kind: 'multi',
  writes: true,
  next: ({ kind, worker }, index, { client }) => ({
    send: () => client.transaction(pairKeys(kind, worker, index), pairValue(worker, index)),
    check: () => undefined,
  }),
};

/** @type {Record<string, Kind>} */
export const KINDS = { incr, set, push, get, mset, mget, multi };
