// The cluster the clients are measured on: three primaries with a replica each, started for this
// run and filled with the data sets, or one that the user names.
import { createRequire } from 'node:module';
import { fill } from './dataset.mjs';
import { startCluster } from '../scripts/local-cluster.mjs';
import { findServers } from '../scripts/servers.mjs';

const { createCluster } = createRequire(import.meta.url)('redis');

/**
 * No failover because a loaded machine let a node wait: what is measured are clients, not
 * elections.
 */
const NODE_TIMEOUT_MS = 15_000;

/**
 * @param {{ seeds?: { host: string, port: number }[], server?: string, workloads: { dataset: string }[] }} options
 * @param {(message: string) => void} log
 */
export async function openCluster({ seeds, server, workloads }, log) {
  const started = seeds === undefined ? await start(server, log) : undefined;
  try {
    const nodes = seeds ?? started.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    return {
      seeds: nodes,
      description: started ? '3 primaries + 3 replicas on 127.0.0.1' : 'given by --seeds',
      serverVersion: await prepare(nodes, new Set(workloads.map(({ dataset }) => dataset)), log),
      stop: async () => {
        await started?.stop();
      },
    };
  } catch (error) {
    await started?.stop();
    throw error;
  }
}

async function start(id, log) {
  const servers = await findServers();
  const server = servers.find((one) => (id === undefined ? one.available : one.id === id));
  if (!server?.available) {
    const known = servers.map((one) => `${one.id}: ${one.available ? 'available' : one.reason}`);
    throw new Error(`no server to measure on${id ? ` called ${id}` : ''}\n  ${known.join('\n  ')}`);
  }
  log(`starting 3 + 3 nodes of ${server.id} (${server.version})`);
  return startCluster({
    binary: server.binary,
    replicasPerPrimary: 1,
    nodeTimeoutMs: NODE_TIMEOUT_MS,
  });
}

/** Fills the cluster. @returns {Promise<string>} the name and version of the server */
async function prepare(nodes, datasets, log) {
  const client = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
  });
  client.on('error', (error) => log(String(error)));
  await client.connect();
  try {
    log(`filling ${[...datasets].join(', ')}`);
    await fill(client, datasets);
    const info = await client.sendCommand(undefined, true, ['INFO', 'server']);
    const field = (name) => String(info).match(new RegExp(`^${name}:(.*?)\\r?$`, 'm'))?.[1];
    return field('valkey_version')
      ? `Valkey ${field('valkey_version')}`
      : `Redis ${field('redis_version')}`;
  } finally {
    await client.close();
  }
}
