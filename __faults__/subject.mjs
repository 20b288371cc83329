// The parent's side of a client's process: orders, messages, memory, and how it ended.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { now } from './clock.mjs';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));
const STDERR_KEPT = 2_000;
const WEIGH_EVERY_MS = 20;
/** How long a client may keep its process alive after it was closed. */
const LINGER_MS = 3_000;
const PAGE_MB = 4096 / 2 ** 20;

/** The client's process did not do what it was told; the message says what it said last. */
export class SubjectFailed extends Error {}

export class Subject {
  #child;
  #messages = new Map();
  #waiting = new Map();
  #stderr = '';
  #ended;
  #end;
  #scales;
  #rssMb = { now: NaN, peak: NaN };

  /** @param {object} order job, client, seeds and what the job needs */
  constructor(order) {
    this.#child = fork(CHILD, [JSON.stringify(order)], {
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#child.on('message', ({ type, body }) => this.#onMessage(type, body));
    this.#scales = setInterval(() => this.#weigh(), WEIGH_EVERY_MS);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#end = { at: now(), code, signal };
        clearInterval(this.#scales);
        resolve(this.#end);
      });
    });
    // The last messages and the last words arrive before `close`, but maybe after `exit`.
    this.#child.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(this.#failure('ended'));
    });
  }

  #onMessage(type, body) {
    const waiting = this.#waiting.get(type);
    if (waiting === undefined) this.#messages.set(type, body);
    else waiting.resolve(body);
  }

  #weigh() {
    try {
      const pages = readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1];
      const rssMb = Number(pages) * PAGE_MB;
      this.#rssMb.now = rssMb;
      if (!(rssMb <= this.#rssMb.peak)) this.#rssMb.peak = rssMb;
    } catch {
      // No /proc on this system, or the process has just ended.
    }
  }

  #failure(what) {
    const end = this.#end && ` (${this.#end.signal ?? `code ${this.#end.code}`})`;
    return new SubjectFailed(`the client's process ${what}${end ?? ''}: ${this.#lastWords()}`);
  }

  #lastWords() {
    return this.#stderr.match(/^\s*(\w*Error\b.*|.*panicked.*)$/m)?.[1] ?? this.#stderr.trim();
  }

  /** @param {string} type @param {number} limitMs @returns {Promise<any>} the message's body */
  async until(type, limitMs) {
    if (this.#messages.has(type)) return this.#messages.get(type);
    if (this.#end !== undefined) throw this.#failure('has ended');
    const arrived = new Promise((resolve, reject) => {
      this.#waiting.set(type, { resolve, reject });
    });
    let timer;
    const late = new Promise((_, reject) => {
      const what = `did not say "${type}" within ${limitMs} ms`;
      timer = setTimeout(() => reject(this.#failure(what)), limitMs);
    });
    try {
      return await Promise.race([arrived, late]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(type);
    }
  }

  send(type, body) {
    if (this.#child.connected) this.#child.send({ type, body });
  }

  /** Starts a new peak. @returns {() => number} by how many MB the memory has grown at most since */
  watchGrowth() {
    this.#weigh();
    const { now: start } = this.#rssMb;
    this.#rssMb.peak = start;
    return () => this.#rssMb.peak - start;
  }

  /** Waits for the process to end by itself, and kills it if it does not. */
  async end() {
    const timer = setTimeout(() => this.kill(), LINGER_MS);
    const { at, signal } = await this.#ended;
    clearTimeout(timer);
    return { at, lingered: signal === 'SIGKILL' };
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}
