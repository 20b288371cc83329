'use strict';
// When to look for answers: on the engine's call, then once in each turn of the event loop for as
// long as that is worth it, and then on the engine's call again.
//
// Two things make looking again better than being called again. Node calls a thread-safe function's
// queue dry before anything else runs, so under load the rest of the event loop would wait; and a
// sleeping thread takes longer to be woken than a server nearby takes to answer.

/**
 * How long a turn of the loop is worth waiting for an answer, in ms. Waking a sleeping thread costs
 * 20 to 50 µs on each side; doubled, half of this would be burnt in vain before it is noticed.
 */
const WORTH_WAITING_MS = 0.1;
/** With more commands than this on their way answers come in batches, and nobody waits for one. */
const FEW_COMMANDS = 8;
/** A longer wait than this says as much as this: answers are far away. */
const LONG_WAIT_MS = 1;
/** How much one answer changes what is expected of the next. */
const NEWEST_WEIGHT = 1 / 8;

class Lookout {
  #settle;
  #sentAt = 0;
  #isWaiting = false;
  #fewInFlight = true;
  /** How long answers usually take, in ms. */
  #usualWait = 0;
  #turn = () => this.#look();

  /** @param {(sleep: boolean) => boolean} settle settles what is there; says whether there was any */
  constructor(settle) {
    this.#settle = settle;
  }

  /**
   * Commands have been handed to the engine.
   *
   * @param {number} inFlight how many are on their way now
   */
  onSent(inFlight) {
    this.#sentAt = performance.now();
    this.#isWaiting = true;
    this.#fewInFlight = inFlight <= FEW_COMMANDS;
  }

  /** The engine calls: answers are there. It will not call again before we have looked in vain. */
  onCall() {
    if (this.#settle(false)) this.#onAnswers();
    setImmediate(this.#turn);
  }

  #look() {
    const worthWaiting = this.#isWorthWaiting();
    const found = this.#settle(!worthWaiting);
    if (found) this.#onAnswers();
    if (found || worthWaiting) setImmediate(this.#turn);
  }

  #isWorthWaiting() {
    return this.#isWaiting && this.#fewInFlight && this.#usualWait < WORTH_WAITING_MS &&
      performance.now() - this.#sentAt < WORTH_WAITING_MS;
  }

  #onAnswers() {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    const wait = Math.min(performance.now() - this.#sentAt, LONG_WAIT_MS);
    this.#usualWait += (wait - this.#usualWait) * NEWEST_WEIGHT;
  }
}

module.exports = { Lookout };
