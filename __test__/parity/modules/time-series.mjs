// ts: calls, and what Redis Stack answers to them.

import { double, OK, Simple } from './reply.mjs';

const map = (object) => new Map(Object.entries(object));
const sample = (timestamp, value) => [timestamp, double(value)];
/** RESP 2 has values as simple strings here. */
const sample2 = (timestamp, value) => [timestamp, new Simple(value)];

const SAMPLES_2 = [sample2(1, '1.5'), sample2(2, '-inf')];
const SAMPLES_3 = [sample(1, '1.5'), sample(2, '-inf')];
const LABELS_2 = [
  ['site', 'a'],
  ['unit', null],
];
const LABELS_3 = map({ site: 'a', unit: null });
const SERIES_2 = [['k', LABELS_2, SAMPLES_2]];
const SERIES_3 = map({ k: [LABELS_3, map({ aggregators: [] }), SAMPLES_3] });
const GROUPED_2 = [
  [
    'site=a',
    [
      ['site', 'a'],
      ['__reducer__', 'max'],
      ['__source__', 'k1,k2'],
    ],
    SAMPLES_2,
  ],
];
const GROUPED_3 = map({
  'site=a': [LABELS_3, map({ reducers: ['max'] }), map({ sources: ['k1', 'k2'] }), SAMPLES_3],
});
const GROUP_BY = { label: 'site', REDUCE: 'MAX' };
const MULTI = { AGGREGATION: { types: ['AVG', 'MAX'], timeBucket: 10 } };

const INFO = map({
  totalSamples: 2,
  memoryUsage: 4261,
  firstTimestamp: 1,
  lastTimestamp: 2,
  retentionTime: 0,
  chunkCount: 1,
  chunkSize: 4096,
  chunkType: new Simple('compressed'),
  duplicatePolicy: null,
  labels: map({ site: 'a' }),
  sourceKey: null,
  rules: map({}),
  ignoreMaxTimeDiff: 0,
  ignoreMaxValDiff: double('0'),
});
const INFO_2 = [...INFO].flatMap(([name, value]) => [
  name,
  name === 'labels' ? [['site', 'a']] : name === 'rules' ? [['dest', 10, 'avg', 0]] : value,
]);

const ranges = ['mRange', 'mRevRange'].flatMap((name) => [
  [`ts.${name}`, ['-', '+', 'site=a'], SERIES_2, SERIES_3],
  [`ts.${name}WithLabels`, [0, 10, 'site=a'], SERIES_2, SERIES_3],
  [`ts.${name}SelectedLabels`, ['-', '+', ['site', 'unit'], 'site=a'], SERIES_2, SERIES_3],
  [`ts.${name}GroupBy`, ['-', '+', 'site=a', GROUP_BY], GROUPED_2, GROUPED_3],
  [`ts.${name}WithLabelsGroupBy`, ['-', '+', 'site=a', GROUP_BY], GROUPED_2, GROUPED_3],
  [`ts.${name}SelectedLabelsGroupBy`, ['-', '+', 'site', 'site=a', GROUP_BY], GROUPED_2, GROUPED_3],
  [`ts.${name}MultiAggr`, ['-', '+', 'site=a', MULTI], SERIES_2, SERIES_3],
  [`ts.${name}WithLabelsMultiAggr`, ['-', '+', 'site=a', MULTI], SERIES_2, SERIES_3],
  [`ts.${name}SelectedLabelsMultiAggr`, ['-', '+', 'site', 'site=a', MULTI], SERIES_2, SERIES_3],
]);

/** @type {import('./table.mjs').ModuleCall[]} */
export const timeSeries = [
  ['ts.add', ['k', '*', 1.5, { RETENTION: 10, LABELS: { site: 'a' } }], 1700000000000],
  ['ts.add', ['k', new Date(1700000000000), 2], 1700000000000],
  ['ts.alter', ['k', { RETENTION: 5 }], OK],
  ['ts.create', ['k', { CHUNK_SIZE: 128, DUPLICATE_POLICY: 'LAST' }], OK],
  ['ts.createRule', ['k', 'k', 'AVG', 10], OK],
  ['ts.decrBy', ['k', 1], 1700000000001],
  ['ts.incrBy', ['k', 1, { TIMESTAMP: 5 }], 5],
  ['ts.del', ['k', '-', '+'], 2],
  ['ts.deleteRule', ['k', 'k'], OK],
  ['ts.get', ['k'], [1, new Simple('1.5')], sample(1, '1.5')],
  ['ts.get', ['k', { LATEST: true }], []],
  ['ts.info', ['k'], INFO_2, INFO],
  [
    'ts.infoDebug',
    ['k'],
    [...INFO_2, 'keySelfName', 'k', 'Chunks', []],
    new Map([...INFO, ['keySelfName', 'k'], ['Chunks', []]]),
  ],
  ['ts.mAdd', [[{ key: 'k', timestamp: 1, value: 2 }]], [1]],
  ['ts.mGet', ['site=a'], [['k', [], sample2(1, '2')]], map({ k: [map({}), sample(1, '2')] })],
  ['ts.mGetWithLabels', [['site=a']], [['k', LABELS_2, []]], map({ k: [LABELS_3, []] })],
  [
    'ts.mGetSelectedLabels',
    ['site=a', 'site'],
    [['k', LABELS_2, sample2(1, '2')]],
    map({ k: [LABELS_3, sample(1, '2')] }),
  ],
  ['ts.queryIndex', ['site=a'], ['k'], new Set(['k'])],
  ['ts.range', ['k', '-', '+', { COUNT: 2 }], SAMPLES_2, SAMPLES_3],
  ['ts.revRange', ['k', 0, new Date(10)], SAMPLES_2, SAMPLES_3],
  ...ranges,
  [
    'ts.rangeMultiAggr',
    ['k', '-', '+', MULTI],
    [[1, [new Simple('1'), new Simple('2')]]],
    [[1, double('1'), double('2')]],
  ],
  [
    'ts.revRangeMultiAggr',
    ['k', '-', '+', MULTI],
    [[1, [new Simple('1'), new Simple('2')]]],
    [[1, double('1'), double('2')]],
  ],
  [
    'ts.nRange',
    [['k', 'k'], '-', '+'],
    [[1, [new Simple('1'), new Simple('nan')]]],
    [[1, [double('1'), double('nan')]]],
  ],
  ['ts.nRevRange', [['k'], '-', '+'], [], []],
  ['ts.read', ['k', 0], SAMPLES_2, SAMPLES_3],
  ['ts.queryLabels', [['site=a']], ['site'], new Set(['site'])],
  ['ts.queryLabelValues', ['site', ['site=a']], ['a', 'b'], new Set(['a', 'b'])],
];
