// Draws latest.svg: per workload one bar per client, throughput relative to node-redis on a
// logarithmic scale, so that half as fast and twice as fast are equally long bars on either side of
// the line.
import { summarise } from './summary.mjs';

const BASE = 'node-redis';
const WIDTH = 900;
const LABEL_WIDTH = 275;
const VALUE_WIDTH = 60;
const BAR = 13;
const BAR_GAP = 2;
const GROUP_GAP = 16;
const TOP = 78;
const BOTTOM = 34;

/** Middle tones: they stand out from white and from black. */
const COLOURS = {
  ours: '#e5534b',
  ioredis: '#4f8fdc',
  'ioredis-auto': '#7a6fe0',
  iovalkey: '#2f9e8f',
  glide: '#b8862b',
};

/**
 * No background is painted; the text follows the reader's scheme and is grey where nothing is known
 * of it.
 */
const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #57606a; }
  .title { font-size: 15px; font-weight: 600; }
  .value { font-size: 11px; }
  .grid { stroke: #8c959f; stroke-opacity: 0.3; }
  .base { stroke: #8c959f; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) { text { fill: #adbac7; } }`;

/** @returns {string} the picture */
export function plot(run) {
  const summary = summarise(run);
  const clients = run.clients.filter(({ id }) => id !== BASE);
  const groups = run.workloads
    .map(({ id, title }) => ({
      title,
      bars: clients
        .map((client) => ({ ...client, ratio: summary.ratio('opsPerSec', id, client.id, BASE) }))
        .filter(({ ratio }) => ratio > 0 && Number.isFinite(ratio)),
    }))
    .filter(({ bars }) => bars.length > 0);

  const scale = logScale(groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const heights = groups.map(({ bars }) => bars.length * (BAR + BAR_GAP) + GROUP_GAP);
  const height = TOP + heights.reduce((sum, one) => sum + one, 0) + BOTTOM;
  let top = TOP;
  const drawn = groups.map((group, i) => {
    const picture = drawGroup(group, top, scale);
    top += heights[i];
    return picture;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}"` +
      ` height="${height}" role="img" aria-label="Throughput relative to node-redis">`,
    `<style>${STYLE}\n</style>`,
    text(
      16,
      24,
      'Throughput relative to node-redis (logarithmic; longer to the right is faster)',
      'title',
    ),
    ...legend(clients),
    ...axis(scale, height),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** Whole powers of two around all ratios, and always around 1. */
function logScale(ratios) {
  const low = Math.floor(Math.min(-1, ...ratios.map(Math.log2)));
  const high = Math.ceil(Math.max(1, ...ratios.map(Math.log2)));
  const width = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i)),
    x: (ratio) => LABEL_WIDTH + ((Math.log2(ratio) - low) / (high - low)) * width,
  };
}

/** One line; what a title takes is estimated, since fonts differ. */
function legend(clients) {
  let next = 16;
  return clients.map(({ id, title }) => {
    const x = next;
    next += 38 + title.length * 6.6;
    return bar(x, 42, 11, 11, id, title) + text(x + 16, 52, title);
  });
}

function axis({ ticks, x }, height) {
  return ticks.map((tick) => {
    const at = round(x(tick));
    const label = tick >= 1 ? `${tick}x` : `1/${1 / tick}x`;
    return (
      `<line class="${tick === 1 ? 'base' : 'grid'}" x1="${at}" x2="${at}" y1="${TOP - 12}"` +
      ` y2="${height - BOTTOM + 4}"/>` +
      text(at, height - 12, tick === 1 ? BASE : label, '', 'middle')
    );
  });
}

function drawGroup({ title, bars }, top, { x }) {
  const middle = top + (bars.length * (BAR + BAR_GAP)) / 2;
  const parts = [text(LABEL_WIDTH - 12, middle + 3, title, '', 'end')];
  bars.forEach(({ id, ratio, title: client }, i) => {
    const y = top + i * (BAR + BAR_GAP);
    const from = Math.min(x(1), x(ratio));
    const width = Math.max(1, Math.abs(x(ratio) - x(1)));
    const value = `${ratio.toFixed(ratio < 10 ? 2 : 1)}x`;
    parts.push(bar(from, y, width, BAR, id, `${client}: ${value}`));
    // Always to the right of the line or the bar: to the left it would run into the workload's
    // name.
    parts.push(text(Math.max(x(1), x(ratio)) + 5, y + BAR - 3, value, 'value'));
  });
  return parts.join('\n');
}

function bar(x, y, width, height, id, tip = '') {
  return (
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" rx="2"` +
    ` fill="${colour(id)}"><title>${escape(tip)}</title></rect>`
  );
}

function text(x, y, content, className = '', anchor = 'start') {
  return `<text x="${round(x)}" y="${round(y)}" class="${className}" text-anchor="${anchor}">${escape(content)}</text>`;
}

const colour = (id) => COLOURS[id] ?? '#8c959f';
const round = (number) => Math.round(number * 10) / 10;
const escape = (content) => content.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
