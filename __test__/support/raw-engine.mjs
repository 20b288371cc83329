// The engine without the facade: for what no method of the cluster asks of it.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { createNativeCluster } = require('../../js/native-addon.js');
const { Decoder } = require('../../js/decoder.js');
const { parseOptions } = require('../../js/options.js');

const EVENT = 0xffffffff;
const KEYLESS = 0xffffffff;
const DESTINATION = 32;
const WORDS = 1 << 16;
const BYTES = 1 << 20;

/** One engine; every command says where it goes. */
export class RawEngine {
  #words = new Uint32Array(WORDS);
  #bytes = Buffer.alloc(BYTES);
  #lastTicket = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: any) => void }>} */
  #waiting = new Map();

  /** @param {Record<string, any>} options for `createCluster` */
  constructor(options) {
    const { native } = parseOptions(options);
    this.native = createNativeCluster(native, () => this.#settle());
    this.decoder = new Decoder(this.native);
    // The engine's wake-up does not keep the process alive.
    this.keepAlive = setInterval(() => {}, 1_000);
  }

  /** @param {(ticket: number) => void} ask @returns {Promise<any>} */
  request(ask) {
    const ticket = ++this.#lastTicket;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject });
      ask(ticket);
    });
  }

  connect() {
    return this.request((ticket) => this.native.connect(ticket));
  }

  /**
   * @param {number} destination a node's number or a lease
   * @param {string[]} args
   * @param {number} [timeout]
   */
  send(destination, args, timeout = 0) {
    return this.request((ticket) => {
      const parts = args.map((arg) => Buffer.from(arg));
      const head = [ticket, args.length | (DESTINATION << 24), KEYLESS, timeout];
      const words = Uint32Array.from([...head, ...parts.map((part) => part.length), destination]);
      const bytes = Buffer.concat(parts);
      this.native.submit(words, words.length, bytes, bytes.length);
    });
  }

  destroy() {
    clearInterval(this.keepAlive);
    this.native.destroy();
    this.#settle();
  }

  #settle() {
    const ints = new Int32Array(this.#words.buffer);
    for (;;) {
      const count = this.native.take(this.#words, this.#bytes, true);
      if (count <= 0) return;
      this.decoder.begin(this.#words, ints, this.#bytes);
      while (this.decoder.at < count) this.#settleEntry();
      this.decoder.end();
    }
  }

  #settleEntry() {
    const ticket = this.decoder.ticket();
    const isError = ticket !== EVENT && this.decoder.nextIsError();
    const value = this.decoder.value(0);
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (isError) waiting?.reject(value);
    else waiting?.resolve(value);
  }
}
