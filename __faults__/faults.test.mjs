// Checks the harness itself: that it finds what was planted, and only that. Needs no server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNREPLICATED_MS, judge } from './audit.mjs';
import { loadFigures, writeCapacity } from './figures.mjs';
import {
  counterKey,
  listKey,
  pairKeys,
  pairValue,
  setKey,
  setValue,
  slotOf,
  tagsIn,
} from './keys.mjs';
import { DONE, FAILED, createLane, describeError, histogram, issue, settle } from './ledger.mjs';
import { formatMarkdown } from './markdown.mjs';
import { parseOptions } from './options.mjs';
import { isGood } from './report.mjs';
import { SCENARIOS } from './scenarios/index.mjs';
import { formatOutcome } from './screen.mjs';
import { atMost, checkTargets, none } from './targets.mjs';

const worker = { id: 0, shard: 0, tags: ['a', 'b'] };
const NO_STORY = { faults: [], recoveries: [] };
const KIND = { incr: [true, 1], set: [true, 1], push: [true, 8], mset: [true, 1], get: [false, 1] };

/** A lane with one command per row: [issued, settled, outcome, reply?]. */
function laneOf(kind, rows) {
  const [writes, window] = KIND[kind];
  const lane = createLane(worker, { kind, writes, window });
  for (const [issued, settled, outcome, reply] of rows) {
    const index = issue(lane, issued);
    if (outcome !== undefined) settle(lane, index, settled, outcome);
    if (reply !== undefined) lane.replies[index] = reply;
    if (outcome === FAILED) lane.errors.set(index, 'Error: planted');
  }
  return lane;
}

const done = (count) => Array.from({ length: count }, (_, n) => [n * 10, n * 10 + 1, DONE]);

/** Judges one lane; the counts that are not zero. */
function findingsOf(lane, { texts = {}, lists = {} }, faults = []) {
  const contents = { text: (key) => texts[key] ?? null, list: (key) => lists[key] ?? [] };
  const { details, ...counts } = judge([lane], contents, faults);
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  assert.equal(details.length > 0, found.length > 0);
  return Object.fromEntries(found);
}

const killAt = (at) => [{ name: 'kill', at, until: at, shards: [0], losesUnreplicated: true }];

test('keys that were acknowledged must be there', () => {
  const texts = { [setKey(worker, 0)]: setValue(worker, 0), [setKey(worker, 2)]: 'something else' };
  const lane = laneOf('set', [...done(3), [30, 31, FAILED], [40]]);
  assert.deepEqual(findingsOf(lane, { texts }), { lost: 1, wrong: 1 });
});

test('what a killed primary acknowledged just before is set apart, and nothing else', () => {
  const lane = laneOf('set', [
    [0, 1, DONE],
    [200, 201, DONE],
  ]);
  const faults = killAt(200 + UNREPLICATED_MS / 2);
  assert.deepEqual(findingsOf(lane, {}, faults), { lost: 1, unreplicated: 1 });
  const elsewhere = faults.map((fault) => ({ ...fault, shards: [1] }));
  assert.deepEqual(findingsOf(lane, {}, elsewhere), { lost: 2 });
  const harmless = faults.map((fault) => ({ ...fault, losesUnreplicated: false }));
  assert.deepEqual(findingsOf(lane, {}, harmless), { lost: 2 });
});

