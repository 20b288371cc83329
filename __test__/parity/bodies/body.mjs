// A body is one small program over a cluster, run unchanged on both clients.

/**
 * @typedef {object} Body
 * @property {string} name
 * @property {(context: ReturnType<import('../harness/recorder.mjs').createContext>) => Promise<void>} run
 *   must survive every command failing: not every server knows every command
 */

/** @returns {Body} */
export function body(name, run) {
  return { name, run };
}
