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

/** Bits of a ticket that are the place of its Waiting; the bits above count its users. */
const PLACE_BITS = 24;
const PLACE_MASK = (1 << PLACE_BITS) - 1;
/** The highest bit stays free: with it the engine marks what is no ticket. */
const USER_MASK = 0x7f;

/** Who waits for a ticket. Used again for the next one with the same place. */
class Waiting {
  /** Differs from user to user, so that what is late for one cannot be taken for the next. */
  ticket;
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

  /** @param {number} place */
  constructor(place) {
    this.ticket = place;
  }

  /** Starts waiting. */
  begin() {
    const promise = new Promise(capture);
    this.resolve = newResolve;
    this.reject = newReject;
    return promise;
  }

  /** Frees everything that a settled command need not keep alive. */
  release() {
    const user = ((this.ticket >>> PLACE_BITS) + 1) & USER_MASK;
    this.ticket = (user << PLACE_BITS) | (this.ticket & PLACE_MASK);
    this.resolve = this.reject = this.transform = this.preserve = this.typeMapping = undefined;
    if (this.signal === undefined) return;
    this.signal.removeEventListener('abort', /** @type {() => void} */ (this.onAbort));
    this.signal = this.onAbort = undefined;
  }
}

module.exports = { PLACE_MASK, Waiting };
