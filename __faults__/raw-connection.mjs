// A connection to one node that sends and reads RESP and nothing more: what is checked by the
// harness must not depend on a client that is under test.

import net from 'node:net';

const CRLF = '\r\n';

/** What a server answered with `-`. */
export class ErrorReply extends Error {}

export class RawConnection {
  #socket;
  #received = Buffer.alloc(0);
  #waiting = [];
  isConnected = false;
  isClosed = false;

  /** @param {number} port on 127.0.0.1 */
  constructor(port) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => (this.isConnected = true));
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.isClosed = true;
      const lost = new Error(`the connection to port ${port} is closed`);
      for (const { reject } of this.#waiting.splice(0)) reject(lost);
    });
  }

  /** @param {...string} args @returns {Promise<any>} rejects with ErrorReply, or if closed */
  send(...args) {
    const lengths = args.map((arg) => `$${Buffer.byteLength(arg)}${CRLF}${arg}${CRLF}`);
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(new Error('the connection is closed'));
      this.#waiting.push({ resolve, reject });
      return this.#socket.write(`*${args.length}${CRLF}${lengths.join('')}`);
    });
  }

  close() {
    this.#socket.destroy();
  }

  #onData(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (this.#waiting.length > 0) {
      const parsed = parse(this.#received, at);
      if (parsed === undefined) break;
      at = parsed.end;
      const { resolve, reject } = this.#waiting.shift();
      if (parsed.value instanceof ErrorReply) reject(parsed.value);
      else resolve(parsed.value);
    }
    this.#received = this.#received.subarray(at);
  }
}

/** @returns {{ value: any, end: number } | undefined} undefined when the reply is not complete */
function parse(bytes, start) {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd === -1) return undefined;
  const line = bytes.toString('utf8', start + 1, lineEnd);
  const end = lineEnd + CRLF.length;
  switch (String.fromCharCode(bytes[start])) {
    case '+':
      return { value: line, end };
    case '-':
      return { value: new ErrorReply(line), end };
    case ':':
      return { value: Number(line), end };
    case '$':
      return parseBulk(bytes, end, Number(line));
    case '*':
      return parseArray(bytes, end, Number(line));
    default:
      throw new Error(`not RESP2: ${bytes.toString('latin1', start, start + 20)}`);
  }
}

function parseBulk(bytes, start, length) {
  if (length < 0) return { value: null, end: start };
  const end = start + length + CRLF.length;
  return bytes.length < end
    ? undefined
    : { value: bytes.toString('utf8', start, start + length), end };
}

function parseArray(bytes, start, length) {
  if (length < 0) return { value: null, end: start };
  const value = [];
  let end = start;
  for (let n = 0; n < length; n++) {
    const element = parse(bytes, end);
    if (element === undefined) return undefined;
    value.push(element.value);
    end = element.end;
  }
  return { value, end };
}
