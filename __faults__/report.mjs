// What is left of a run: reliability.md and reliability.json.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatMarkdown } from './markdown.mjs';
import { missed } from './targets.mjs';

/**
 * @typedef {object} Outcome of one scenario with one client
 * @property {string} scenario
 * @property {string} client
 * @property {any} [figures]
 * @property {string[]} [proof]
 * @property {import('./targets.mjs').Verdict[]} [verdicts] for this package only
 * @property {string} [failure] why there are no figures
 * @property {string} [skipped] what this machine lacks
 */

/** @returns {boolean} whether everything was run and this package met every target */
export const isGood = ({ outcomes }) =>
  outcomes.every((outcome) => !outcome.failure && missed(outcome).length === 0);

/** Writes both files. @returns {Promise<string[]>} their names */
export async function writeReport(run, folder) {
  await mkdir(folder, { recursive: true });
  const files = [
    { name: 'reliability.md', text: formatMarkdown(run) },
    { name: 'reliability.json', text: `${JSON.stringify(run, jsonValue, 1)}\n` },
  ].map(({ name, text }) => ({ file: path.join(folder, name), text }));
  for (const { file, text } of files) await writeFile(file, text);
  return files.map(({ file }) => path.relative(process.cwd(), file));
}

/** JSON has no Infinity; `--from` turns it back. */
const jsonValue = (_, value) => (value === Infinity ? 'Infinity' : value);
export const fromJsonValue = (_, value) => (value === 'Infinity' ? Infinity : value);
