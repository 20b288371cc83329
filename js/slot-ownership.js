'use strict';
// Which slots a node has by its own account, and what became of them while somebody watched.

const SLOTS = 16384;

/** What a node says of a slot. */
const NONE = 0;
const OWNED = 1;
/** Its keys go to another node one by one. */
const LEAVING = 2;
/** Its keys come from another node one by one. */
const ARRIVING = 3;
/** Of a history: it is not known where the keys were. */
const UNCLEAR = 4;

/**
 * What CLUSTER NODES says of the node that was asked.
 *
 * @typedef {object} Account
 * @property {string} id
 * @property {boolean} isPrimary
 * @property {number} epoch rises when the node takes over slots
 * @property {Uint8Array} states by slot
 * @property {Map<number, string>} others of slots that leave or arrive: where to, or from
 */

/**
 * @param {string} text the reply to CLUSTER NODES
 * @returns {Account}
 */
function readAccount(text) {
  const line = text.split('\n').find((one) => (one.split(' ')[2] ?? '').split(',').includes('myself'));
  if (line === undefined) throw new Error('CLUSTER NODES does not say which node answered');
  const [id, , flags, , , , epoch, , ...slots] = line.trim().split(' ');
  const states = new Uint8Array(SLOTS);
  /** @type {Map<number, string>} */
  const others = new Map();
  for (const slot of slots) {
    const open = /^\[(\d+)-([<>])-(\w+)\]$/.exec(slot);
    if (open !== null) {
      const number = Number(open[1]);
      states[number] = open[2] === '>' ? LEAVING : ARRIVING;
      others.set(number, open[3]);
      continue;
    }
    const [first, last = first] = slot.split('-').map(Number);
    states.fill(OWNED, first, last + 1);
  }
  return { id, isPrimary: flags.split(',').includes('master'), epoch: Number(epoch), states, others };
}

/** What became of a node's slots from the first look at it to the last. */
class SlotHistory {
  #first;
  #states;
  #others;
  #isSteady = true;

  /** @param {Account} account */
  constructor(account) {
    this.#first = account;
    this.#states = Uint8Array.from(account.states);
    this.#others = new Map(account.others);
  }

  get id() { return this.#first.id; }
  get epoch() { return this.#first.epoch; }

  /**
   * Whether the node has taken over nothing meanwhile. If it has, a slot that it had at both looks may
   * have been elsewhere in between.
   */
  get isSteady() { return this.#isSteady; }

  /** @param {Account} account a later look */
  add(account) {
    const { id, epoch, isPrimary } = this.#first;
    if (account.epoch !== epoch) this.#isSteady = false;
    const states = this.#states;
    if (account.id !== id || account.isPrimary !== isPrimary) states.fill(UNCLEAR);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (states[slot] !== account.states[slot] || states[slot] > OWNED) {
        states[slot] = this.#next(slot, account);
      }
    }
  }

  /**
   * @param {number} slot
   * @param {Account} account
   */
  #next(slot, account) {
    const before = this.#states[slot];
    const now = account.states[slot];
    const other = account.others.get(slot);
    if (before === now) return this.#others.get(slot) === other ? now : UNCLEAR;
    // The move is over, or was called off; it is still true where keys can be.
    if (now === OWNED && (before === LEAVING || before === ARRIVING)) return before;
    if (before !== OWNED || now !== LEAVING) return UNCLEAR;
    this.#others.set(slot, /** @type {string} */ (other));
    return LEAVING;
  }

  /** @param {number} slot @returns whether all its keys were here all the time */
  wasOwned(slot) {
    return this.#states[slot] === OWNED;
  }

  /** @param {number} slot @returns the node to which its keys left, and none came back */
  leftTo(slot) {
    return this.#states[slot] === LEAVING ? this.#others.get(slot) : undefined;
  }

  /** @param {number} slot @returns whether none of its keys was ever here */
  wasElsewhere(slot) {
    return this.#states[slot] === NONE;
  }

  /** @param {number} slot @returns the node from which its keys came, and none went away */
  cameFrom(slot) {
    return this.#states[slot] === ARRIVING ? this.#others.get(slot) : undefined;
  }
}

/**
 * @param {Account} account
 * @param {number} slot
 * @returns {string | undefined} the node to which its keys leave
 */
function leavesTo(account, slot) {
  return account.states[slot] === LEAVING ? account.others.get(slot) : undefined;
}

module.exports = { SLOTS, SlotHistory, leavesTo, readAccount };
