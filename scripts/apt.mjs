// Installs Debian packages for the setup, or says exactly what to run instead.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

let updated = false;

/**
 * @param {string} name of the package
 * @param {(message: string) => void} log
 * @throws {Error} whose message says what the user has to run
 */
export async function installWithApt(name, log) {
  const isDebian = existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
  if (!isDebian)
    throw new Error(`${name} is missing; install it with this system's package manager`);
  if (process.getuid?.() !== 0) {
    throw new Error(`${name} is missing; run \`sudo apt-get install -y ${name}\``);
  }
  log(`installing ${name} with apt-get`);
  if (!updated) await aptGet(['update', '-q']);
  updated = true;
  await aptGet(['install', '-q', '-y', '--no-install-recommends', name]);
  if (name === 'redis-server') await stopService(name);
}

async function aptGet(args) {
  try {
    await run('apt-get', args, { env: ENVIRONMENT, maxBuffer: 1 << 26 });
  } catch (error) {
    const lastLines = String(error.stderr ?? error.message)
      .trim()
      .split('\n')
      .slice(-3)
      .join('; ');
    throw new Error(`\`apt-get ${args.join(' ')}\` failed: ${lastLines}`, { cause: error });
  }
}

/** Debian starts a server as soon as its package is installed; the tests start their own. */
async function stopService(name) {
  await run('service', [name, 'stop']).catch(() => {
    // No service manager (a container): then nothing was started either.
  });
}
