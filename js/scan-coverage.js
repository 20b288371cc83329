'use strict';
// Which slots of a cluster have been scanned completely, and where the others have to be scanned.

const { SLOTS, leavesTo } = require('./slot-ownership');

/** @typedef {import('./slot-ownership').Account} Account */
/** @typedef {import('./slot-ownership').SlotHistory} SlotHistory */
/** @typedef {import('./topology-view').ShardNode} ShardNode */
/** @typedef {import('./topology-view').TopologyPicture} TopologyPicture */

/**
 * A slot on its way, of which the old owner has been scanned: what it no longer had is at the new one,
 * as keys move one way.
 *
 * @typedef {object} Half
 * @property {string} from
 * @property {string} to
 * @property {number} epoch of the old owner; while it stays, no key comes back
 */

class ScanCoverage {
  /** @type {Set<number>} */
  #remaining;
  /** @type {Map<number, Half>} */
  #halves = new Map();

  /** @param {Iterable<number>} [slots] that are wanted */
  constructor(slots = Array(SLOTS).keys()) {
    this.#remaining = new Set(slots);
  }

  /** How many slots are not covered. */
  get size() {
    return this.#remaining.size;
  }

  /** Any slot that is not covered. @returns {number | undefined} */
  get some() {
    return this.#remaining.values().next().value;
  }

  /**
   * @param {TopologyPicture} view
   * @returns {Map<ShardNode, Set<number>>} the nodes to scan, each with the slots that it is scanned for
   */
  plan(view) {
    const byId = new Map(view.masters.map((master) => [master.id, master]));
    /** @type {Map<ShardNode, Set<number>>} */
    const plan = new Map();
    for (const slot of this.#remaining) {
      const owner = view.slots[slot]?.master;
      const half = this.#halves.get(slot);
      const isCurrent = half !== undefined && (owner?.id === half.from || owner?.id === half.to);
      if (half !== undefined && !isCurrent) this.#halves.delete(slot);
      // A node that has no slot yet is not known: the move will be over, or the topology has it soon.
      const node = half !== undefined && isCurrent ? byId.get(half.to) : owner;
      if (node === undefined) continue;
      const slots = plan.get(node);
      if (slots === undefined) plan.set(node, new Set([slot]));
      else slots.add(slot);
    }
    return plan;
  }

  /**
   * The nodes whose present account is needed besides, to judge a scan of these slots.
   *
   * @param {Iterable<number>} slots
   * @returns {Set<string>} their ids
   */
  sourcesOf(slots) {
    /** @type {Set<string>} */
    const sources = new Set();
    for (const slot of slots) {
      const half = this.#halves.get(slot);
      if (half !== undefined) sources.add(half.from);
    }
    return sources;
  }

  /**
   * A node was scanned from beginning to end.
   *
   * @param {Iterable<number>} slots for which it was
   * @param {SlotHistory} history of the node meanwhile
   * @param {boolean} isTrusted whether a slot that it always had was never away
   * @param {ReadonlyMap<string, Account>} sources what those of `sourcesOf` say afterwards
   * @returns {number} how many slots are covered now that were not before
   */
  add(slots, history, isTrusted, sources) {
    const before = this.#remaining.size;
    for (const slot of slots) {
      const half = this.#halves.get(slot);
      const to = history.leftTo(slot);
      this.#halves.delete(slot);
      if ((isTrusted && history.wasOwned(slot)) || completes(half, history, slot, sources)) {
        this.#remaining.delete(slot);
      } else if (isTrusted && to !== undefined) {
        this.#halves.set(slot, { from: history.id, to, epoch: history.epoch });
      }
    }
    return before - this.#remaining.size;
  }
}

/**
 * @param {Half | undefined} half
 * @param {SlotHistory} history of the node to which the slot was going
 * @param {number} slot
 * @param {ReadonlyMap<string, Account>} sources
 * @returns {boolean} whether what the old owner no longer had was seen at the new one
 */
function completes(half, history, slot, sources) {
  const source = half && sources.get(half.from);
  if (half === undefined || source?.epoch !== half.epoch) return false;
  if (history.cameFrom(slot) === half.from) return true;
  // Only the old owner has been told: nothing can have moved.
  return history.wasElsewhere(slot) && leavesTo(source, slot) === history.id;
}

module.exports = { ScanCoverage };
