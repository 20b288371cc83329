// `npm run test:faults`: breaks clusters under load and reports. `--help` lists the options.

import { readFile } from 'node:fs/promises';
import { describeMachine } from '../__bench__/machine.mjs';
import { findServers } from '../scripts/servers.mjs';
import { now } from './clock.mjs';
import { Unavailable } from './namespace.mjs';
import { USAGE, parseOptions } from './options.mjs';
import { fromJsonValue, isGood, writeReport } from './report.mjs';
import { formatOutcome, formatSummary } from './screen.mjs';
import { checkTargets, missed } from './targets.mjs';

const log = (text) => console.log(text);

async function findServer(id) {
  const servers = await findServers();
  const server = servers.find((one) => (id === undefined ? one.available : one.id === id));
  if (server?.available) return server;
  const known = servers.map((one) => `${one.id}: ${one.available ? 'available' : one.reason}`);
  throw new Error(`no server to break${id ? ` called ${id}` : ''}\n  ${known.join('\n  ')}`);
}

/** @returns {Promise<import('./report.mjs').Outcome>} */
async function runScenario(scenario, client, context) {
  const startedAt = now();
  const outcome = { scenario: scenario.id, client: client.id };
  try {
    Object.assign(outcome, await scenario.run({ ...context, client: client.id }));
    if (client.id === 'ours') outcome.verdicts = checkTargets(scenario.targets, outcome.figures);
  } catch (error) {
    const reason = [error.message, error.cause?.message].filter(Boolean).join(': ');
    // What a machine lacks is said and skipped; CI must not lack it.
    if (error instanceof Unavailable && !process.env.CI) outcome.skipped = reason;
    else outcome.failure = reason;
  }
  log(`${formatOutcome(outcome)}\n  ${((now() - startedAt) / 1000).toFixed(1)} s\n`);
  return outcome;
}

/**
 * A time or a size that misses its bound once may be the machine's; a second time in a row it is ours.
 * What is counted (lost, twice, failed, ...) is never measured again.
 */
async function runTwiceIfNoisy(scenario, client, context) {
  const outcome = await runScenario(scenario, client, context);
  const misses = missed(outcome);
  const isNoise = misses.length > 0 && misses.every(({ what }) => /\b(ms|MB|within)\b/.test(what));
  if (!isNoise && outcome.failure === undefined) return outcome;
  log(`${scenario.id}: measured again, once\n`);
  return runScenario(scenario, client, context);
}

async function runAll({ scenarios, clients, quick, server: id }) {
  const server = await findServer(id);
  const machine = describeMachine();
  log(`${scenarios.length} scenarios, ${clients.length} clients, on ${server.id}\n`);
  const outcomes = [];
  for (const scenario of scenarios) {
    for (const client of clients) {
      log(`${scenario.id} (${scenario.title}), ${client.title}`);
      outcomes.push(await runTwiceIfNoisy(scenario, client, { binary: server.binary, quick, log }));
    }
  }
  const args = process.argv.slice(2);
  return {
    date: new Date().toISOString(),
    command: ['npm run test:faults', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    machine,
    server: `${server.id.startsWith('valkey') ? 'Valkey' : 'Redis'} ${server.version}`,
    scenarios: scenarios.map((scenario) => ({ id: scenario.id, title: scenario.title })),
    clients: clients.map((client) => ({
      id: client.id,
      title: client.title,
      version: client.version(),
    })),
    outcomes,
  };
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return log(USAGE);
  const run = options.from
    ? JSON.parse(await readFile(options.from, 'utf8'), fromJsonValue)
    : await runAll(options);
  const files = await writeReport(run, options.out);
  log(formatSummary(run));
  log(`written: ${files.join(', ')}`);
  if (isGood(run)) return undefined;
  log('Next: repeat one scenario alone: npm run test:faults -- --quick --only NAME');
  process.exitCode = 1;
  return undefined;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
