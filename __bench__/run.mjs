// `npm run bench`: measures the clients against each other and reports. `--help` lists the options.
import { readFile } from 'node:fs/promises';
import { ceiling } from './ceiling.mjs';
import { runCell } from './cell.mjs';
import { versionOf } from './clients/index.mjs';
import { openCluster } from './cluster.mjs';
import { importCost } from './import-cost.mjs';
import { describeMachine } from './machine.mjs';
import { USAGE, parseOptions } from './options.mjs';
import { formatText, writeReport } from './report.mjs';
import { isSound, problems, summarise } from './summary.mjs';
import { checkTargets, formatTargets } from './targets.mjs';

const log = (text) => console.log(text);

/**
 * Leaves out the clients that cannot be opened, with a message, before any time is spent on the
 * others.
 */
async function usableClients(clients, order) {
  const usable = [];
  for (const client of clients) {
    const { failure } = await runCell({
      ...order,
      client: client.id,
      warmupSeconds: 0.05,
      seconds: 0.05,
    });
    if (failure === undefined) usable.push(client);
    else log(`left out: ${client.title}: ${failure.split('\n')[0]}`);
  }
  return usable;
}

/**
 * Interleaved rounds: a slow minute of the machine hits every client, and each client is first,
 * second and last equally often.
 */
async function measureRounds({ rounds, workloads, seconds, warmupSeconds }, clients, seeds) {
  const cells = [];
  for (let round = 1; round <= rounds; round++) {
    for (const workload of workloads) {
      for (let place = 0; place < clients.length; place++) {
        const client = clients[(place + round - 1) % clients.length];
        const figures = await runCell({
          client: client.id,
          workload: workload.id,
          seeds,
          seconds,
          warmupSeconds,
        });
        cells.push({ round, workload: workload.id, client: client.id, ...figures });
        const result =
          figures.failure ?? `${Math.round(figures.opsPerSec).toLocaleString('en')} ops/s`;
        log(
          `round ${round}/${rounds}  ${workload.id.padEnd(12)} ${client.id.padEnd(13)} ${result}`,
        );
      }
    }
  }
  return cells;
}

async function measureAll(options) {
  const machine = describeMachine();
  const cluster = await openCluster(options, log);
  try {
    const clients =
      options.workloads.length === 0
        ? []
        : await usableClients(options.clients, {
            workload: options.workloads[0].id,
            seeds: cluster.seeds,
          });
    return {
      date: new Date().toISOString(),
      command: [
        'npm run bench',
        ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
      ].join(' '),
      machine,
      server: cluster.serverVersion,
      cluster: cluster.description,
      rounds: options.rounds,
      seconds: options.seconds,
      warmupSeconds: options.warmupSeconds,
      workloads: options.workloads.map(({ id, title }) => ({ id, title })),
      clients: clients.map((client) => ({
        id: client.id,
        title: client.title,
        version: versionOf(client),
      })),
      leftOut: options.clients.filter((client) => !clients.includes(client)).map(({ id }) => id),
      cells: await measureRounds(options, clients, cluster.seeds),
      importCost: options.importCost ? importCost(options.importRounds) : undefined,
      ceiling: options.ceiling ? await ceiling(cluster.seeds[0]) : undefined,
    };
  } finally {
    await cluster.stop();
  }
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return log(USAGE);

  const run = options.from
    ? JSON.parse(await readFile(options.from, 'utf8'))
    : await measureAll(options);
  log(`\n${formatText(run)}`);
  const files = await writeReport(run, run.leftOut.length > 0 ? options.outPartial : options.out);
  log(`\nwritten: ${files.join(', ')}`);

  for (const problem of problems(run)) log(`problem: ${problem}`);
  if (!isSound(run)) process.exitCode = 1;
  if (!options.check) return undefined;
  const results = checkTargets(summarise(run));
  log(`\n${formatTargets(results)}`);
  if (results.some(({ verdict }) => verdict !== 'pass')) process.exitCode = 1;
  return undefined;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
