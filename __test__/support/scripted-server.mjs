// A server that answers exactly what a test tells it to, byte for byte, and remembers what it got.

import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandReader } from './resp-text.mjs';

/** As a part of an answer: the connection is cut here. */
export const HANG_UP = Symbol('hang up');
/** As an answer: none, ever; and as servers answer in order, none to what follows on the connection. */
export const SILENCE = [];

/**
 * What a script gives back for one command: bytes (a string is latin1), or parts that are written
 * one after the other, where a number waits so many milliseconds and HANG_UP cuts the connection.
 * @typedef {string | Buffer | (string | Buffer | number | typeof HANG_UP)[]} Answer
 */

/**
 * @callback Script
 * @param {string[]} args as text
 * @param {Connection} connection
 * @param {Buffer[]} raw the same as bytes
 * @returns {Answer | Promise<Answer>}
 */

/**
 * @typedef {object} Received
 * @property {string[]} args as text
 * @property {Buffer[]} raw as bytes
 * @property {Connection} connection
 */

/** One client's connection, as scripts see it. */
export class Connection {
  /** The protocol that the client chose with HELLO; scripts that answer HELLO may set it. */
  protocol = 2;
  #socket;
  #writing = Promise.resolve();
  #isSilent = false;

  constructor(id, socket) {
    this.id = id;
    this.#socket = socket;
  }

  /**
   * Writes after everything that is still being written.
   *
   * @param {Answer | Promise<Answer>} answer
   */
  write(answer) {
    this.#writing = this.#writing.then(async () => {
      const parts = await answer;
      this.#isSilent ||= parts === SILENCE;
      if (this.#isSilent) return;
      for (const part of Array.isArray(parts) ? parts : [parts]) await this.#writePart(part);
    });
    return this.#writing;
  }

  async #writePart(part) {
    if (part === HANG_UP) this.close();
    else if (typeof part === 'number') await sleep(part);
    else if (!this.#socket.destroyed) {
      this.#socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    }
  }

  close() {
    this.#socket.destroy();
  }
}

/** Listens on a free port of 127.0.0.1. */
export class ScriptedServer {
  /** @type {Received[]} every command, in the order of arrival */
  received = [];
  /** @type {Set<Connection>} the open ones */
  connections = new Set();
  /** How many connections were ever accepted. */
  accepted = 0;
  /** In how many pieces everything came: one for each write of a client's that is not very long. */
  pieces = 0;
  /** @type {Error[]} what went wrong in scripts; `close()` throws the first one */
  #failures = [];
  #server = net.createServer((socket) => this.#accept(socket));
  #script;

  /** @param {Script} script */
  constructor(script) {
    this.#script = script;
  }

  async listen(port = 0) {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve(undefined));
    });
    this.port = /** @type {net.AddressInfo} */ (this.#server.address()).port;
    return this;
  }

  #accept(socket) {
    this.accepted += 1;
    const connection = new Connection(this.accepted, socket);
    const reader = new CommandReader();
    this.connections.add(connection);
    socket.setNoDelay(true);
    // Clients may cut connections as they like; what matters to a test is what they sent.
    socket.on('error', () => {});
    socket.on('close', () => this.connections.delete(connection));
    socket.on('data', (chunk) => {
      this.pieces += 1;
      try {
        for (const raw of reader.read(chunk)) this.#answer(raw, connection);
      } catch (error) {
        this.#fail(error, connection);
      }
    });
  }

  #answer(raw, connection) {
    const args = raw.map((bytes) => bytes.toString());
    this.received.push({ args, raw, connection });
    const answer = this.#script(args, connection, raw);
    connection.write(answer).catch((error) => this.#fail(error, connection));
  }

  #fail(error, connection) {
    this.#failures.push(error);
    connection.close();
  }

  /** The commands of one name that arrived so far: all arguments of each, as text. */
  commands(name) {
    return this.received
      .map(({ args }) => args)
      .filter((args) => args[0].toUpperCase() === name.toUpperCase());
  }

  /** Cuts all connections; new ones are accepted. */
  dropConnections() {
    for (const connection of this.connections) connection.close();
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropConnections();
    await closed;
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}
