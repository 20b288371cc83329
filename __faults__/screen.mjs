// What a run says on the screen.

import { COLUMNS, formatFigure } from './columns.mjs';
import { formatVerdict, missed } from './targets.mjs';

/** @param {import('./report.mjs').Outcome} outcome @returns {string} a few lines for the screen */
export function formatOutcome(outcome) {
  if (outcome.failure) return `  FAILED: ${outcome.failure}`;
  if (outcome.skipped) return `  NOT RUN: ${outcome.skipped}`;
  const { figures, proof } = outcome;
  const shown = COLUMNS.map((column) => ({
    heading: column.heading,
    text: formatFigure(column, figures),
  }))
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

/** @param {{ outcomes: import('./report.mjs').Outcome[] }} run @returns {string} */
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
