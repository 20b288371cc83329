// A Redis Cluster on this machine, for tests, benchmarks and `npm start`: start, move slots, stop.

import { createClient, RESP_TYPES } from 'redis';
import { formCluster, slotRange } from './cluster-formation.mjs';
import { killServer, restartServer, signalServer, startServer } from './server-process.mjs';

const MIGRATE_TIMEOUT_MS = 5_000;

/**
 * @typedef {object} ClusterNode
 * @property {number} port
 * @property {number} pid
 * @property {string} id the node's cluster id
 * @property {'primary' | 'replica'} role as started; failovers are not followed
 * @property {number} primaryIndex which shard the node belongs to
 * @property {string} dir
 * @property {string} binary
 * @property {string[]} args those it was given besides port and folder
 * @property {import('node:child_process').ChildProcess} process
 */

/**
 * Starts a cluster and waits until every node calls it `ok` and every replica is in sync.
 *
 * @param {object} options
 * @param {string} options.binary the server to run
 * @param {number} [options.primaries]
 * @param {number} [options.replicasPerPrimary]
 * @param {string[]} [options.args] more server arguments
 * @param {string} [options.password] required from clients, and used among the nodes
 * @param {number} [options.nodeTimeoutMs] `cluster-node-timeout`
 * @param {(message: string) => void} [options.log]
 * @returns {Promise<LocalCluster>}
 */
export async function startCluster({
  binary,
  primaries = 3,
  replicasPerPrimary = 0,
  args = [],
  password,
  nodeTimeoutMs = 1000,
  log = () => {},
}) {
  const serverArgs = [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
    ...['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-announce-ip', '127.0.0.1'],
    // A replica gets its first copy at once and without a file.
    ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'],
    // CLUSTER SLOTS lists a replica once it has received something; by default, after 10 s.
    ...['--repl-ping-replica-period', '1'],
    ...['--enable-debug-command', 'yes'],
    ...(password === undefined ? [] : ['--requirepass', password, '--masterauth', password]),
    ...args,
  ];
  const count = primaries * (1 + replicasPerPrimary);
  const started = await Promise.allSettled(
    Array.from({ length: count }, () => startServer({ binary, args: serverArgs })),
  );
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const nodes = servers.map((server, index) => ({
    ...server,
    id: '',
    role: /** @type {'primary' | 'replica'} */ (index < primaries ? 'primary' : 'replica'),
    primaryIndex: index % primaries,
  }));
  const cluster = new LocalCluster(nodes, password);
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    log(`${count} nodes listen on ${nodes.map((node) => node.port).join(', ')}`);
    await formCluster(cluster);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  log('the cluster is ready');
  return cluster;
}

/** The nodes of one local cluster, and an administrator's connection to each of them. */
export class LocalCluster {
  #password;
  /** @type {Map<number, Promise<any>>} port -> a connected node-redis client */
  #admins = new Map();
  /** @type {ClusterNode[]} the owner of each slot, as far as this object moved them */
  #owners = [];

  /**
   * @param {ClusterNode[]} nodes
   * @param {string | undefined} password
   */
  constructor(nodes, password) {
    this.nodes = nodes;
    this.#password = password;
    const { primaries } = this;
    for (const [index, node] of primaries.entries()) {
      const { first, last } = slotRange(index, primaries.length);
      for (let slot = first; slot <= last; slot++) this.#owners[slot] = node;
    }
  }

  get primaries() {
    return this.nodes.filter((node) => node.role === 'primary');
  }

  /** For `rootNodes`. */
  get seeds() {
    return this.nodes.map((node) => ({ url: `redis://127.0.0.1:${node.port}` }));
  }

