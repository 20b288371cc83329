// Brings a fresh clone to where `npm start` and `npm test` can run, or says what is missing.

import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { findServers } from './servers.mjs';
import { main, ROOT, step, StepFailed } from './steps.mjs';

/** The first Node 20 whose test runner knows --test-timeout and --test-concurrency. */
const MINIMUM_NODE = [20, 11];

/**
 * @param {{ servers: 'all' | 'one' }} needs how many of the three servers are worth installing
 * @returns {Promise<import('./servers.mjs').FoundServer[]>} all three, available or not
 */
export async function setup({ servers: needed }) {
  checkNode();
  await checkCargo();
  await installPackages();
  let servers = await findServers();
  const available = servers.filter((server) => server.available).length;
  if (available < (needed === 'all' ? servers.length : 1)) {
    servers = await findServers({ install: true, log: (message) => console.log(message) });
  }
  if (!servers.some((server) => server.available)) {
    const reasons = servers.map(({ id, reason }) => `  ${id}: ${reason}`).join('\n');
    throw new StepFailed(`there is no Redis server to work with\n${reasons}`);
  }
  return servers;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    throw new StepFailed(
      `this is Node ${process.versions.node}; install ${MINIMUM_NODE.join('.')} or newer`,
    );
  }
}

async function checkCargo() {
  try {
    console.log('looking for cargo (rustup may have to fetch the version in rust-toolchain.toml)');
    const { stdout } = await promisify(execFile)('cargo', ['--version'], { cwd: ROOT });
    console.log(`node ${process.versions.node}, ${stdout.trim()}`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw new StepFailed(`cargo does not run: ${error.stderr}`);
    throw new StepFailed(
      'cargo was not found. Install Rust with\n' +
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y\n" +
        'open a new shell and try again.',
    );
  }
}

async function installPackages() {
  const installedAt = modifiedAt(path.join(ROOT, 'node_modules', '.package-lock.json'));
  if (installedAt >= modifiedAt(path.join(ROOT, 'package-lock.json'))) return;
  // Not `npm ci`: it refuses to work where a registry lacks the optional packages of other
  // platforms. `install` takes the locked versions too, and --no-save leaves the lock as it is.
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  await step('npm packages', ['npm', 'install', ...quiet], {
    next: 'check the network, then run `npm install`',
  });
}

/** @param {string} file */
export function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    for (const { id, version, reason } of await setup({ servers: 'all' })) {
      console.log(`server ${id}: ${version ?? `not available: ${reason}`}`);
    }
  });
}
