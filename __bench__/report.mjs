// Puts a run into words: the table on the screen, and latest.md, latest.svg, latest.json.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { plot } from './plot.mjs';
import { METRICS, problems, summarise } from './summary.mjs';

const HEADINGS = {
  opsPerSec: 'ops/s',
  p50Us: 'p50 µs',
  p99Us: 'p99 µs',
  cpuUsPerOp: 'CPU µs/op',
  loopP99Ms: 'loop delay p99 ms',
  holdMaxMs: 'longest hold ms',
  longHolds: 'holds ≥ 5 ms',
  rssMb: 'RSS MB',
};

/** Three figures that say something; none for what was not measured. */
export function formatFigure(value) {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}

const formatMetric = (metric, value) =>
  metric === 'longHolds' && Number.isFinite(value)
    ? String(Math.round(value))
    : formatFigure(value);

const formatRatio = (value) => (Number.isFinite(value) ? `${formatFigure(value)}x` : '-');

/** Throughput of each client as a multiple of node-redis's. */
function overview(run, summary) {
  return {
    title: 'Throughput, as a multiple of node-redis',
    head: ['workload', ...run.clients.map(({ title }) => title)],
    rows: run.workloads.map(({ id, title }) => [
      title,
      ...run.clients.map((client) =>
        formatRatio(summary.ratio('opsPerSec', id, client.id, 'node-redis')),
      ),
    ]),
  };
}

function workloadTable(run, summary, { id, title }) {
  return {
    title,
    head: [
      'client',
      ...METRICS.map((metric) => HEADINGS[metric]),
      'ours: throughput',
      'ours: CPU/op',
    ],
    rows: run.clients.map((client) => [
      client.title,
      ...METRICS.map((metric) => formatMetric(metric, summary.value(metric, id, client.id))),
      formatRatio(summary.ratio('opsPerSec', id, 'ours', client.id)),
      formatRatio(summary.ratio('cpuUsPerOp', id, 'ours', client.id)),
    ]),
  };
}

function importTable({ importCost }) {
  const rows = Object.entries(importCost).map(([id, { ms, aboveBareMs, failure }]) => [
    id === 'bare' ? 'nothing (bare node)' : id,
    failure ?? formatFigure(ms),
    formatFigure(aboveBareMs),
  ]);
  return {
    title: 'Import and createCluster(), one process each',
    head: ['program', 'wall ms', 'above bare ms'],
    rows,
  };
}

function ceilingTable({ ceiling }) {
  const rows = ceiling.skipped
    ? [[`skipped: ${ceiling.skipped}`, '-', '-']]
    : ceiling.rows.map(({ title, get, set }) => [title, formatFigure(get), formatFigure(set)]);
  return {
    title: 'Ceiling: redis-benchmark --cluster, 64 B',
    head: ['load', 'GET ops/s', 'SET ops/s'],
    rows,
  };
}

function tables(run) {
  const summary = summarise(run);
  const list = [];
  if (run.cells.length > 0) list.push(overview(run, summary));
  list.push(...run.workloads.map((workload) => workloadTable(run, summary, workload)));
  if (run.importCost) list.push(importTable(run));
  if (run.ceiling) list.push(ceilingTable(run));
  return list;
}

function circumstances(run) {
  const { cpu, cores, memoryGb, system, node, loadAtStart } = run.machine;
  return [
    ['Date', run.date],
    [
      'Machine',
      `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}; load ${loadAtStart} at the start`,
    ],
    ['Node', node],
    ['Server', `${run.server}, ${run.cluster}`],
    ['Clients', run.clients.map(({ title, version }) => `${title} ${version}`).join('; ')],
    ['Command', `\`${run.command}\``],
    [
      'Method',
      `interleaved rounds: ${run.rounds}, ${run.seconds} s per cell after ${run.warmupSeconds} s of warm-up, a fresh` +
        ' process per cell; medians over the rounds, ratios are medians of the ratios of each round',
    ],
  ];
}

/** @returns {string} for the screen */
export function formatText(run) {
  return tables(run)
    .map(({ title, head, rows }) => {
      const lines = [head, ...rows];
      const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
      const format = (line) =>
        line
          .map((cell, column) =>
            column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
          )
          .join('  ');
      return [title, ...lines.map(format)].join('\n');
    })
    .join('\n\n');
}

/** @returns {string} latest.md */
export function formatMarkdown(run) {
  const table = ({ title, head, rows }) =>
    [
      `## ${title}`,
      '',
      `| ${head.join(' | ')} |`,
      `|${head.map((_, column) => (column === 0 ? '---' : '--:')).join('|')}|`,
      ...rows.map((row) => `| ${row.join(' | ')} |`),
      '',
    ].join('\n');
  const notes = problems(run);
  return [
    '# Benchmark',
    '',
    'Written by `npm run bench`; do not edit.',
    '',
    ...circumstances(run).map(([name, text]) => `- ${name}: ${text}`),
    '',
    ...(run.cells.length > 0 ? ['![Throughput relative to node-redis](latest.svg)', ''] : []),
    '"ours" columns compare this package with the client of the line: throughput above 1 and CPU below 1 are in its favour.',
    '"longest hold" is the longest time the event loop did not turn; GET/SET is 80/20.',
    '',
    ...tables(run).map(table),
    ...(notes.length > 0 ? ['## Problems', '', ...notes.map((note) => `- ${note}`), ''] : []),
  ].join('\n');
}

/** @returns {Promise<string[]>} the files written */
export async function writeReport(run, directory) {
  await mkdir(directory, { recursive: true });
  const contents = {
    'latest.md': formatMarkdown(run),
    'latest.json': `${JSON.stringify(run, null, 1)}\n`,
    ...(run.cells.length > 0 ? { 'latest.svg': plot(run) } : {}),
  };
  const files = Object.keys(contents).map((name) => path.join(directory, name));
  await Promise.all(Object.values(contents).map((content, i) => writeFile(files[i], content)));
  return files.map((file) => path.relative(process.cwd(), file));
}
