// Everything that CI checks, in the order of what fails fastest. Stops at the first failure.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddon } from './build.mjs';
import { findServers } from './servers.mjs';
import { main, ROOT, step, StepFailed } from './steps.mjs';

/**
 * --test-timeout counts for each file as a whole. The slowest (type tests, parity on three servers)
 * take about half a minute on two busy cores; ten times that is a hang.
 */
const FILE_TIMEOUT_MS = 300_000;
/** A test file may start a cluster of six servers; more than two at once only wait for each other. */
const FILE_CONCURRENCY = 2;

/** @param {import('./servers.mjs').FoundServer[]} servers */
export async function ready(servers) {
  const startedAt = performance.now();
  requireAllInCi(servers);
  await checkRust();
  await checkGenerated(servers);
  await checkTypes();
  await runNodeTests();
  await breakClusters(servers);
  for (const { id, version, reason } of servers) {
    console.log(`server ${id}: ${version ? `tested, ${version}` : `NOT TESTED: ${reason}`}`);
  }
  console.log(
    `ready: every check passed in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
  );
}

function requireAllInCi(servers) {
  const missing = servers.filter(({ available }) => !available);
  if (!process.env.CI || missing.length === 0) return;
  const reasons = missing.map(({ id, reason }) => `${id}: ${reason}`).join('\n');
  throw new StepFailed(`in CI all servers are required\n${reasons}`);
}

async function checkRust() {
  const strict = ['--', '-D', 'warnings'];
  await step('format', ['cargo', 'fmt', '--', '--check'], { next: 'run `cargo fmt`' });
  await step('layers', ['bash', 'scripts/check-layers.sh'], {
    next: 'move the import down a floor',
  });
  await step('lints', ['cargo', 'clippy', '--all-targets', ...strict], {
    next: 'fix the warnings; `expect` with a reason where one is wrong',
  });
  await step(
    'lints without Node',
    ['cargo', 'clippy', '--all-targets', '--no-default-features', ...strict],
    { next: 'something outside src/binding needs the addon feature' },
  );
  await step('documentation', ['cargo', 'doc', '--no-deps', '--document-private-items'], {
    next: 'repair the links named above',
    env: { RUSTDOCFLAGS: '-D warnings' },
  });
  // With the addon feature, so that the border's own tests run too; they need no Node to link to.
  await step('engine tests', ['cargo', 'test'], {
    next: 'run the failing test alone by its name',
  });
}

/** Generated files must be what their generators write today. */
async function checkGenerated(servers) {
  const available = servers.some(({ id, available }) => id === 'redis-8.2' && available);
  if (!available) return console.log('\n== command table: NOT CHECKED, it needs redis-8.2');
  await step('command table', [process.execPath, 'scripts/generate-spec-table.mjs', '--check'], {
    next: 'run `node scripts/generate-spec-table.mjs` and look at the difference',
  });
}

async function checkTypes() {
  await buildAddon();
  await step('types of js/', ['npx', 'tsc', '-p', 'tsconfig.json'], { next: 'correct the types' });
}

async function runNodeTests() {
  const filesIn = (folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true })
      .map((name) => path.join(folder, String(name)))
      .filter((name) => name.endsWith('.test.mjs'));
  const files = ['__test__', '__bench__', '__faults__'].flatMap(filesIn).sort();
  const limits = [`--test-timeout=${FILE_TIMEOUT_MS}`, `--test-concurrency=${FILE_CONCURRENCY}`];
  const command = [process.execPath, '--test', '--test-reporter=spec', ...limits, ...files];
  await step('node tests', command, {
    next: 'run the failing file alone: node --test __test__/NAME.test.mjs',
  });
}

/** Last: what it takes, four minutes, is waiting for servers. Needs the machine for itself. */
async function breakClusters(servers) {
  if (!servers.some(({ available }) => available)) return;
  await step('faults', [process.execPath, '__faults__/run.mjs', '--quick'], {
    next: 'repeat one scenario alone: npm run test:faults -- --quick --only NAME',
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    if (!existsSync(path.join(ROOT, 'node_modules')))
      throw new StepFailed('run `node scripts/setup.mjs` first');
    await ready(await findServers());
  });
}
