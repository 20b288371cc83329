// A scripted engine: it is the border's other side, with commands recorded and answers written by the
// test.

import { createRequire } from 'node:module';
import { TapeWriter, EVENT } from './tape-writer.mjs';

const require = createRequire(import.meta.url);

/** Reads what was packed; `unit` are the commands of a transaction. @returns {Array<{ ticket, args, unit?, flags, keyIndex, timeout, extraKey, destination }>} */
export function readSubmission(words, wordCount, bytes) {
  const commands = [];
  let byte = 0;
  for (let at = 0; at < wordCount;) {
    const [ticket, countAndFlags, keyIndex, timeout] = words.subarray(at, at + 4);
    const flags = countAndFlags >>> 24;
    const count = countAndFlags & 0xffffff;
    at += 4;
    const next = () => {
      const arg = Buffer.from(bytes.subarray(byte, byte + words[at]));
      byte += words[at++];
      return arg;
    };
    let args = [];
    let unit;
    if (flags & 16) {
      unit = Array.from({ length: count }, () => {
        const [head, place] = words.subarray(at, at + 2);
        at += 2;
        return { args: Array.from({ length: head & 0xffffff }, next), flags: head >>> 24, keyIndex: place };
      });
    } else args = Array.from({ length: count }, next);
    const extraKey = flags & 4 ? next() : undefined;
    if (flags & 8) at++;
    const destination = flags & 32 ? words[at++] : undefined;
    commands.push({ ticket, args, unit, flags, keyIndex, timeout, extraKey, destination });
  }
  return commands;
}

export class FakeNative {
  /** Every call that the facade made, as [name, ...arguments]. */
  calls = [];
  commands = [];
  submitCount = 0;
  topologyJson = JSON.stringify({ epoch: 0, nodes: [], shards: [] });
  answersConnect = true;
  destinations = [];
  leases = 0;
  #tape = new TapeWriter();
  #takenLarge = [];

  constructor(options, wake) {
    this.options = options;
    this.wake = wake;
  }

  submit(words, wordCount, bytes, byteCount) {
    this.submitCount++;
    const commands = readSubmission(words, wordCount, bytes.subarray(0, byteCount));
    this.commands.push(...commands);
    this.onSubmit?.(commands);
  }

  take(words, bytes) {
    const { words: shape, bytes: payload, large } = this.#tape.finish();
    if (shape.length > words.length || payload.length > bytes.length) return -1;
    words.set(shape);
    bytes.set(payload);
    this.#takenLarge.push(...large);
    this.#tape = new TapeWriter();
    return shape.length;
  }

  pendingWords() { return this.#tape.finish().words.length; }
  pendingBytes() { return this.#tape.finish().bytes.length; }
  takeLargeString() { return this.#takeLarge().toString(); }
  takeLargeBuffer() { return this.#takeLarge(); }
  #takeLarge() {
    const large = this.#takenLarge.shift();
    if (large instanceof Error) throw large;
    return large;
  }

  connect(ticket) {
    this.calls.push(['connect', ticket]);
    if (this.answersConnect) queueMicrotask(() => this.answer(ticket, { type: 'null' }));
  }

  close(ticket) {
    this.calls.push(['close', ticket]);
    queueMicrotask(() => this.answer(ticket, { type: 'null' }));
  }

  destroy() { this.calls.push(['destroy']); }
  cancel(ticket) { this.calls.push(['cancel', ticket]); }
  answerAddress(...args) { this.calls.push(['answerAddress', ...args]); }
  answerReconnect(...args) { this.calls.push(['answerReconnect', ...args]); }
  topology() { return this.topologyJson; }
  redirects() { return [3, 1]; }
  lease(destination) {
    this.calls.push(['lease', destination]);
    return 0x80000000 + ++this.leases;
  }

  release(...args) { this.calls.push(['release', ...args]); }
  refresh() { this.calls.push(['refresh']); }

  /** Numbers from 100 on, by address. */
  destination(host, port) {
    const address = `${host}:${port}`;
    if (!this.destinations.includes(address)) this.destinations.push(address);
    return 100 + this.destinations.indexOf(address);
  }

  /** Writes an answer; the facade sees it at the next wake. */
  write(ticket, value) {
    this.#tape.word(ticket);
    this.#tape.value(value);
    return this;
  }

  answer(ticket, value) {
    this.write(ticket, value);
    this.wake();
  }

  event(name, ...details) {
    this.answer(EVENT, { type: 'array', items: [{ type: 'simple', text: name }, ...details] });
  }
}

/** Replaces the addon for the facade that this process loads. @returns the engines that it made */
export function installFakeNative(Native = FakeNative) {
  const engines = [];
  const id = require.resolve('../../js/native-addon.js');
  const createNativeCluster = (options, wake) => {
    const engine = new Native(options, wake);
    engines.push(engine);
    return engine;
  };
  require.cache[id] = { id, filename: id, loaded: true, exports: { createNativeCluster } };
  return engines;
}
