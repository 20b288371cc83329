// Nodes on which commands block until the test lets them go.

import { resp } from './resp-text.mjs';

const UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

/**
 * BLPOP and XREAD block by their key (the first argument, or the one behind STREAMS). GET, ECHO, SET
 * and WAIT are answered at once, with the node and the key.
 */
export class BlockingScript {
  /** @type {Array<{ key: string, node: number, connection: any, answer: (answer: any) => void }>} */
  blocked = [];
  /** The most that were blocked at the same time, over all. */
  most = 0;
  /** Whether CLIENT UNBLOCK works: else it is refused. */
  unblocks = true;
  /** @type {Array<string[]>} the CLIENT UNBLOCK commands */
  unblocking = [];

  script = (args, context) => {
    const name = args[0].toUpperCase();
    if (name === 'WAIT') return resp.number(1);
    if (name === 'GET' || name === 'SET') return resp.bulk(`${context.node}:${args[1]}`);
    if (name === 'ECHO') return resp.bulk(args[1]);
    if (name === 'CLIENT' && args[1].toUpperCase() === 'UNBLOCK') return this.#unblock(args, context);
    if (name === 'BLPOP') return this.#block(args[1], context);
    if (name === 'XREAD' && args.includes('BLOCK')) {
      return this.#block(args[args.indexOf('STREAMS') + 1], context);
    }
    return name === 'XREAD' ? resp.bulk(`${context.node}:read`) : undefined;
  };

  #block(key, { node, connection }) {
    return new Promise((resolve) => {
      const one = { key, node, connection, answer: (answer) => {
        this.blocked = this.blocked.filter((other) => other !== one);
        resolve(answer);
      } };
      this.blocked.push(one);
      this.most = Math.max(this.most, this.blocked.length);
    });
  }

  #unblock(args, { node }) {
    this.unblocking.push(args);
    if (!this.unblocks) return resp.error('NOPERM this user has no permissions');
    const one = this.blocked.find((other) => other.node === node && String(other.connection.id) === args[2]);
    if (one === undefined) return resp.number(0);
    one.answer(resp.error(UNBLOCKED));
    return resp.number(1);
  }

  /** Answers what blocks on `key` with what stands for an element. */
  push(key, element = 'element') {
    this.blockedOn(key).answer(popped(key, element));
  }

  blockedOn(key) {
    const found = this.blocked.find((one) => one.key === key);
    if (found === undefined) throw new Error(`nothing is blocked on ${key}`);
    return found;
  }

  isBlocked(key) {
    return this.blocked.some((one) => one.key === key);
  }
}

export const popped = (key, element = 'element') => resp.array([resp.bulk(key), resp.bulk(element)]);
