'use strict';
// The cluster's layout as node-redis shows it: `slots`, `masters`, `replicas`, `nodeByAddress`. A view
// of what the engine knows, made when somebody looks.

const SLOTS = 16384;

/**
 * A node, with the fields of node-redis's.
 *
 * @typedef {object} ShardNode
 * @property {string} host
 * @property {number} port
 * @property {string} id
 * @property {string} address
 * @property {boolean} readonly
 * @property {import('./node-client').NodeClient | undefined} client made when somebody asks
 * @property {undefined} connectPromise
 */

/** @typedef {{ master: ShardNode, replicas?: ShardNode[] }} Shard */

/** @typedef {{ slots: Shard[], masters: ShardNode[], nodeByAddress: Map<string, ShardNode> }} TopologyPicture */

/**
 * What the engine publishes.
 *
 * @typedef {object} Topology
 * @property {number} epoch
 * @property {Array<{ id: string, host: string, port: number, readonly: boolean }>} nodes
 * @property {Array<{ primary: number, replicas: number[], ranges: Array<[from: number, to: number]> }>} shards
 */

class TopologyView {
  /** @type {Shard[]} */
  slots = new Array(SLOTS);
  /** @type {ShardNode[]} */
  masters = [];
  /** @type {ShardNode[]} */
  replicas = [];
  /** @type {Map<string, ShardNode>} */
  nodeByAddress = new Map();
  /** @type {number | undefined} */
  #epoch;
  #clientOf;

  /** @param {(node: ShardNode) => import('./node-client').NodeClient | undefined} clientOf */
  constructor(clientOf) {
    this.#clientOf = clientOf;
  }

  /** Forgets everything, as a closed cluster does. */
  clear() {
    this.slots = new Array(SLOTS);
    this.masters = [];
    this.replicas = [];
    this.nodeByAddress.clear();
    this.#epoch = undefined;
  }

  /**
   * Shows a topology. A node that is still there, in its role, stays the same object.
   *
   * @param {Topology} topology
   * @param {boolean} withReplicas
   */
  update({ epoch, nodes, shards }, withReplicas) {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    /** @type {Set<ShardNode>} */
    const masters = new Set();
    /** @type {Set<ShardNode>} */
    const replicas = new Set();
    const slots = new Array(SLOTS);
    for (const { primary, replicas: copies, ranges } of shards) {
      const master = this.#node(nodes[primary], false);
      masters.add(master);
      /** @type {Shard} */
      const shard = { master };
      if (withReplicas) {
        shard.replicas = copies.map((copy) => this.#node(nodes[copy], true));
        for (const replica of shard.replicas) replicas.add(replica);
      }
      for (const [from, to] of ranges) slots.fill(shard, from, to + 1);
    }
    this.slots = slots;
    this.masters = [...masters];
    this.replicas = [...replicas];
    for (const [address, node] of this.nodeByAddress) {
      if (!masters.has(node) && !replicas.has(node)) this.nodeByAddress.delete(address);
    }
  }

  /**
   * @param {{ id: string, host: string, port: number }} node
   * @param {boolean} readonly
   * @returns {ShardNode}
   */
  #node({ id, host, port }, readonly) {
    const address = `${host}:${port}`;
    const known = this.nodeByAddress.get(address);
    if (known?.id === id && known.readonly === readonly) return known;
    const clientOf = this.#clientOf;
    /** @type {ShardNode} */
    const node = {
      host, port, id, address, readonly,
      get client() { return clientOf(node); },
      connectPromise: undefined,
    };
    this.nodeByAddress.set(address, node);
    return node;
  }
}

module.exports = { TopologyView };
