// A network of its own for scenarios that drop packets: the scenario runs once more, in a process
// whose loopback interface is another one than this machine's.

import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installWithApt } from '../scripts/apt.mjs';

const run = promisify(execFile);
const HARNESS = fileURLToPath(new URL('./run.mjs', import.meta.url));
const INSIDE = 'FAULTS_NAMESPACE';
const TOOLS = {
  unshare: 'util-linux',
  setpriv: 'util-linux',
  ip: 'iproute2',
  iptables: 'iptables',
};
/** A server's user is this plus its port: packets are told apart by who sends them. */
const FIRST_USER = 100_000;
const CLUSTER_BUS_OFFSET = 10_000;

/** @typedef {{ port: number }} Node */

export const isInside = () => process.env[INSIDE] !== undefined;

/** This machine cannot do what a scenario needs; the message says what it lacks. */
export class Unavailable extends Error {}

/** Finds what is needed, or installs it. @throws {Unavailable} */
async function prepare(log) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Unavailable('packets can only be dropped on Linux, by root');
  }
  const folders = ['/bin', '/sbin', '/usr/bin', '/usr/sbin'];
  for (const [tool, name] of Object.entries(TOOLS)) {
    if (!folders.some((folder) => existsSync(path.join(folder, tool))))
      await installWithApt(name, log);
  }
  await run('unshare', ['--net', 'sh', '-c', 'ip link set lo up && iptables -L OUTPUT']).catch(
    (cause) => {
      throw new Unavailable('this machine gives no network namespace with a packet filter', {
        cause,
      });
    },
  );
}

/**
 * Runs one scenario of one client in a network of its own.
 *
 * @param {string} id
 * @param {import('./under-load.mjs').Context} context
 * @param {(key: string, value: any) => any} fromJsonValue
 * @returns {Promise<{ figures: any, proof: string[] }>}
 */
export async function runInside(id, { client, quick, log }, fromJsonValue) {
  await prepare(log);
  const out = mkdtempSync(path.join(tmpdir(), 'faults-'));
  try {
    const args = [HARNESS, '--only', id, '--clients', client, '--out', out];
    const child = spawn(
      'unshare',
      ['--net', process.execPath, ...args, ...(quick ? ['--quick'] : [])],
      {
        env: { ...process.env, [INSIDE]: '1' },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    await new Promise((resolve) => child.once('close', resolve));
    const { outcomes } = JSON.parse(
      readFileSync(path.join(out, 'reliability.json'), 'utf8'),
      fromJsonValue,
    );
    if (outcomes[0].failure !== undefined) throw new Error(outcomes[0].failure);
    return outcomes[0];
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/**
 * Brings the network up, and makes a program that runs the server as a user of its own.
 *
 * @param {string} binary
 * @returns {Promise<{ binary: string, remove: () => void }>}
 */
export async function enter(binary) {
  await run('ip', ['link', 'set', 'lo', 'up']);
  const dir = mkdtempSync(path.join(tmpdir(), 'faults-user-'));
  chmodSync(dir, 0o755);
  const wrapper = path.join(dir, 'server.sh');
  // The port is the second argument. The user may write to the server's folder, which is root's.
  const user = `$((${FIRST_USER} + $2))`;
  const rights = '--inh-caps=+dac_override --ambient-caps=+dac_override';
  const line = `exec setpriv --reuid=${user} --clear-groups ${rights} ${binary} "$@"`;
  writeFileSync(wrapper, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return { binary: wrapper, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

const iptables = (action, rules) =>
  Promise.all(rules.map((rule) => run('iptables', ['-w', action, ...rule, '-j', 'DROP'])));

/** Nothing reaches the node any more, and nothing comes from it. */
export function cutOff({ port }) {
  return dropping([
    ['OUTPUT', '-m', 'owner', '--uid-owner', String(FIRST_USER + port)],
    ...[port, port + CLUSTER_BUS_OFFSET].map((to) => ['INPUT', '-p', 'tcp', '--dport', String(to)]),
  ]);
}

/** Clients and the node hear nothing of each other; the other nodes do. */
export function cutOffClients({ port }) {
  return dropping([
    ['INPUT', '-p', 'tcp', '--dport', String(port)],
    ['OUTPUT', '-p', 'tcp', '--sport', String(port)],
  ]);
}

async function dropping(rules) {
  await iptables('-A', rules);
  return { heal: () => iptables('-D', rules) };
}
