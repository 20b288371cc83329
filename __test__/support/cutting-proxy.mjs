// A wire between client and server that can break in the middle of a command, with nothing left of it.

import net from 'node:net';

export class CuttingProxy {
  /** The next connection that has sent this many bytes is cut, and they are not passed on. */
  cutAfter = Infinity;
  /** How many connections were cut so. */
  cuts = 0;
  #targetPort;
  #sockets = new Set();
  #server = net.createServer((socket) => this.#accept(socket));

  /** @param {number} targetPort on 127.0.0.1 */
  constructor(targetPort) {
    this.#targetPort = targetPort;
  }

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    this.port = /** @type {net.AddressInfo} */ (this.#server.address()).port;
    return this;
  }

  #accept(client) {
    const server = net.connect(this.#targetPort, '127.0.0.1');
    const end = () => {
      client.destroy();
      server.destroy();
    };
    let passed = 0;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket
        .setNoDelay(true)
        .on('error', () => {})
        .on('close', end);
    }
    client.on('data', (bytes) => {
      passed += bytes.length;
      if (passed <= this.cutAfter) return server.write(bytes);
      this.cuts += 1;
      this.cutAfter = Infinity;
      end();
    });
    server.pipe(client);
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
