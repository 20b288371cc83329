'use strict';
// The nodes of an open cluster as its users get at them: a client for each, and one at random.

const { attachCommands } = require('./commander');
const { listNodeCommands } = require('./commands');
const { ClientClosedError } = require('./errors');
const { attachMultiCommands } = require('./multi-command');
const { NodeClient } = require('./node-client');
const { NodeMultiCommand } = require('./node-multi-command');

/** @typedef {import('./session').Session} Session */
/** @typedef {import('./topology-view').ShardNode} ShardNode */
/** @typedef {import('./topology-view').Shard} Shard */

/**
 * What all clients of one node share.
 *
 * @typedef {object} NodeCore
 * @property {boolean} isOpen whether its cluster is
 * @property {import('./node-connections').NodeConnection} connection
 * @property {number} destination
 * @property {Record<string, any>} options
 * @property {(parser: import('./channel').CommandParser, readonly: boolean | undefined,
 *   options: import('./channel').CommandOptions | undefined,
 *   transform: import('./channel').TransformReply | undefined, destination: number) => Promise<unknown>} submit
 * @property {(commands: import('./multi-command').QueuedCommand[], destination: number) => Promise<any>} submitTransaction
 * @property {import('./watch').Lessor} lessor
 */

/** Clients of nodes have the modules, functions and scripts of their cluster's class. @type {WeakMap<object, typeof NodeClient>} */
const classes = new WeakMap();

class Nodes {
  /** Undefined: the cluster is closed. Clients that somebody keeps must not keep the engine. @type {Session | undefined} */
  #session;
  #Cluster;
  #options;
  /** @type {WeakMap<ShardNode, { core: NodeCore, client: NodeClient }>} */
  #known = new WeakMap();
  /** Whose turn it is among all, and among those of a shard. */
  #turn = Math.floor(Math.random() * 2 ** 20);
  /** @type {WeakMap<Shard, number>} */
  #turns = new WeakMap();

  /**
   * @param {Session} session
   * @param {object} Cluster the class of the cluster
   * @param {Record<string, any>} options those of createCluster
   */
  constructor(session, Cluster, options) {
    this.#session = session;
    this.#Cluster = Cluster;
    this.#options = options;
  }

  /** The cluster is closed: so are all clients of its nodes. */
  end() {
    this.#session = undefined;
  }

  /**
   * The client that everybody finds at the node, if the cluster is open or somebody has asked before.
   *
   * @param {ShardNode} node
   */
  clientOf(node) {
    return this.#session === undefined ? this.#known.get(node)?.client : this.#at(node).client;
  }

  /**
   * A client with a watch of its own.
   *
   * @param {ShardNode} node
   */
  newClient(node) {
    return this.#create(this.#at(node).core);
  }

  /** @param {ShardNode} node */
  connectionOf(node) {
    return this.#at(node).core.connection;
  }

  /** Learns the topology again, in the background. */
  refresh() {
    this.#openSession().refresh();
  }

  /**
   * Sends a command to this node.
   *
   * @param {ShardNode} node
   * @param {import('./commands').BasicCommandParser} parser
   * @param {boolean | undefined} readonly
   * @param {import('./channel').CommandOptions | undefined} options
   * @param {import('./channel').TransformReply | undefined} transform
   */
  submit(node, parser, readonly, options, transform) {
    const { core } = this.#at(node);
    return core.submit(parser, readonly, options, transform, core.destination);
  }

  /**
   * @param {ShardNode[]} nodes
   * @returns {ShardNode} each in its turn
   */
  next(nodes) {
    return nodes[this.#turn++ % nodes.length];
  }

  /**
   * @param {Shard} shard
   * @returns {ShardNode} each of its nodes in its turn
   */
  nextOf(shard) {
    const { master, replicas } = shard;
    if (!replicas?.length) return master;
    const nodes = [master, ...replicas];
    const turn = this.#turns.get(shard) ?? Math.floor(Math.random() * nodes.length);
    this.#turns.set(shard, turn + 1);
    return nodes[turn % nodes.length];
  }

  /** @param {ShardNode} node */
  #at(node) {
    let known = this.#known.get(node);
    if (known === undefined) {
      const core = this.#createCore(node);
      known = { core, client: this.#create(core) };
      this.#known.set(node, known);
    }
    return known;
  }

  /** @param {NodeCore} core */
  #create(core) {
    let Client = classes.get(this.#Cluster);
    if (Client === undefined) {
      Client = createClass(this.#options);
      classes.set(this.#Cluster, Client);
    }
    return new Client(core);
  }

  /** @throws when the cluster is closed */
  #openSession() {
    if (this.#session === undefined) throw new ClientClosedError();
    return this.#session;
  }

  /**
   * @param {ShardNode} node
   * @returns {NodeCore}
   */
  #createCore(node) {
    const nodes = this;
    const session = this.#openSession();
    const destination = session.destination(node);
    return {
      get isOpen() { return nodes.#session !== undefined; },
      connection: session.connectionTo(node.address),
      destination,
      options: this.#optionsOf(node),
      submit: (parser, readonly, options, transform, to) => (nodes.#session === undefined
        ? Promise.reject(new ClientClosedError())
        : nodes.#session.channel.submit(parser, readonly, options, transform, to)),
      submitTransaction: async (commands, to) =>
        nodes.#openSession().channel.submitTransaction(commands, undefined, to),
      lessor: {
        lease: () => nodes.#openSession().lease(destination),
        release: (lease, isClean) => nodes.#session?.release(lease, isClean),
        isLeaseAlive: (lease) => nodes.#openSession().isLeaseAlive(lease),
      },
    };
  }

  /** @param {ShardNode} node */
  #optionsOf({ host, port, readonly }) {
    const { defaults, RESP } = this.#options;
    const { url, ...others } = defaults ?? {};
    return { ...others, RESP, readonly, socket: { ...defaults?.socket, host, port } };
  }
}

/** @param {Record<string, any>} config of the cluster */
function createClass(config) {
  const Client = attachCommands(NodeClient, config, listNodeCommands());
  /** @type {typeof NodeMultiCommand | undefined} */
  let Multi;
  Object.defineProperty(Client.prototype, '_Multi', {
    get: () => (Multi ??= attachMultiCommands(NodeMultiCommand, config, listNodeCommands())),
  });
  return Client;
}

module.exports = { Nodes };
