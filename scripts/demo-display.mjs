// What the demonstration shows on the terminal: progress bars and tables.

const LABEL_WIDTH = 25;
const BAR_WIDTH = 30;
const REDRAW_MS = 100;

/**
 * A bar that is redrawn in place. Where the output is not a terminal, only its end is printed.
 *
 * @param {string} label
 * @param {number} total
 * @returns {(done: number) => void}
 */
export function progressBar(label, total) {
  const { isTTY } = process.stdout;
  const startedAt = performance.now();
  let drawnAt = 0;
  return (done) => {
    const now = performance.now();
    const isLast = done === total;
    if (!isLast && (!isTTY || now - drawnAt < REDRAW_MS)) return;
    drawnAt = now;
    const filled = Math.round((done / total) * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const rate = perSecond(done, now - startedAt);
    const line = `${label.padEnd(LABEL_WIDTH)} ${bar} ${number(done).padStart(7)}  ${rate}`;
    process.stdout.write(isTTY ? `\r${line}` : line);
    if (isLast) process.stdout.write('\n');
  };
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString('en-US');
}

/** @param {number} count @param {number} milliseconds */
export function perSecond(count, milliseconds) {
  return `${number(Math.round((count / milliseconds) * 1000))}/s`;
}

/**
 * Prints rows under their headings; numbers to the right.
 *
 * @param {Record<string, string | number>[]} rows
 */
export function printTable(rows) {
  const headings = Object.keys(rows[0]);
  const text = (value) => (typeof value === 'number' ? number(value) : value);
  const widths = headings.map((heading) =>
    Math.max(heading.length, ...rows.map((row) => text(row[heading]).length)),
  );
  const line = (cells) => `  ${cells.join('  ')}`.trimEnd();
  console.log(line(headings.map((heading, index) => heading.padEnd(widths[index]))));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) {
    console.log(
      line(
        headings.map((heading, index) => {
          const value = row[heading];
          return typeof value === 'number'
            ? text(value).padStart(widths[index])
            : value.padEnd(widths[index]);
        }),
      ),
    );
  }
}
