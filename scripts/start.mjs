// `npm start`: shows the main job on a cluster of this machine. Exits with 0 if all went right.

import { buildAddon } from './build.mjs';
import { setup } from './setup.mjs';
import { main } from './steps.mjs';

const SLOTS = 16_384;

await main(async () => {
  const servers = await setup({ servers: 'one' });
  await buildAddon();
  // Only now is there something to import: packages from npm, and the addon.
  const { startCluster } = await import('./local-cluster.mjs');
  const server = servers.find(({ available }) => available);
  console.log(`\nstarting 3 primaries and 3 replicas of ${server.id} (${server.version})`);
  const cluster = await startCluster({ binary: server.binary, replicasPerPrimary: 1 });
  try {
    await demonstrate(cluster);
  } finally {
    await cluster.stop();
  }
  console.log('\nall values were right, no command failed; the servers are stopped');
});

async function demonstrate(servers) {
  const { createCluster } = (await import('../index.js')).default;
  const rootNodes = servers.seeds.slice(0, 3);
  const client = await connect(createCluster({ rootNodes }));
  const replicaReader = await connect(createCluster({ rootNodes, useReplicas: true }));
  try {
    await play(servers, client, replicaReader);
  } finally {
    await Promise.all([client.close(), replicaReader.close()]);
  }
}

async function connect(client) {
  client.on('error', (error) => console.error(`client: ${error.message}`));
  return client.connect();
}

async function play(servers, client, replicaReader) {
  const acts = await import('./demo-acts.mjs');
  await acts.writeKeys(client);
  await acts.readKeys(client, 'read, every value checked');
  await acts.checkShares(servers);

  await acts.waitForReplicas(servers);
  await acts.resetReads(servers);
  await acts.readKeys(replicaReader, 'read through replicas');
  const reads = await acts.countReads(servers);
  const unread = servers.nodes.filter((_, index) => reads[index] === 0);
  if (unread.length > 0) throw new Error(`nothing was read from ${unread.map(({ port }) => port)}`);

  await acts.migrateUnderTraffic(client, servers);
  await acts.checkShares(servers);
  await printTopology(servers, client, reads);
}

/** The slots as the client knows them, the rest as the servers count it. */
async function printTopology(servers, client, reads) {
  const { printTable } = await import('./demo-display.mjs');
  const { keyCounts } = await import('./demo-acts.mjs');
  const keys = await keyCounts(servers, servers.nodes);
  const owners = client.slots.map(({ master }) => master.port);
  const rows = servers.nodes.map(({ port, role, primaryIndex }, index) => {
    const primary = servers.nodes[primaryIndex].port;
    return {
      node: `127.0.0.1:${port}`,
      role: role === 'primary' ? role : `replica of ${primary}`,
      slots: ranges(owners, primary),
      keys: keys[index],
      'replica-client reads': reads[index],
    };
  });
  console.log();
  printTable(rows);
}

/** "0-5460, 5462" for all slots that one port owns. */
function ranges(owners, port) {
  const found = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    if (owners[slot] !== port) continue;
    const first = slot;
    while (owners[slot + 1] === port) slot += 1;
    found.push(first === slot ? `${first}` : `${first}-${slot}`);
  }
  return found.join(', ');
}