test('counters: each row of replies and the final count', () => {
  const ok = (reply, at = 0) => [at, at, DONE, reply];
  const unknown = [0, 0, FAILED];
  const cases = [
    { rows: [ok(1), ok(2), ok(3)], final: 3, expected: {} },
    { rows: [ok(1), unknown, ok(2)], final: 2, expected: {} },
    { rows: [ok(1), unknown, ok(3)], final: 3, expected: {} },
    { rows: [ok(1), unknown, ok(4)], final: 4, expected: { twice: 1 } },
    { rows: [ok(1), ok(3)], final: 3, expected: { twice: 1 } },
    { rows: [ok(1), ok(2)], final: 3, expected: { twice: 1 } },
    { rows: [ok(1), unknown], final: 2, expected: {} },
    { rows: [ok(1), ok(2), ok(3)], final: 1, expected: { lost: 2 } },
    // An increment that nobody acknowledged is not lost when it is gone.
    { rows: [ok(1), unknown, ok(3), ok(2)], final: 2, expected: { lost: 1 } },
    { rows: [ok(1), ok(2), ok(2)], final: 2, expected: { lost: 1 } },
    { rows: [ok(1, 0), ok(2, 1000), ok(2, 2000)], final: 2, expected: { unreplicated: 1 } },
  ];
  for (const { rows, final, expected } of cases) {
    const texts = { [counterKey('a')]: String(final) };
    const found = findingsOf(laneOf('incr', rows), { texts }, killAt(1000));
    assert.deepEqual(found, expected, JSON.stringify({ rows, final }));
  }
});

test('lists: missing, doubled and disordered elements', () => {
  const lane = laneOf('push', [...done(4), [40, 41, FAILED], [50]]);
  const cases = [
    { list: [0, 1, 2, 3], expected: {} },
    { list: [0, 1, 2, 3, 4, 5], expected: {} },
    { list: [0, 2, 3], expected: { lost: 1 } },
    { list: [0, 2, 1, 3], expected: { reordered: 1 } },
    // Nobody may rely on the place of an element that was rejected.
    { list: [4, 0, 1, 2, 3], expected: {} },
    { list: [0, 1, 1, 2, 3, 4, 4], expected: { twice: 2 } },
    { list: [0, 1, 2, 3, 77], expected: { wrong: 1 } },
  ];
  for (const { list, expected } of cases) {
    const lists = { [listKey('a')]: list.map(String) };
    assert.deepEqual(findingsOf(lane, { lists }), expected, String(list));
  }
});

test('of two keys that are written together, none may be there alone', () => {
  const [one] = pairKeys('mset', worker, 0);
  const texts = { [one]: pairValue(worker, 0) };
  assert.deepEqual(findingsOf(laneOf('mset', [[0, 1, FAILED]]), { texts }), { wrong: 1 });
  assert.deepEqual(findingsOf(laneOf('mset', [[0, 1, DONE]]), {}), { lost: 1 });
});

test('stale reads count unless Redis itself lost what they miss', () => {
  const lane = laneOf('get', done(2));
  lane.bad.push({ index: 0, verdict: 'stale', got: 'null', acknowledged: 500 });
  lane.bad.push({ index: 1, verdict: 'wrong', got: 'x' });
  assert.deepEqual(findingsOf(lane, {}), { stale: 1, wrong: 1 });
  assert.deepEqual(findingsOf(lane, {}, killAt(510)), { wrong: 1 });
});

test('back: from the recovery until every lane succeeds and none fails any more', () => {
  const story = { faults: [], recoveries: [{ name: 'promoted', at: 100, shards: [0] }] };
  const backOf = (...rows) =>
    loadFigures(
      rows.map((some) => laneOf('set', some)),
      story,
      1000,
    ).backMs;
  assert.equal(backOf([[0, 150, DONE]], [[0, 180, DONE]]), 80);
  assert.equal(
    backOf([
      [0, 150, DONE],
      [160, 200, FAILED],
      [210, 240, DONE],
    ]),
    140,
  );
  assert.equal(backOf([[0, 150, FAILED]]), Infinity);
  assert.equal(backOf([[0, 90, DONE], [95]]), Infinity);
});

