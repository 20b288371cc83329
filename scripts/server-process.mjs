// One redis-server (or valkey-server) process: free ports, start, wait until it listens, kill.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A cluster node also listens on its port + 10000, for the other nodes. */
const CLUSTER_BUS_OFFSET = 10_000;
/** Both ports stay below 32768, where Linux begins to take ports for outgoing connections. */
const FIRST_PORT = 11_000;
const LAST_PORT = 21_000;
const START_ATTEMPTS = 5;
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Servers that this process started and that have not ended yet. */
const running = new Set();
/** Ports that this process has tried or used. None is used twice: late packets would reach it. */
const taken = new Set();

/** @param {number} port */
async function isFree(port) {
  const probe = net.createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** @returns {Promise<number>} a port that is free together with its cluster bus port */
async function freeClusterPort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (taken.has(port)) continue;
    taken.add(port);
    if ((await isFree(port)) && (await isFree(port + CLUSTER_BUS_OFFSET))) return port;
  }
}

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {number} pid
 * @property {string} dir its temporary folder, with server.log
 * @property {import('node:child_process').ChildProcess} process
 */

/**
 * Starts a server that keeps nothing on disk, in a temporary folder of its own.
 *
 * @param {{ binary: string, args?: string[] }} options
 * @returns {Promise<Server>}
 */
export async function startServer({ binary, args = [] }) {
  let failure;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    try {
      return await tryStart(binary, await freeClusterPort(), args);
    } catch (error) {
      failure = error;
      // Somebody else took the port between the check and the start: another port may do.
      if (!/bind|address already in use/i.test(error.message)) break;
    }
  }
  throw failure;
}

async function tryStart(binary, port, args) {
  const dir = mkdtempSync(path.join(tmpdir(), `redis-${port}-`));
  const child = spawn(
    binary,
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'no'],
      ...['--dir', dir, '--logfile', 'server.log', '--save', '', '--appendonly', 'no'],
      ...args,
    ],
    { stdio: 'ignore' },
  );
  const server = { port, pid: /** @type {number} */ (child.pid), dir, process: child };
  running.add(server);
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
  });
  ended.then(() => running.delete(server));

  let end;
  ended.then((reason) => (end = reason));
  const deadline = Date.now() + START_TIMEOUT_MS;
  // Not by connecting: on a port that was just lost to somebody else, they would answer.
  while (!readLog(dir).includes('Ready to accept connections')) {
    if (end || Date.now() > deadline) {
      const log = readLog(dir);
      await killServer(server);
      throw new Error(`${binary} on port ${port} ${end ?? 'does not start'}\n${log}`);
    }
    await sleep(POLL_MS);
  }
  return server;
}

function readLog(dir) {
  try {
    return readFileSync(path.join(dir, 'server.log'), 'utf8');
  } catch {
    return '';
  }
}

/** Ends a server, waits until it is gone, and removes its folder. */
export async function killServer(server) {
  await signalServer(server, 'SIGKILL');
  rmSync(server.dir, { recursive: true, force: true });
}

/**
 * Sends a signal to one server. Waits for the end of the process when the signal ends it.
 *
 * @param {{ process: import('node:child_process').ChildProcess }} server
 * @param {NodeJS.Signals} signal
 */
export async function signalServer({ process: child }, signal) {
  const alive = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (!alive) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
}

// However this process ends, its servers end with it.
function endAll() {
  for (const server of running) {
    server.process.kill('SIGKILL');
    rmSync(server.dir, { recursive: true, force: true });
  }
  running.clear();
}
process.once('exit', endAll);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    endAll();
    process.kill(process.pid, signal);
  });
}