  /**
   * Sends one command to one node and returns the reply as the server gave it (RESP2).
   *
   * @param {number} port
   * @param {...(string | Buffer)} args
   * @returns {Promise<any>}
   */
  async admin(port, ...args) {
    return (await this.#adminClient(port)).sendCommand(args);
  }

  #adminClient(port) {
    let opening = this.#admins.get(port);
    if (opening === undefined) {
      const client = createClient({
        socket: { host: '127.0.0.1', port, reconnectStrategy: false },
        password: this.#password,
        RESP: 2,
        commandOptions: { timeout: undefined },
      });
      const forget = () => this.#admins.delete(port);
      // The failed command rejects with the same error; the next one opens a new connection.
      client.on('error', forget);
      client.on('end', forget);
      opening = client.connect();
      opening.catch(forget);
      this.#admins.set(port, opening);
    }
    return opening;
  }

  /**
   * @param {number} slot
   * @returns {ClusterNode} the primary that owns the slot
   */
  primaryOf(slot) {
    return this.#owners[slot];
  }

  #node(port) {
    const found = this.nodes.find((node) => node.port === port);
    if (found === undefined) throw new Error(`no node of this cluster listens on port ${port}`);
    return found;
  }

  /**
   * Moves one slot with its keys to another primary.
   *
   * @param {number} slot
   * @param {number} toPort
   * @param {object} [options]
   * @param {number} [options.keysPerCall]
   * @param {(phase: 'migrating' | 'moved' | 'finished') => unknown} [options.onPhase] awaited
   * @returns {Promise<number>} how many keys were moved
   */
  async migrateSlot(slot, toPort, { keysPerCall = 100, onPhase = () => {} } = {}) {
    await this.beginMigration(slot, toPort);
    await onPhase('migrating');
    let total = 0;
    for (;;) {
      const moved = await this.moveKeys(slot, toPort, keysPerCall);
      if (moved === 0) break;
      total += moved;
    }
    await onPhase('moved');
    await this.finishMigration(slot, toPort);
    await onPhase('finished');
    return total;
  }

  /** From here on the owner answers ASK for keys that it does not (any more) have. */
  async beginMigration(slot, toPort) {
    const from = this.primaryOf(slot);
    const to = this.#node(toPort);
    await this.admin(toPort, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id);
    await this.admin(from.port, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id);
  }

  /** Moves at most `count` keys of the slot. @returns {Promise<number>} how many it moved */
  async moveKeys(slot, toPort, count) {
    const source = await this.#adminClient(this.primaryOf(slot).port);
    const keys = await source.sendCommand(
      ['CLUSTER', 'GETKEYSINSLOT', String(slot), String(count)],
      { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    );
    if (keys.length === 0) return 0;
    const auth = this.#password === undefined ? [] : ['AUTH', this.#password];
    await source.sendCommand([
      ...['MIGRATE', '127.0.0.1', String(toPort), '', '0', String(MIGRATE_TIMEOUT_MS), ...auth],
      ...['KEYS', ...keys],
    ]);
    return keys.length;
  }

  /** Tells the primaries who owns the slot now: from here on the old owner answers MOVED. */
  async finishMigration(slot, toPort) {
    const from = this.primaryOf(slot);
    const to = this.#node(toPort);
    const others = this.primaries.filter((node) => node !== to && node !== from);
    // First the new owner: at no time may a slot be without one.
    for (const node of [to, from, ...others]) {
      await this.admin(node.port, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id);
    }
    this.#owners[slot] = to;
  }

  /**
   * Starts a node that was killed or has ended: same port, same folder, same cluster id.
   *
   * @param {ClusterNode} node
   */
  async restart(node) {
    await restartServer(node);
  }

  /**
   * Sends a signal to one node, by its process id.
   *
   * @param {ClusterNode} node
   * @param {NodeJS.Signals} [signal]
   */
  async kill(node, signal = 'SIGKILL') {
    await signalServer(node, signal);
  }

  /** Ends all nodes and removes their folders. */
  async stop() {
    const opened = await Promise.allSettled(this.#admins.values());
    for (const one of opened) {
      if (one.status === 'fulfilled' && one.value.isOpen) one.value.destroy();
    }
    await Promise.all(this.nodes.map((node) => killServer(node)));
  }
}
