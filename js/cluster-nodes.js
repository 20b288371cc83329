'use strict';
// Methods of a cluster that are about its nodes: which there are, a client of one, and what goes through
// all of them. What few programs use loads when it is used.

const { calculateSlot } = require('./commands');

/** @typedef {import('@redis/client').RedisArgument} RedisArgument */
/** @typedef {import('./nodes').Nodes} Nodes */
/** @typedef {import('./topology-view').ShardNode} ShardNode */

/**
 * What they need of a cluster, or of a view that `withCommandOptions` has made.
 *
 * @typedef {object} ClusterOfNodes
 * @property {ClusterOfNodes} _self
 * @property {import('./channel').CommandOptions | undefined} _commandOptions
 * @property {() => Nodes} _openNodes throws while nothing is accepted
 * @property {import('./topology-view').Shard[]} slots
 * @property {ShardNode[]} masters
 * @property {ShardNode[]} replicas
 * @property {Map<string, ShardNode>} nodeByAddress
 */

/** @typedef {import('./virtual-cursors').VirtualCursors} VirtualCursors */

/** @type {WeakMap<ClusterOfNodes, VirtualCursors>} */
const cursors = new WeakMap();

/**
 * @param {ClusterOfNodes} cluster
 * @returns {VirtualCursors}
 */
function cursorsOf(cluster) {
  let own = cursors.get(cluster);
  if (own === undefined) {
    const { VirtualCursors } = require('./virtual-cursors');
    own = new VirtualCursors();
    cursors.set(cluster, own);
  }
  return own;
}

/** @type {Record<string, (this: ClusterOfNodes, ...args: any[]) => unknown>} */
const METHODS = {
  /**
   * A client of one node. Each has a WATCH of its own.
   *
   * @param {ShardNode} node
   */
  async nodeClient(node) {
    return this._self._openNodes().newClient(node);
  },

  /** A node, each in its turn. */
  getRandomNode() {
    const nodes = this._self._openNodes();
    return nodes.next([...this.masters, ...this.replicas]);
  },

  /** A node that has the slot, each in its turn. @param {number} slot */
  getSlotRandomNode(slot) {
    return this._self._openNodes().nextOf(this.slots[slot]);
  },

  /**
   * A client of the node that has the key, for what a cluster has not: WATCH, for example.
   *
   * @param {RedisArgument} key
   * @param {boolean} [isReadonly] whether it may be a replica
   */
  getNodeClientForKey(key, isReadonly) {
    const nodes = this._self._openNodes();
    const shard = this.slots[calculateSlot(key)];
    return Promise.resolve(nodes.newClient(isReadonly ? nodes.nextOf(shard) : shard.master));
  },

  /** @deprecated Use `masters`. */
  getMasters() {
    return this.masters;
  },

  /** @deprecated Use `slots`. @param {number} slot */
  getSlotMaster(slot) {
    return this.slots[slot].master;
  },

  /**
   * All keys of the cluster, in pages. A key that exists all the time is among them, also while slots
   * move and primaries are replaced; some keys may come twice.
   *
   * @param {import('./scanned-node').ScanOptions} [options]
   */
  scanIterator(options) {
    const cluster = this._self;
    const { scanCluster } = require('./scan-iterator');
    return scanCluster({
      view: () => (cluster._openNodes(), cluster),
      send: (node, parser, all) => cluster._openNodes().submit(node, parser, true, all, undefined),
      connections: (node) => cluster._openNodes().connectionOf(node).epoch,
      refresh: () => cluster._openNodes().refresh(),
    }, options, this._commandOptions);
  },

  /**
   * A command that goes on where an earlier one stopped.
   *
   * @param {import('./commands').BasicCommandParser} parser
   * @param {boolean | undefined} readonly
   * @param {import('./channel').CommandOptions | undefined} options
   * @param {import('./channel').TransformReply | undefined} transform
   */
  async _submitCursor(parser, readonly, options, transform) {
    const nodes = this._openNodes();
    return cursorsOf(this).run(parser, this, nodes.next(this.masters), (node, routed) =>
      nodes.submit(node, routed, readonly, options, transform));
  },
};

/** @param {object} prototype of the cluster's class */
function defineNodeMethods(prototype) {
  for (const [name, value] of Object.entries(METHODS)) {
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
  }
}

module.exports = { defineNodeMethods };