test('stall: from wanting to go on until something succeeds', () => {
  const stallOf = (kind, rows) => loadFigures([laneOf(kind, rows)], NO_STORY, 1000).stallMs;
  // Idle between two commands is no stall; the wait of the slowest is.
  assert.equal(
    stallOf('set', [
      [0, 5, DONE],
      [500, 520, DONE],
    ]),
    20,
  );
  // What fails in between does not end it.
  assert.equal(
    stallOf('set', [
      [0, 5, DONE],
      [10, 20, FAILED],
      [30, 90, DONE],
    ]),
    80,
  );
  assert.equal(
    stallOf('push', [
      [0, 40, DONE],
      [1, 70, DONE],
    ]),
    40,
  );
  assert.equal(stallOf('set', [[0, 5, DONE], [400]]), 600);
});

test('failures are sorted by what excuses them', () => {
  const story = { ...NO_STORY, faults: killAt(100) };
  const set = laneOf('set', [[90, 110, FAILED], [300, 310, FAILED], [400, 5400, FAILED], [6000]]);
  const get = laneOf('get', [[90, 110, FAILED]]);
  const figures = loadFigures([set, get], story, 7000);
  assert.equal(figures.failedWrites, 3);
  assert.equal(figures.failedReads, 1);
  assert.equal(figures.strayFailures, 2);
  assert.equal(figures.earlyFailures, 2);
  assert.equal(figures.hung, 1);
  assert.deepEqual(figures.errors, { 'Error: planted': 4 });
  assert.equal(writeCapacity([set, get, laneOf('push', [])], story), 9);
});

test('tags lie in their range, each in another slot', () => {
  const tags = tagsIn('x', { first: 100, last: 400 }, 20);
  const slots = tags.map((tag) => slotOf(`key:{${tag}}`));
  assert.equal(new Set(slots).size, 20);
  assert.ok(slots.every((slot) => slot >= 100 && slot <= 400));
  assert.equal(slotOf('{foo}bar'), 12_182);
});

test('equal errors count as equal', () => {
  const errors = [7000, 7001].map((port) => new TypeError(`no answer from 127.0.0.1:${port}\nx`));
  assert.deepEqual(histogram(errors.map(describeError)), { 'TypeError: no answer from N:N': 2 });
});

test('a target is met or missed, and a figure that is missing is missed', () => {
  const [met, missed, missing] = checkTargets(
    [atMost('a', 'a', 5), none('b', 'b'), none('c', 'c')],
    { a: 5, b: 1 },
  );
  assert.deepEqual([met.isMet, missed.isMet, missing.isMet], [true, false, false]);
});

test('options: a partial run leaves the published report alone', () => {
  assert.match(parseOptions([]).out, /docs$/);
  assert.match(parseOptions(['--only', 'kill']).out, /tmp\/faults$/);
  const quick = parseOptions(['--quick']);
  assert.deepEqual(
    quick.clients.map(({ id }) => id),
    ['ours'],
  );
  assert.equal(quick.scenarios.length, SCENARIOS.length);
  assert.throws(() => parseOptions(['--only', 'kil']), /no kil; there are: kill/);
});

test('a report has each scenario, what was missed, and what failed', () => {
  const outcomes = [
    {
      scenario: 'kill',
      client: 'ours',
      figures: { done: 12_345, backMs: Infinity, errors: { 'Error: x': 2 } },
      proof: ['promoted'],
      verdicts: checkTargets([atMost('back', 'backMs', 200)], { backMs: Infinity }),
    },
    { scenario: 'kill', client: 'ioredis', failure: 'crashed' },
    { scenario: 'kill', client: 'node-redis', skipped: 'no filter' },
  ];
  const run = {
    ...{ date: 'today', machine: {}, server: 'Redis', command: 'npm run test:faults', outcomes },
    scenarios: [{ id: 'kill', title: 'a primary is killed' }],
    clients: ['ours', 'ioredis', 'node-redis'].map((id) => ({ id, title: id, version: '1' })),
  };
  const text = formatMarkdown(run);
  for (const part of [
    '12,345',
    'never',
    '2 x `Error: x`',
    'misses a target',
    'ioredis: crashed',
    'not run: no filter',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.match(formatOutcome(outcomes[0]), /MISSED: back/);
  assert.equal(isGood(run), false);
});
