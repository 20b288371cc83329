// A listener that hands its connections on to another port, and counts them.

import net from 'node:net';

export class Relay {
  accepted = 0;
  #sockets = new Set();
  #toPort;
  #server = net.createServer((socket) => {
    this.accepted += 1;
    const onward = net.connect(this.#toPort, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ]) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });

  /** @param {number} toPort of 127.0.0.1 @param {string} [host] where it listens */
  async listen(toPort, host = '127.0.0.1') {
    this.#toPort = toPort;
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, () => resolve(undefined));
    });
    this.port = /** @type {net.AddressInfo} */ (this.#server.address()).port;
    return this;
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
