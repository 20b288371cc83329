'use strict';
// Who waits for the answer to one command, and what is done with it on the way.

/** @typedef {import('@redis/client').TypeMapping} TypeMapping */
/** @typedef {(reply: any, preserve: any, typeMapping: TypeMapping | undefined) => unknown} TransformReply */

// `new Promise` calls its executor at once: one for all commands, instead of a closure for each.
/** @type {(value: unknown) => void} */
let newResolve;
/** @type {(error: unknown) => void} */
let newReject;
/**
 * @param {(value: unknown) => void} resolve
 * @param {(error: unknown) => void} reject
 */
function capture(resolve, reject) {
  newResolve = resolve;
  newReject = reject;
}

/** Who waits for a ticket. Used again for the next one with the same number. */
class Waiting {
  /** @type {((value: unknown) => void) | undefined} */
  resolve;
  /** @type {((error: unknown) => void) | undefined} */
  reject;
  /** @type {TransformReply | undefined} */
  transform;
  /** @type {unknown} */
  preserve;
  /** @type {TypeMapping | undefined} */
  typeMapping;
  as = 0;
  /** @type {AbortSignal | undefined} */
  signal;
  /** @type {(() => void) | undefined} */
  onAbort;

  /** Starts waiting. */
  begin() {
    const promise = new Promise(capture);
    this.resolve = newResolve;
    this.reject = newReject;
    return promise;
  }

  /** Frees everything that a settled command need not keep alive. */
  release() {
    this.resolve = this.reject = this.transform = this.preserve = this.typeMapping = undefined;
    if (this.signal === undefined) return;
    this.signal.removeEventListener('abort', /** @type {() => void} */ (this.onAbort));
    this.signal = this.onAbort = undefined;
  }
}

module.exports = { Waiting };
