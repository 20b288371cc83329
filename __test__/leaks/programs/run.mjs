// Runs a program in a process of its own and says how it ended.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Run
 * @property {number | null} code
 * @property {string | null} signal
 * @property {number} endedAt when the process was gone
 * @property {any[]} lines what it printed, each line as JSON
 * @property {string} stderr
 */

/**
 * @param {string} program file next to this one
 * @param {unknown} input handed over as JSON
 * @param {{ killAfterMs: number }} options
 * @returns {Promise<Run>}
 */
export async function runProgram(program, input, { killAfterMs }) {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', file, JSON.stringify(input)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  let endedAt = 0;
  child.once('exit', () => (endedAt = Date.now()));
  const [code, signal] = await new Promise((resolve) => {
    child.once('close', (...how) => resolve(how));
  });
  clearTimeout(timer);
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { code, signal, endedAt, lines, stderr };
}

/** For programs: what they were handed. */
export const input = JSON.parse(process.argv[2]?.startsWith('{') ? process.argv[2] : '{}');

/** For programs. */
export function print(value) {
  console.log(JSON.stringify(value));
}
