// The steps of a script: each is named and timed, and the first failure ends the script.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A step failed; the message says what to do next. */
export class StepFailed extends Error {}

/**
 * Runs one program with its output shown.
 *
 * @param {string} name what the reader sees
 * @param {string[]} command program and arguments
 * @param {{ next: string, env?: NodeJS.ProcessEnv }} options next: what to do when it fails
 */
export async function step(name, command, { next, env }) {
  const startedAt = performance.now();
  console.log(`\n== ${name}: ${command.slice(0, 6).join(' ')}${command.length > 6 ? ' ...' : ''}`);
  const failure = await run(command, env);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (failure !== undefined) {
    throw new StepFailed(`${name} failed after ${seconds} s (${failure}). Next: ${next}`);
  }
  console.log(`== ${name}: ok, ${seconds} s`);
}

/** @returns {Promise<string | undefined>} why it failed */
async function run([program, ...args], env = {}) {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`));
    });
  });
}

/**
 * The last line of every script: failures of steps are told plainly, anything else with its stack.
 *
 * @param {() => Promise<void>} script
 */
export async function main(script) {
  try {
    await script();
  } catch (error) {
    console.error(error instanceof StepFailed ? `\nFAILED: ${error.message}` : error);
    process.exitCode = 1;
  }
}
