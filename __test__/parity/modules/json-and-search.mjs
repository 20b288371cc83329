// json and ft: calls, and what Redis Stack answers to them.

import { double, OK } from './reply.mjs';

const map = (object) => new Map(Object.entries(object));
const SCHEMA = { name: 'TEXT', age: { type: 'NUMERIC', SORTABLE: true } };

const SEARCH_2 = [2, 'doc:1', ['name', 'Ann', 'age', '30'], 'doc:2', null];
const SEARCH_3 = map({
  attributes: [],
  warning: [],
  total_results: 2,
  format: 'STRING',
  results: [
    map({ id: 'doc:1', extra_attributes: map({ name: 'Ann', age: '30' }), values: [] }),
    map({ id: 'doc:2', extra_attributes: map({ $: '{"a":1}' }), values: [] }),
  ],
});
const AGGREGATE_2 = [1, ['name', 'Ann', 'n', '1']];
const AGGREGATE_3 = map({
  attributes: [],
  warning: ['Timeout limit was reached'],
  total_results: 1,
  format: 'STRING',
  results: [map({ extra_attributes: map({ name: 'Ann', n: '1' }), values: [] })],
});
const PROFILE = ['Total profile time', double('0.1'), 'Warning', 'None'];

/** @type {import('./table.mjs').ModuleCall[]} */
export const jsonAndSearch = [
  ['json.arrAppend', ['k', '$.a', 1, 'two'], [3, null]],
  ['json.arrIndex', ['k', '$.a', 'x', { range: { start: 0, stop: 5 } }], [-1]],
  ['json.arrInsert', ['k', '$.a', 0, { b: 1 }], [4]],
  ['json.arrLen', ['k', { path: '$.a' }], [3, null]],
  ['json.arrPop', ['k', { path: '$.a', index: 0 }], ['{"x":[1,null]}', null]],
  ['json.arrPop', ['k'], '"text"'],
  ['json.arrTrim', ['k', '$.a', 0, 1], [2]],
  ['json.clear', ['k', { path: '$' }], 1],
  ['json.debugMemory', ['k'], [10]],
  ['json.del', ['k'], 1],
  ['json.forget', ['k', { path: '$.a' }], 0],
  ['json.get', ['k', { path: ['$.a', '$.b'] }], '{"$.a":[1.5],"$.b":["\u00e9"]}'],
  ['json.get', ['k'], null],
  ['json.get', ['k'], 'not JSON'],
  [
    'json.get',
    ['k', { path: '$', reviver: (_, value) => (value === 1 ? 'one' : value) }],
    '[{"a":1}]',
  ],
  ['json.merge', ['k', '$', { a: null }], OK],
  ['json.mGet', [['k', 'k'], '$'], ['[1]', null]],
  ['json.mSet', [[{ key: 'k', path: '$', value: [1] }]], OK],
  ['json.numIncrBy', ['k', '$.n', 2], '[3,null]', [double('3'), null]],
  ['json.numMultBy', ['k', '$.n', 2], '[6.5]', [double('6.5')]],
  ['json.objKeys', ['k', { path: '$' }], [['a', 'b'], null]],
  ['json.objLen', ['k'], 2],
  ['json.set', ['k', '$', { a: [1, 'x', null] }, { condition: 'NX' }], OK],
  ['json.set', ['k', '$', 'x', { NX: true }], null],
  ['json.strAppend', ['k', 'x', { path: '$.s' }], [4]],
  ['json.strLen', ['k'], 4],
  ['json.toggle', ['k', '$.b'], [1, null]],
  ['json.type', ['k', { path: '$' }], ['object'], [['object']]],
  ['ft._list', [], ['index'], new Set(['index'])],
  ['ft.alter', ['index', SCHEMA], OK],
  [
    'ft.aggregate',
    ['index', '*', { GROUPBY: { properties: '@name', REDUCE: { type: 'COUNT', AS: 'n' } } }],
    AGGREGATE_2,
    AGGREGATE_3,
  ],
  ['ft.aliasAdd', ['alias', 'index'], OK],
  ['ft.aliasDel', ['alias'], OK],
  ['ft.aliasList', ['index'], ['alias'], new Set(['alias'])],
  ['ft.aliasUpdate', ['alias', 'index'], OK],
  ['ft.configGet', ['*'], [['TIMEOUT', '500']], map({ TIMEOUT: '500' })],
  ['ft.configSet', ['TIMEOUT', '100'], OK],
  ['ft.create', ['index', SCHEMA, { ON: 'HASH', PREFIX: 'doc:' }], OK],
  ['ft.dictAdd', ['d', ['a', 'b']], 2],
  ['ft.dictDel', ['d', 'a'], 1],
  ['ft.dictDump', ['d'], ['a'], new Set(['a'])],
  ['ft.dropIndex', ['index', { DD: true }], OK],
  ['ft.explain', ['index', '*'], '<WILDCARD>\n'],
  ['ft.explainCli', ['index', '*'], ['<WILDCARD>', '']],
  [
    'ft.info',
    ['index'],
    map({
      index_name: 'index',
      index_options: [],
      index_definition: map({ key_type: 'HASH', prefixes: ['doc:'], default_score: '1' }),
      attributes: [map({ identifier: 'name', attribute: 'name', type: 'TEXT', WEIGHT: '1' })],
      num_docs: '2',
      num_terms: 3,
      percent_indexed: double('1'),
      stopwords_list: ['a'],
    }),
  ],
  [
    'ft.profileSearch',
    ['index', '*'],
    [SEARCH_2, PROFILE],
    map({ Results: SEARCH_3, Profile: map({ Shards: [] }) }),
  ],
  [
    'ft.profileAggregate',
    ['index', '*'],
    [AGGREGATE_2, PROFILE],
    map({ Results: AGGREGATE_3, Profile: map({ Shards: [] }) }),
  ],
  ['ft.search', ['index', '*', { LIMIT: { from: 0, size: 2 } }], SEARCH_2, SEARCH_3],
  [
    'ft.search',
    ['index', '*'],
    [0],
    map({ attributes: [], warning: [], total_results: 0, format: 'STRING', results: [] }),
  ],
  ['ft.searchNoContent', ['index', '*'], [2, 'doc:1', 'doc:2'], SEARCH_3],
  [
    'ft.spellCheck',
    ['index', 'helo'],
    [['TERM', 'helo', [['0.5', 'hello']]]],
    map({ results: map({ helo: [map({ hello: double('0.5') })] }) }),
  ],
  ['ft.sugAdd', ['k', 'text', 1, { INCR: true }], 1],
  ['ft.sugDel', ['k', 'text'], 1],
  ['ft.sugGet', ['k', 'te', { FUZZY: true, MAX: 2 }], ['text']],
  ['ft.sugGet', ['k', 'none'], null],
  ['ft.sugGetWithPayloads', ['k', 'te'], ['text', null, 'tea', 'p']],
  ['ft.sugGetWithScores', ['k', 'te'], ['text', double('2147483648')]],
  ['ft.sugGetWithScoresWithPayloads', ['k', 'te'], ['text', double('1.5'), 'p']],
  ['ft.sugLen', ['k'], 2],
  ['ft.synDump', ['index'], map({ term: ['group'] })],
  ['ft.synUpdate', ['index', 'group', ['a', 'b']], OK],
  ['ft.tagVals', ['index', 'tag'], ['red'], new Set(['red'])],
];
