// A worker thread with a cluster of its own and hundreds of commands in flight, until it is ended or
// has had enough.

import { parentPort, workerData } from 'node:worker_threads';
import { createCluster } from '../../../index.js';

const LANES = 300;
const ENOUGH = 3_000;

const { rootNodes, endsByItself } = workerData;
const cluster = createCluster({ rootNodes });
cluster.on('error', () => {});
parentPort.postMessage('connecting');
await cluster.connect();
parentPort.postMessage('connected');

let answered = 0;
async function traffic(lane) {
  while (!endsByItself || answered < ENOUGH) {
    await cluster.set(`key${lane}`, 'value');
    answered += 1;
  }
}
await Promise.all(Array.from({ length: LANES }, (_, lane) => traffic(lane)));
await cluster.close();
