// Checks the benchmark itself: that it computes what it prints, and that a client which answers
// wrongly or fails is caught. Needs no server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATASETS, entry } from './dataset.mjs';
import { measure } from './measure.mjs';
import { parseOptions } from './options.mjs';
import { plot } from './plot.mjs';
import { formatMarkdown } from './report.mjs';
import { median, percentile } from './stats.mjs';
import { isSound, problems, summarise } from './summary.mjs';
import { TARGETS, checkTargets } from './targets.mjs';
import { WORKLOADS } from './workloads.mjs';

const TIMES = { warmupSeconds: 0.02, seconds: 0.1 };

test('median and percentile', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([NaN, 7]), 7);
  assert.ok(Number.isNaN(median([])));
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 100);
});

/** Answers from memory, one turn of the event loop later, as the data sets say. */
function honestClient() {
  const store = new Map();
  const answer = (value) =>
    new Promise((resolve) => {
      setImmediate(resolve, value);
    });
  const read = (key) => {
    const [, dataset, number] = key.split(':');
    return store.get(key) ?? entry(dataset, Number(number)).value;
  };
  return {
    get: (key) => answer(read(key)),
    set(key, value) {
      store.set(key, value);
      return answer('OK');
    },
    hgetall: (key) => answer(read(key)),
    lrange: (key) => answer(read(key)),
    mget: (keys) => answer(keys.map(read)),
    mset: () => answer('OK'),
    del: () => answer(0),
    transaction: (key) => answer([...Array(2).fill('OK'), ...Array(8).fill(read(key))]),
    repliesOf: (reply) => reply,
    countKeys: () => answer(DATASETS['64b'].keys),
    hashOf: (reply) => reply,
    close: async () => {},
  };
}

const small = WORKLOADS.filter(({ dataset }) => dataset !== '1mb');

test('an honest client passes every workload', async () => {
  for (const workload of small) {
    const figures = await measure(workload, honestClient(), TIMES);
    assert.equal(figures.wrong, 0, `${workload.id}: ${figures.firstWrong}`);
    assert.equal(figures.errors, 0, workload.id);
    assert.ok(figures.verified > 0, `${workload.id}: no reply was looked at`);
    assert.ok(
      figures.opsPerSec > 0 && figures.p50Us > 0 && figures.cpuUsPerOp > 0 && figures.rssMb > 0,
      workload.id,
    );
  }
});

test('a client that mixes up replies is caught on every workload', async () => {
  for (const workload of small) {
    const honest = honestClient();
    const other = (key) =>
      key.replace(/\d+$/, (number) =>
        String((Number(number) + 1) % DATASETS[workload.dataset].keys),
      );
    const liar = {
      ...honest,
      get: (key) => honest.get(other(key)),
      hgetall: (key) => honest.hgetall(other(key)),
      lrange: (key) => honest.lrange(other(key)),
      mget: (keys) => honest.mget(keys.map(other)),
      mset: () => honest.del(),
      del: () => honest.mset(),
      transaction: (key) => honest.transaction(other(key)),
      countKeys: async (...args) => (await honest.countKeys(...args)) - 1,
    };
    const figures = await measure(workload, liar, TIMES);
    assert.ok(figures.wrong > 0, workload.id);
    assert.match(figures.firstWrong, /got/);
  }
});

test('a client that only fails is given up, and a few failures are counted', async () => {
  const workload = WORKLOADS.find(({ id }) => id === '64b-50');
  const failing = { ...honestClient(), get: () => Promise.reject(new Error('no')) };
  assert.match((await measure(workload, failing, TIMES)).failure, /given up .* Error: no/);

  const honest = honestClient();
  let calls = 0;
  const flaky = {
    ...honest,
    get: (key) => (++calls === 10 ? Promise.reject(new Error('once')) : honest.get(key)),
  };
  const figures = await measure(workload, flaky, TIMES);
  assert.equal(figures.errors, 1);
  assert.equal(figures.firstError, 'Error: once');
});

test('a held event loop is seen', async () => {
  const honest = honestClient();
  let calls = 0;
  const holding = {
    ...honest,
    get(key) {
      if (++calls % 20 === 0)
        for (const until = performance.now() + 30; performance.now() < until;);
      return honest.get(key);
    },
  };
  const figures = await measure(WORKLOADS[0], holding, { warmupSeconds: 0.02, seconds: 0.3 });
  assert.ok(figures.holdMaxMs >= 25, `saw ${figures.holdMaxMs} ms`);
  assert.ok(figures.longHolds > 0);
});

