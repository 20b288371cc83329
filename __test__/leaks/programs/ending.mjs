// A program with one cluster that ends, or does not, in the way that it is asked for.

import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster } from '../../../index.js';
import { input, print } from './run.mjs';

const LANES = 300;

async function traffic(cluster) {
  for (let lane = 0; lane < LANES; lane++) {
    const endless = async () => {
      for (;;) await cluster.set(`key${lane}`, 'value');
    };
    endless().catch(() => {}); // the end of the cluster is its end
  }
  await sleep(20 + 30 * Math.random());
}

/** Some wait for an element, more for a connection. */
async function blocked(cluster) {
  for (let lane = 0; lane < LANES; lane++) cluster.blPop('nothing', 0).catch(() => {});
  await sleep(20 + 30 * Math.random());
}

const WAYS = {
  'never connected': async () => {},
  'never connected, destroyed': async (cluster) => cluster.destroy(),
  close: async (cluster) => {
    await cluster.connect();
    await cluster.close();
  },
  destroy: async (cluster) => {
    await cluster.connect();
    cluster.destroy();
  },
  'close in traffic': async (cluster) => {
    await cluster.connect();
    await traffic(cluster);
    await cluster.close();
  },
  'destroy in traffic': async (cluster) => {
    await cluster.connect();
    await traffic(cluster);
    cluster.destroy();
  },
  'close while commands block': async (cluster) => {
    await cluster.connect();
    await blocked(cluster);
    await cluster.close();
  },
  'destroy while commands block': async (cluster) => {
    await cluster.connect();
    await blocked(cluster);
    cluster.destroy();
  },
  'destroy while connecting': async (cluster) => {
    const connecting = cluster.connect();
    await sleep(Math.random() * 3);
    cluster.destroy();
    await connecting.catch(() => {});
  },
  'exit while connecting': async (cluster) => {
    cluster.connect().catch(() => {});
    await sleep(Math.random() * 5);
    process.exit(7);
  },
  'exit in traffic': async (cluster) => {
    await cluster.connect();
    await traffic(cluster);
    process.exit(7);
  },
  'exit while commands block': async (cluster) => {
    await cluster.connect();
    await blocked(cluster);
    process.exit(7);
  },
  'exception in traffic': async (cluster) => {
    await cluster.connect();
    await traffic(cluster);
    setImmediate(() => {
      throw new Error('on purpose');
    });
  },
  'stays connected': async (cluster) => {
    await cluster.connect();
  },
};

const cluster = createCluster({ rootNodes: input.rootNodes });
cluster.on('error', () => {});
process.on('exit', () => print({ exitAt: Date.now() }));
await WAYS[input.way](cluster);
print({ doneAt: Date.now() });
