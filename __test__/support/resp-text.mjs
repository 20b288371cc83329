// RESP written by hand, for scripted servers: values to bytes, and a client's commands from bytes.

const CRLF = '\r\n';

/** Each gives the bytes (latin1 text) of one RESP value; arrays and maps take such texts. */
export const resp = {
  simple: (text) => `+${text}${CRLF}`,
  error: (text) => `-${text}${CRLF}`,
  number: (value) => `:${value}${CRLF}`,
  bulk: (value) => {
    const bytes = Buffer.from(value).toString('latin1');
    return `$${bytes.length}${CRLF}${bytes}${CRLF}`;
  },
  array: (values) => `*${values.length}${CRLF}${values.join('')}`,
  push: (values) => `>${values.length}${CRLF}${values.join('')}`,
  map: (pairs) => `%${pairs.length}${CRLF}${pairs.flat().join('')}`,
  null2: `$-1${CRLF}`,
  null3: `_${CRLF}`,
};

/** Takes bytes as they arrive and gives back the commands that are complete. */
export class CommandReader {
  #pending = Buffer.alloc(0);

  /**
   * @param {Buffer} chunk
   * @returns {Buffer[][]}
   */
  read(chunk) {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const commands = [];
    for (let at = 0; ;) {
      const command = readCommand(this.#pending, at);
      if (command === undefined) {
        this.#pending = this.#pending.subarray(at);
        return commands;
      }
      commands.push(command.args);
      at = command.end;
    }
  }
}

/** @returns {{ args: Buffer[], end: number } | undefined} undefined: not complete yet */
function readCommand(bytes, at) {
  const header = readLength(bytes, at, '*');
  if (header === undefined) return undefined;
  const args = [];
  let { end } = header;
  for (let left = header.length; left > 0; left--) {
    const bulk = readLength(bytes, end, '$');
    if (bulk === undefined || bytes.length < bulk.end + bulk.length + CRLF.length) return undefined;
    args.push(Buffer.from(bytes.subarray(bulk.end, bulk.end + bulk.length)));
    end = bulk.end + bulk.length + CRLF.length;
  }
  return { args, end };
}

function readLength(bytes, at, type) {
  const lineEnd = bytes.indexOf(CRLF, at, 'latin1');
  if (lineEnd === -1) return undefined;
  const line = bytes.toString('latin1', at, lineEnd);
  if (line[0] !== type || !/^\d+$/.test(line.slice(1))) {
    throw new Error(`a client sent ${JSON.stringify(line)} where ${type}<length> belongs`);
  }
  return { length: Number(line.slice(1)), end: lineEnd + CRLF.length };
}
