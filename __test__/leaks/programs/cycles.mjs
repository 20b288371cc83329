// Makes clusters and lets them go, and prints what is left of them.

import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster } from '../../../index.js';
import { resources } from './proc.mjs';
import { input, print } from './run.mjs';

const { rootNodes, abandoned, cycles, rounds } = input;

/** Collects until `isDone`, or for so long that it will not be done any more. */
async function collect(isDone = () => false) {
  for (let pass = 0; pass < 20 && !isDone(); pass++) {
    globalThis.gc();
    await sleep(5);
  }
}

let collected = 0;
const registry = new FinalizationRegistry(() => (collected += 1));

/** In a function of its own, so that no variable holds on to the last one. */
function abandon(count) {
  for (let i = 0; i < count; i++) registry.register(createCluster({ rootNodes })._self);
}

async function cycle(index) {
  const cluster = createCluster({ rootNodes });
  await cluster.connect();
  await cluster.set('key', 'value');
  if (index % 2 === 0) await cluster.close();
  else cluster.destroy();
  registry.register(cluster._self);
}

abandon(abandoned);
await collect(() => collected === abandoned);
print({ collected, ...resources() });

for (let round = 0; round < rounds; round++) {
  collected = 0;
  for (let i = 0; i < cycles; i++) await cycle(i);
  await collect(() => collected === cycles);
  print({ collected, ...resources() });
}

const reused = createCluster({ rootNodes });
for (let i = 0; i < cycles; i++) {
  await reused.connect();
  await reused.set('key', 'value');
  await reused.close();
}
await collect();
print(resources());
