// The command line of `npm run bench`.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CLIENTS } from './clients/index.mjs';
import { WORKLOADS } from './workloads.mjs';

const FULL = { rounds: 5, seconds: 2, warmup: 1, importRounds: 11 };
const QUICK = { rounds: 1, seconds: 0.5, warmup: 0.3, importRounds: 3 };

const PUBLISHED_DIR = fileURLToPath(new URL('../docs/benchmarks', import.meta.url));
const PARTIAL_DIR = fileURLToPath(new URL('../tmp/bench', import.meta.url));

export const USAGE = `npm run bench -- [options]

  --rounds N          rounds, each with every client once per workload (${FULL.rounds})
  --seconds N         measuring time per cell (${FULL.seconds})
  --warmup N          seconds of the same load before it (${FULL.warmup})
  --only a,b          workloads: ${WORKLOADS.map(({ id }) => id).join(', ')}; import; ceiling
  --clients a,b       clients: ${CLIENTS.map(({ id }) => id).join(', ')}
  --quick             ${QUICK.rounds} round of ${QUICK.seconds} s: does it run, not how fast is it
  --server ID         server to start, e.g. redis-8.2 (the first one found)
  --seeds host:port   an existing cluster instead of a started one; keys bench:* are overwritten
  --check             compare with the targets; exit code 1 when one is missed
  --from FILE         no run: report on the raw results of an earlier one
  --out DIR           where latest.md, latest.svg and latest.json go: docs/benchmarks, or tmp/bench
                      for a run with fewer rounds, clients or workloads than the default
`;

/** @returns {any} the options, complete and checked; `help: true` when only the usage is wanted */
export function parseOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      only: { type: 'string' },
      clients: { type: 'string' },
      quick: { type: 'boolean', default: false },
      server: { type: 'string' },
      seeds: { type: 'string' },
      check: { type: 'boolean', default: false },
      from: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const defaults = values.quick ? QUICK : FULL;
  const rounds = positive('rounds', values.rounds, defaults.rounds);
  if (!Number.isInteger(rounds))
    throw new Error(`--rounds must be a whole number, got ${values.rounds}`);
  const everything = [...WORKLOADS.map(({ id }) => id), 'import', 'ceiling'];
  const only = list('only', values.only, everything);
  const clients = list(
    'clients',
    values.clients,
    CLIENTS.map(({ id }) => id),
  );
  const seconds = positive('seconds', values.seconds, defaults.seconds);
  const partial =
    rounds < FULL.rounds ||
    seconds < FULL.seconds ||
    only.length < everything.length ||
    clients.length < CLIENTS.length;
  return {
    rounds,
    seconds,
    warmupSeconds: positive('warmup', values.warmup, defaults.warmup),
    importRounds: defaults.importRounds,
    workloads: WORKLOADS.filter(({ id }) => only.includes(id)),
    importCost: only.includes('import'),
    ceiling: only.includes('ceiling'),
    clients: CLIENTS.filter(({ id }) => clients.includes(id)),
    server: values.server,
    seeds: values.seeds === undefined ? undefined : values.seeds.split(',').map(seed),
    check: values.check,
    from: values.from,
    out: values.out ?? (partial ? PARTIAL_DIR : PUBLISHED_DIR),
    outPartial: values.out ?? PARTIAL_DIR,
    help: values.help,
  };
}

function positive(name, text, otherwise) {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number)))
    throw new Error(`--${name} must be a positive number, got ${text}`);
  return number;
}

function list(name, text, known) {
  if (text === undefined) return known;
  const chosen = text.split(',');
  const unknown = chosen.filter((item) => !known.includes(item));
  if (unknown.length > 0)
    throw new Error(`--${name}: no ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  return chosen;
}

function seed(text) {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port)) throw new Error(`--seeds: ${text} is not host:port`);
  return { host: text.slice(0, colon), port };
}
