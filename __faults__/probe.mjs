// Asks every node of every shard to write, all the time: when a shard's servers could not, no
// client could have. What a client's stall exceeds that by is the client's.

import { slotRange } from '../scripts/cluster-formation.mjs';
import { now } from './clock.mjs';
import { tagsIn } from './keys.mjs';
import { ErrorReply, RawConnection } from './raw-connection.mjs';

const EVERY_MS = 4;

export class Probe {
  #timer;
  #keys;
  /** @type {Map<number, { connection: RawConnection, isAsked: boolean }>} by port */
  #nodes = new Map();
  /** Per shard, when a write was accepted. @type {number[][]} */
  #accepted;
  /** Per shard, how long answers took, refusals too. @type {{ at: number, waited: number }[][]} */
  #answers;

  constructor(cluster, shardCount) {
    this.#accepted = Array.from({ length: shardCount }, () => [now()]);
    this.#answers = this.#accepted.map(() => []);
    this.#keys = this.#accepted.map((_, shard) => {
      const [tag] = tagsIn('probe', slotRange(shard, shardCount), 1);
      return `faults:probe:{${tag}}`;
    });
    this.#timer = setInterval(() => {
      for (const node of cluster.nodes) this.#askToWrite(node);
    }, EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    for (const { connection } of this.#nodes.values()) connection.close();
  }

  /** New nodes are asked too: the list of the cluster grows. */
  #askToWrite({ port, primaryIndex }) {
    let node = this.#nodes.get(port);
    if (node === undefined || node.connection.isClosed) {
      node = { connection: new RawConnection(port), isAsked: false };
      this.#nodes.set(port, node);
    }
    if (!node.connection.isConnected || node.isAsked) return;
    node.isAsked = true;
    const askedAt = now();
    node.connection.send('SET', this.#keys[primaryIndex], 'x').then(
      () => {
        node.isAsked = false;
        this.#accepted[primaryIndex].push(now());
        this.#onAnswer(primaryIndex, askedAt);
      },
      // Not accepted, and asked again.
      (error) => {
        node.isAsked = false;
        if (error instanceof ErrorReply) this.#onAnswer(primaryIndex, askedAt);
      },
    );
  }

  #onAnswer(shard, askedAt) {
    const at = now();
    this.#answers[shard].push({ at, waited: at - askedAt });
  }

  /**
   * The longest time after `from` that one of the shards accepted no write, or kept one waiting: a
   * primary that hands over holds writes back, and refuses them once it has heard of its successor.
   */
  longestOutage(shards, from) {
    const waits = shards.flatMap((shard) =>
      this.#answers[shard].filter(({ at }) => at >= from).map(({ waited }) => waited),
    );
    const gaps = shards.flatMap((shard) => {
      const times = [...this.#accepted[shard], now()];
      return times.slice(1).map((at, index) => (at < from ? 0 : at - times[index]));
    });
    return [...gaps, ...waits].reduce((longest, one) => Math.max(longest, one), 0);
  }

  /** Waits until a shard has accepted a write after some time. @returns {Promise<number>} when */
  async acceptedAfter(shard, time, patienceMs = 30_000) {
    const deadline = now() + patienceMs;
    for (;;) {
      const at = this.#accepted[shard].find((accepted) => accepted > time);
      if (at !== undefined) return at;
      if (now() > deadline) throw new Error(`shard ${shard} accepts no write in ${patienceMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
