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
/** Their folders, and those of servers that ended but may be started again. */
const folders = new Set();
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
 * @property {string} binary
 * @property {string[]} args those it was given besides port and folder
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
  folders.add(dir);
  const server = { port, dir, binary, args };
  const end = launch(server);
  try {
    return await untilReady(server, end);
  } catch (error) {
    await killServer(server);
    throw error;
  }
}

/**
 * Starts a server again that has ended: same port, same folder, same arguments.
 *
 * @param {Server} server gets a new `process` and `pid`
 */
export async function restartServer(server) {
  rmSync(path.join(server.dir, 'server.log'), { force: true });
  await untilReady(server, launch(server));
}

/** Gives the server its process. @returns {{ reason?: string }} filled in when that has ended */
function launch(server) {
  const { binary, port, dir, args } = server;
  const child = spawn(
    binary,
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--protected-mode', 'no'],
      ...['--dir', dir, '--logfile', 'server.log', '--save', '', '--appendonly', 'no'],
      ...args,
    ],
    { stdio: 'ignore' },
  );
  Object.assign(server, { pid: child.pid, process: child });
  running.add(server);
  const end = {};
  const onEnd = (reason) => {
    end.reason = reason;
    // It may have been started again meanwhile.
    if (server.process === child) running.delete(server);
  };
  child.once('exit', (code, signal) => onEnd(`ended with ${signal ?? `code ${code}`}`));
  child.once('error', (error) => onEnd(`could not be started: ${error.message}`));
  return end;
}

async function untilReady(server, end) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  // Not by connecting: on a port that was just lost to somebody else, they would answer.
  while (!readLog(server.dir).includes('Ready to accept connections')) {
    if (end.reason || Date.now() > deadline) {
      const what = `${server.binary} on port ${server.port}`;
      throw new Error(`${what} ${end.reason ?? 'does not start'}\n${readLog(server.dir)}`);
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
  removeFolder(server.dir);
}

function removeFolder(dir) {
  rmSync(dir, { recursive: true, force: true });
  folders.delete(dir);
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
  for (const server of running) server.process.kill('SIGKILL');
  running.clear();
  for (const dir of folders) removeFolder(dir);
}
process.once('exit', endAll);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    endAll();
    process.kill(process.pid, signal);
  });
}
