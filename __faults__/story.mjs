// What was done to the servers in one scenario, and when they could answer again.

import { now } from './clock.mjs';

/** A client hears of a cut connection at once, but its process may have to wait for a core. */
export const MOMENT_MS = 50;

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {number} at
 * @property {number} until commands that were under way between `at` and here may fail
 * @property {number[]} shards which shards it strikes
 * @property {boolean} losesUnreplicated Redis itself may lose what it acknowledged just before
 *
 * @typedef {object} Recovery
 * @property {string} name
 * @property {number} at from here on the servers answer
 * @property {number[]} shards
 */

export class Story {
  /** @type {Fault[]} */
  faults = [];
  /** @type {Recovery[]} */
  recoveries = [];
  /** What shows that the fault took place, in words. @type {string[]} */
  proof = [];

  /**
   * Notes a fault that begins now. Called just before it is caused.
   *
   * @param {{ name: string, shards: number[], losesUnreplicated?: boolean }} fault
   * @returns {() => void} to be called when it is over, if it lasts
   */
  fault({ name, shards, losesUnreplicated = false }) {
    const at = now();
    const fault = { name, at, until: at + MOMENT_MS, shards, losesUnreplicated };
    this.faults.push(fault);
    return () => (fault.until = now() + MOMENT_MS);
  }

  /** @param {Omit<Recovery, 'at'> & { at?: number }} recovery */
  recovery({ name, shards, at = now() }) {
    this.recoveries.push({ name, shards, at });
  }

  prove(text) {
    this.proof.push(text);
  }
}
