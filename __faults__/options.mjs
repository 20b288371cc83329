// The command line of `npm run test:faults`.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CLIENTS } from './clients.mjs';
import { SCENARIOS } from './scenarios/index.mjs';

const PUBLISHED_DIR = fileURLToPath(new URL('../docs', import.meta.url));
const PARTIAL_DIR = fileURLToPath(new URL('../tmp/faults', import.meta.url));

const ids = (list) => list.map(({ id }) => id);

export const USAGE = `npm run test:faults -- [options]

Starts clusters of redis-server, breaks them under load, and counts what clients make of it. The
exit code is 1 when this package misses a target or a scenario could not be run.

  --quick             this package only, shorter phases: under 10 minutes, the form for CI
  --only a,b          scenarios: ${ids(SCENARIOS)
    .join(', ')
    .replace(/(.{60,70}) /g, '$1\n                      ')}
  --clients a,b       ${ids(CLIENTS).join(', ')}
  --server ID         the server to start, e.g. redis-8.2 (the first one found)
  --from FILE         no run: report on the raw figures of an earlier one
  --out DIR           where reliability.md and reliability.json go: docs for a full run with all
                      clients and scenarios, otherwise tmp/faults
`;

/** @returns {any} the options, complete and checked; `help: true` when only the usage is wanted */
export function parseOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      clients: { type: 'string' },
      server: { type: 'string' },
      from: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, server, from, help } = values;
  const scenarios = choose('only', values.only, SCENARIOS);
  const clients = choose('clients', values.clients ?? (quick ? 'ours' : undefined), CLIENTS);
  const isFull =
    !quick && scenarios.length === SCENARIOS.length && clients.length === CLIENTS.length;
  const out = values.out ?? (isFull ? PUBLISHED_DIR : PARTIAL_DIR);
  return { quick, server, from, help, scenarios, clients, out };
}

function choose(name, text, all) {
  if (text === undefined) return all;
  const chosen = text.split(',');
  const unknown = chosen.filter((id) => !ids(all).includes(id));
  if (unknown.length > 0) {
    throw new Error(`--${name}: no ${unknown.join(', ')}; there are: ${ids(all).join(', ')}`);
  }
  return all.filter(({ id }) => chosen.includes(id));
}
