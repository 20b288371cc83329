// The child process of one cell: one client, one workload, one round. Started by cell.mjs, which
// passes the order in argv and receives the figures as one message.
import { openClient } from './clients/index.mjs';
import { measure } from './measure.mjs';
import { WORKLOADS } from './workloads.mjs';

const order = JSON.parse(process.argv[2]);

/** @returns {Promise<object>} the figures, or why there are none */
async function runCell() {
  let client;
  try {
    client = await openClient(order.client, order.seeds);
  } catch (error) {
    return { failure: `cannot be opened: ${error.message}` };
  }
  const workload = WORKLOADS.find(({ id }) => id === order.workload);
  try {
    return await measure(workload, client, order);
  } catch (error) {
    return { failure: `cannot run it: ${error.message}` };
  } finally {
    await client.close();
  }
}

let finished = false;
// Interrupted benchmarks must not leave a load behind.
process.once('disconnect', () => {
  if (!finished) process.exit(1);
});

const message = await runCell();
finished = true;
// From here on only what the client left open can keep the process alive; cell.mjs notices.
process.send(message, () => process.disconnect());