/** A run with constant figures: `ours` differs from each peer by `factor` in every metric. */
function madeUpRun(factor) {
  const cells = [];
  for (const round of [1, 2, 3]) {
    for (const { id } of WORKLOADS) {
      for (const client of ['ours', 'node-redis', 'ioredis', 'ioredis-auto', 'glide']) {
        const slow = round * 100;
        const share = client === 'ours' ? factor : 1;
        const cost = slow / share;
        cells.push({
          round,
          workload: id,
          client,
          errors: 0,
          wrong: 0,
          opsPerSec: slow * share,
          p50Us: cost,
          p99Us: cost,
          cpuUsPerOp: cost,
          loopP99Ms: cost,
          holdMaxMs: cost,
          longHolds: 1,
          rssMb: cost,
        });
      }
    }
  }
  return {
    date: '',
    command: '',
    machine: {},
    server: '',
    cluster: '',
    rounds: 3,
    seconds: 2,
    warmupSeconds: 1,
    leftOut: [],
    cells,
    workloads: WORKLOADS.map(({ id, title }) => ({ id, title })),
    clients: [...new Set(cells.map(({ client }) => client))].map((id) => ({
      id,
      title: id,
      version: '1',
    })),
    importCost: {
      bare: { ms: 10, aboveBareMs: 0 },
      ours: { ms: 10 + 100 / factor, aboveBareMs: 100 / factor },
      'node-redis': { ms: 110, aboveBareMs: 100 },
    },
  };
}

test('ratios are taken within a round', () => {
  const summary = summarise(madeUpRun(4));
  assert.equal(summary.value('opsPerSec', '64b-50', 'ours'), 800);
  assert.equal(summary.ratio('opsPerSec', '64b-50', 'ours', 'node-redis'), 4);
  assert.equal(summary.ratio('cpuUsPerOp', '64b-50', 'ours', 'node-redis'), 0.25);
  assert.ok(Number.isNaN(summary.ratio('opsPerSec', '64b-50', 'ours', 'iovalkey')));
});

test('targets: all reached, all missed, nothing measured', () => {
  const verdicts = (run) => [
    ...new Set(checkTargets(summarise(run)).map(({ verdict }) => verdict)),
  ];
  assert.deepEqual(verdicts(madeUpRun(30)), ['pass']);
  assert.deepEqual(verdicts(madeUpRun(0.5)), ['miss']);
  assert.deepEqual(verdicts({ ...madeUpRun(1), cells: [], importCost: undefined }), ['no figures']);
  const known = [...WORKLOADS.map(({ id }) => id), 'import'];
  for (const { workload } of TARGETS) assert.ok(known.includes(workload), workload);
});

test('a wrong answer of anybody and a failure of ours make the run unsound', () => {
  const run = madeUpRun(2);
  assert.ok(isSound(run));
  const peerFails = {
    ...run,
    cells: [
      ...run.cells,
      { client: 'glide', workload: '64b-1', errors: 3, firstError: 'timeout', wrong: 0 },
    ],
  };
  assert.ok(isSound(peerFails));
  assert.match(problems(peerFails)[0], /glide, 64b-1: 3 commands failed/);
  assert.ok(
    !isSound({
      ...run,
      cells: [...run.cells, { client: 'glide', errors: 0, wrong: 1, firstWrong: '' }],
    }),
  );
  assert.ok(!isSound({ ...run, cells: [...run.cells, { client: 'ours', errors: 1, wrong: 0 }] }));
  assert.ok(!isSound({ ...run, cells: [...run.cells, { client: 'ours', failure: 'crashed' }] }));
});

test('the plot has a bar for every figure, the report a line', () => {
  const run = madeUpRun(0.25);
  const svg = plot(run);
  const peers = run.clients.length - 1;
  assert.equal(
    svg.match(/<title>/g).length,
    (WORKLOADS.length + 1) * peers,
    'and one in the legend',
  );
  assert.match(svg, /ours: 0\.25x/);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  const markdown = formatMarkdown(run);
  for (const { title } of WORKLOADS) assert.ok(markdown.includes(`## ${title}\n`), title);
});

test('a smaller run is not written over the published one', () => {
  assert.match(parseOptions([]).out, /docs.benchmarks$/);
  for (const argv of [
    ['--quick'],
    ['--rounds', '2'],
    ['--only', '64b-1'],
    ['--clients', 'ours'],
    ['--seconds', '1'],
  ]) {
    assert.match(parseOptions(argv).out, /tmp.bench$/, argv.join(' '));
  }
  assert.throws(() => parseOptions(['--only', 'nothing']), /--only: no nothing; there are: /);
  assert.throws(() => parseOptions(['--rounds', '1.5']), /whole number/);
});
