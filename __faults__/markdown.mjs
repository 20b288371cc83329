// Writes reliability.md: an overview, the figures of each scenario, and what they mean.

import { COLUMNS, formatFigure, formatWhole } from './columns.mjs';
import { formatVerdict, missed } from './targets.mjs';

const ERRORS_SHOWN = 4;

export function formatMarkdown(run) {
  return [
    head(run),
    overview(run),
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
- Server: ${server}, 3 primaries + 3 replicas on 127.0.0.1, \`cluster-node-timeout\` 1000 (sleep: 10000)
- Clients, with their defaults: ${clients.map(({ title, version }) => `${title} ${version}`).join('; ')}
- Command: \`${command}\`

Each scenario starts a cluster of its own and one client in a process of its own. Nine workers, three
per shard, each INCR counters, SET new keys, RPUSH growing numbers and GET what they wrote; a worker
issues its next command of a kind every 8 ms (cut: 2, reshard: 6, all-down: 20) unless one is still
under way (of RPUSH, eight). Then the servers are broken as the title says. Afterwards every promise
is awaited, the client is closed, and what the primaries hold is compared with what was acknowledged.
One run, not an average. \`npm run test:faults -- --help\` says how to repeat a part of it.`;
}

/** What a program notices of a fault. */
const TROUBLES = [
  { text: '# failed', value: (f) => (f.failedReads ?? 0) + (f.failedWrites ?? 0) },
  { text: '# never settle', value: (f) => f.hung },
  { text: '# lost', value: (f) => f.lost },
  { text: '# applied twice', value: (f) => f.twice },
  { text: '# out of order', value: (f) => f.reordered },
  { text: '# stale', value: (f) => f.stale },
  { text: '# wrong', value: (f) => f.wrong },
  { text: 'back after # ms', value: (f) => f.backMs, never: 'not back' },
  { text: 'new client after # ms', value: (f) => f.newClientConnectMs, never: 'no new client' },
  { text: 'exit after # ms', value: (f) => f.exitMs, never: 'no exit' },
  { text: 'memory +# MB', value: (f) => (f.perSecond ? f.rssGrowthMb : undefined) },
];

function overview({ outcomes, scenarios, clients }) {
  const rows = scenarios.map(({ id, title }) => [
    `[${id}](#${id}): ${title}`,
    ...clients.map((client) => {
      const outcome = outcomes.find((one) => one.scenario === id && one.client === client.id);
      return outcome?.figures ? troublesOf(outcome.figures) : 'no figures';
    }),
  ]);
  return table(['scenario', ...clients.map(({ title }) => title)], rows, '---');
}

function troublesOf(figures) {
  const found = TROUBLES.map(({ value, ...rest }) => ({ ...rest, value: value(figures) }))
    .filter(({ value }) => value > 0)
    .map(({ text, value, never }) =>
      value === Infinity ? never : text.replace('#', formatWhole(value)),
    );
  return found.length === 0 ? 'nothing' : found.join(', ');
}

/** @param {'---' | '--:'} align of all columns but the first */
function table(heading, rows, align) {
  const lines = [heading, ['---', ...heading.slice(1).map(() => align)], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function section({ outcomes, clients }, { id, title }) {
  const rows = outcomes.filter(({ scenario }) => scenario === id);
  const columns = COLUMNS.filter((column) =>
    rows.some(({ figures }) => formatFigure(column, figures) !== '-'),
  );
  const titleOf = (client) => clients.find((one) => one.id === client).title;
  const cells = rows.map(({ client, figures }) => [
    titleOf(client),
    ...columns.map((column, at) =>
      figures === undefined && at === 0 ? 'no figures' : formatFigure(column, figures),
    ),
  ]);
  const figures = table(['client', ...columns.map(({ heading }) => heading)], cells, '--:');
  const notes = rows.flatMap((outcome) => notesOf(outcome, titleOf(outcome.client)));
  const sentence = `${title[0].toUpperCase()}${title.slice(1)}.`;
  return [`## ${id}`, '', sentence, '', figures, '', ...notes].join('\n').trimEnd();
}

function notesOf({ figures, proof = [], failure, skipped, verdicts }, title) {
  if (figures === undefined) return [`- ${title}: ${failure ?? `not run: ${skipped}`}`];
  const errors = Object.entries(figures.errors ?? {}).slice(0, ERRORS_SHOWN);
  const rejected = errors.map(([error, count]) => `${count} x ${code(error)}`);
  const misses = missed({ verdicts });
  return [
    ...(proof.length > 0 ? [`- ${title}: ${proof.join('; ')}`] : []),
    ...(rejected.length > 0 ? [`- ${title} rejected with: ${rejected.join(', ')}`] : []),
    ...(verdicts && misses.length === 0 ? [`- ${title}: all ${verdicts.length} targets met`] : []),
    ...misses.map((verdict) => `- **${title} misses a target**: ${formatVerdict(verdict)}`),
  ];
}

const code = (text) => `\`${text.replaceAll('`', "'").replace(/:? *$/, '')}\``;

function definitions() {
  const lines = COLUMNS.map(({ heading, definition }) => `- **${heading}**: ${definition}.`);
  return ['## What the figures mean', '', ...lines].join('\n');
}
