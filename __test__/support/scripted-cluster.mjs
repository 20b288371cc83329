// A cluster of scripted servers: answers handshakes and CLUSTER SLOTS, the test scripts the rest.

import { resp } from './resp-text.mjs';
import { ScriptedServer } from './scripted-server.mjs';

const SLOTS = 16_384;
const OK = resp.simple('OK');
/** What clients send to set up a connection, and where `OK` is all that they want to hear. */
const ANSWERED_OK = new Set([
  ...['ASKING', 'AUTH', 'READONLY', 'READWRITE', 'SELECT'],
  ...['CLIENT SETINFO', 'CLIENT SETNAME'],
]);

/** @typedef {import('./scripted-server.mjs').Answer} Answer */

/**
 * @typedef {object} SlotRange
 * @property {number} first
 * @property {number} last
 * @property {number[]} nodes indexes of nodes: the primary, then its replicas
 */

/**
 * @typedef {object} Context
 * @property {number} node index of the node that was asked
 * @property {import('./scripted-server.mjs').Connection} connection
 * @property {Buffer[]} raw the arguments as bytes
 * @property {ScriptedCluster} cluster
 */

/**
 * @callback ClusterScript
 * @param {string[]} args
 * @param {Context} context
 * @returns {Answer | Promise<Answer> | undefined}
 *   undefined: answer as an ordinary node would
 */

export class ScriptedCluster {
  /** @type {ScriptedServer[]} */
  nodes;
  /** @type {SlotRange[]} what CLUSTER SLOTS says; tests may replace it at any time */
  layout;
  /** @type {(node: number, asked: number) => [host: string | null, port: number]} */
  announce = (node) => ['127.0.0.1', this.nodes[node].port];
  /** @type {(asked: number) => SlotRange[]} the layout as one node sees it */
  viewOf = () => this.layout;
  /** @type {(node: number) => string} what CLUSTER SLOTS calls a node */
  idOf = (node) => String(node).padStart(40, '0');
  /** @type {(node: number) => string} what a node calls itself */
  myId = (node) => this.idOf(node);
  /** @type {(node: number) => number} `cluster_current_epoch` of CLUSTER INFO */
  epochOf = () => 1;
  #script;

  /** @param {number} primaries @param {number} replicasPerPrimary @param {ClusterScript} script */
  constructor(primaries, replicasPerPrimary, script) {
    this.#script = script;
    this.nodes = Array.from({ length: primaries * (1 + replicasPerPrimary) }, (_, node) => {
      return new ScriptedServer((args, connection, raw) =>
        this.#answer(node, args, connection, raw),
      );
    });
    this.layout = Array.from({ length: primaries }, (_, shard) => ({
      first: Math.floor((shard * SLOTS) / primaries),
      last: Math.floor(((shard + 1) * SLOTS) / primaries) - 1,
      nodes: Array.from({ length: 1 + replicasPerPrimary }, (_, copy) => shard + copy * primaries),
    }));
  }

  /** For `rootNodes`. */
  get seeds() {
    return this.nodes.map(({ port }) => ({ socket: { host: '127.0.0.1', port } }));
  }

  address(node) {
    return `127.0.0.1:${this.nodes[node].port}`;
  }

  #answer(node, args, connection, raw) {
    const scripted = this.#script(args, { node, connection, raw, cluster: this });
    return scripted ?? this.ordinary(args, { node, connection });
  }

  /**
   * What a node answers that has no script.
   *
   * @param {string[]} args
   * @param {Pick<Context, 'node' | 'connection'>} context
   */
  ordinary(args, { node, connection }) {
    const name = args[0].toUpperCase();
    const full = args.length > 1 ? `${name} ${args[1].toUpperCase()}` : name;
    if (name === 'HELLO') return hello(args, connection);
    if (name === 'PING') return resp.simple('PONG');
    if (full === 'CLUSTER SLOTS') return this.clusterSlots(node, connection.protocol);
    if (full === 'CLIENT ID') return resp.number(connection.id);
    if (full === 'CLUSTER MYID') return resp.bulk(this.myId(node));
    if (full === 'CLUSTER INFO') return resp.bulk(this.#info(node));
    if (ANSWERED_OK.has(name) || ANSWERED_OK.has(full)) return OK;
    return resp.error(`ERR unknown command '${args[0]}'`);
  }

  /** The bytes of CLUSTER SLOTS as the node that was asked would write them. */
  clusterSlots(asked, protocol = 3) {
    return resp.array(
      this.viewOf(asked).map(({ first, last, nodes }) =>
        resp.array([
          resp.number(first),
          resp.number(last),
          ...nodes.map((node) => this.#listed(node, asked, protocol)),
        ]),
      ),
    );
  }

  #listed(node, asked, protocol) {
    const [host, port] = this.announce(node, asked);
    const none = protocol === 3 ? resp.null3 : resp.null2;
    const shown = host === null ? none : resp.bulk(host);
    return resp.array([shown, resp.number(port), resp.bulk(this.idOf(node)), resp.array([])]);
  }

  #info(node) {
    const fields = ['cluster_state:ok', `cluster_current_epoch:${this.epochOf(node)}`];
    return fields.map((field) => `${field}\r\n`).join('');
  }

  async close() {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

function hello(args, connection) {
  connection.protocol = Number(args[1] ?? connection.protocol);
  const fields = [
    [resp.bulk('server'), resp.bulk('redis')],
    [resp.bulk('version'), resp.bulk('7.0.0')],
    [resp.bulk('proto'), resp.number(connection.protocol)],
    [resp.bulk('id'), resp.number(connection.id)],
    [resp.bulk('mode'), resp.bulk('cluster')],
    [resp.bulk('role'), resp.bulk('master')],
    [resp.bulk('modules'), resp.array([])],
  ];
  return connection.protocol === 3 ? resp.map(fields) : resp.array(fields.flat());
}

/**
 * @param {{ primaries?: number, replicasPerPrimary?: number, script?: ClusterScript }} [options]
 */
export async function startScriptedCluster({
  primaries = 3,
  replicasPerPrimary = 0,
  script = () => undefined,
} = {}) {
  const cluster = new ScriptedCluster(primaries, replicasPerPrimary, script);
  await Promise.all(cluster.nodes.map((node) => node.listen()));
  return cluster;
}
