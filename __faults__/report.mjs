// Puts a run into words: lines on the screen, reliability.md, and reliability.json.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { COLUMNS, formatFigure } from './columns.mjs';

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

const ON_SCREEN = [
  ...['done', 'failedReads', 'failedWrites', 'backMs', 'stallMs', 'outageMs', 'stallElsewhereMs'],
  ...[
    'failedElsewhere',
    'hung',
    'lost',
    'unreplicated',
    'twice',
    'reordered',
    'stale',
    'wrong',
    'newClientConnectMs',
    'exitMs',
  ],
  ...['closeMs', 'wallMs', 'rssGrowthMb', 'holdMaxMs'],
];

const missed = ({ verdicts = [] }) => verdicts.filter(({ isMet }) => !isMet);

function formatVerdict({ what, value, bound, relation }) {
  const got = Number.isInteger(value) ? value : Number(value).toFixed(1);
  return `${what}: ${got}, wanted ${relation} ${Number(bound.toFixed(1))}`;
}

/** @param {Outcome} outcome @returns {string} a few lines for the screen */
export function formatOutcome(outcome) {
  if (outcome.failure) return `  FAILED: ${outcome.failure}`;
  if (outcome.skipped) return `  NOT RUN: ${outcome.skipped}`;
  const { figures, proof } = outcome;
  const shown = COLUMNS.filter(({ figure }) => ON_SCREEN.includes(figure))
    .map((column) => ({ heading: column.heading, text: formatFigure(column, figures) }))
    .filter(({ text }) => text !== '-')
    .map(({ heading, text }) => `${heading} ${text}`);
  return [
    `  ${shown.join(', ')}`,
    ...proof.map((text) => `  (${text})`),
    ...Object.entries(figures.errors ?? {}).map(([error, count]) => `  ${count} x ${error}`),
    ...(figures.details ?? []).map((text) => `  ${text}`),
    ...missed(outcome).map((verdict) => `  MISSED: ${formatVerdict(verdict)}`),
  ].join('\n');
}

/** @param {{ outcomes: Outcome[] }} run @returns {string} */
export function formatSummary({ outcomes }) {
  const held = outcomes.filter(({ verdicts, failure }) => verdicts || failure);
  const good = held.filter((outcome) => !outcome.failure && missed(outcome).length === 0);
  const bad = held.filter((outcome) => !good.includes(outcome));
  const lines = bad.map((outcome) => {
    const why = outcome.failure ?? missed(outcome).map(formatVerdict).join('; ');
    return `${outcome.scenario.padEnd(18)} ${outcome.client.padEnd(10)} ${why}`;
  });
  const skipped = outcomes
    .filter((outcome) => outcome.skipped)
    .map(({ scenario, client }) => `${scenario.padEnd(18)} ${client.padEnd(10)} not run`);
  return [
    ...lines,
    ...skipped,
    `${good.length} of ${held.length} scenarios reached their targets`,
  ].join('\n');
}

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

export function formatMarkdown(run) {
  return [
    head(run),
    ...run.scenarios.map((scenario) => section(run, scenario)),
    definitions(),
    '',
  ].join('\n\n');
}

function head({ date, machine, server, clients, command }) {
  return `# Reliability

Written by \`npm run test:faults\`; do not edit.

- Date: ${date}
- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}; load ${machine.loadAtStart} at the start
- Node: ${machine.node}
- Server: ${server}, 3 primaries + 3 replicas on 127.0.0.1, \`cluster-node-timeout\` 1000
- Clients, with their defaults: ${clients.map(({ title, version }) => `${title} ${version}`).join('; ')}
- Command: \`${command}\`

Each scenario starts a cluster of its own and one client in a process of its own. Nine workers, three
per shard, each INCR counters, SET new keys, RPUSH growing numbers and GET what they wrote; a worker
issues its next command of a kind every 8 ms (cut: 2, reshard: 6, all-down: 20) unless one is still
under way (of RPUSH, eight). Then the servers are broken as the title says. Afterwards every promise is awaited, the client is closed,
and what the primaries hold is compared with what was acknowledged. One run, not an average.`;
}

function section({ outcomes, clients }, { id, title }) {
  const rows = outcomes.filter(({ scenario }) => scenario === id);
  const columns = COLUMNS.filter((column) =>
    rows.some(({ figures }) => formatFigure(column, figures) !== '-'),
  );
  const titleOf = (client) => clients.find((one) => one.id === client).title;
  const table = [
    ['client', ...columns.map(({ heading }) => heading)],
    ['---', ...columns.map(() => '--:')],
    ...rows.map(({ client, figures }) => [
      titleOf(client),
      ...columns.map((column, at) =>
        figures === undefined && at === 0 ? 'no figures' : formatFigure(column, figures),
      ),
    ]),
  ].map((cells) => `| ${cells.join(' | ')} |`);
  const notes = rows.flatMap((outcome) => notesOf(outcome, titleOf(outcome.client)));
  return [`## ${id}: ${title}`, '', ...table, '', ...notes].join('\n').trimEnd();
}

function notesOf({ figures, proof = [], failure, skipped, verdicts, ...rest }, title) {
  if (figures === undefined) return [`- ${title}: ${failure ?? `not run: ${skipped}`}`];
  const errors = Object.entries(figures.errors ?? {}).slice(0, 4);
  const rejected = errors.map(([error, count]) => `${count} x \`${error}\``);
  const misses = missed({ verdicts, ...rest });
  return [
    ...(proof.length > 0 ? [`- ${title}: ${proof.join('; ')}`] : []),
    ...(rejected.length > 0 ? [`- ${title} rejected with: ${rejected.join(', ')}`] : []),
    ...(verdicts && misses.length === 0 ? [`- ${title}: all ${verdicts.length} targets met`] : []),
    ...misses.map((verdict) => `- **${title} misses a target**: ${formatVerdict(verdict)}`),
  ];
}

function definitions() {
  const lines = COLUMNS.map(({ heading, definition }) => `- **${heading}**: ${definition}.`);
  return ['## What the figures mean', '', ...lines].join('\n');
}
