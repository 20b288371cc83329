// What the package exports, to CommonJS and to ESM, and what it does not load before it is used.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as ours from '../index.js';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Single nodes, pools and sentinels are not this package's business. */
const NOT_OURS = ['RedisClient', 'RedisClientPool', 'RedisSentinel', 'RedisSentinelClient', 'createClient',
  'createClientPool', 'createSentinel'];

/** Runs code in a process of its own, where `stub()` replaces the addon. @returns what it prints */
function run(code, type = 'commonjs') {
  const prepare = `
    const id = require.resolve('${ROOT}js/native-addon.js');
    require.cache[id] = { id, filename: id, loaded: true, exports: { createNativeCluster: () => ({ submit() {} }) } };
    const loaded = () => Object.keys(require.cache).filter((name) => name.includes('@redis'))
      .map((name) => name.replace(/.*@redis./, ''));`;
  const esm = `import { createRequire } from 'node:module'; const require = createRequire('${ROOT}');`;
  const text = type === 'module' ? esm + prepare + code : prepare + code;
  return execFileSync(process.execPath, [`--input-type=${type}`, '-e', text], { encoding: 'utf8', cwd: ROOT });
}

test('every export of `redis` that concerns clusters is exported, to ESM too', () => {
  const theirs = Object.keys(require('redis')).filter((name) => !NOT_OURS.includes(name));
  assert.deepEqual(Object.keys(require('../index.js')).sort(), [...theirs].sort());
  for (const name of theirs) assert.ok(name in ours, name);
});

test('errors and reply types are the very ones of @redis/client, constants have the same values', () => {
  const theirs = require('redis');
  for (const [name, value] of Object.entries(require('../index.js'))) {
    if (name === 'createCluster' || name === 'RedisCluster') continue;
    if (typeof value === 'function') assert.equal(value, theirs[name], name);
    else assert.deepEqual(value, theirs[name], name);
  }
});

const CREATE = "createCluster({ rootNodes: [{ host: 'h' }] })";
/** [how, code, module type] */
const IMPORTS = [
  ['require', `const { createCluster } = require('${ROOT}');`, 'commonjs'],
  ['import', `const { createCluster } = await import('${ROOT}index.js');`, 'module'],
];
for (const [how, load, type] of IMPORTS) {
  test(`${how} and createCluster load no command, module, client or cluster of node-redis`, () => {
    const files = JSON.parse(run(`${load} const c = ${CREATE}; 'get' in c; 'json' in c; console.log(JSON.stringify(loaded()))`, type));
    const heavy = files.filter((name) =>
      /^(bloom|json|search|time-series)\b|lib.commands.|lib.(cluster|sentinel)|client.(index|socket|commands-queue)/.test(name));
    assert.deepEqual(heavy, []);
    assert.ok(files.length < 25, `${files.length} files of @redis/*`);
  });
}

test('a command loads when it is first called, a module when its namespace is read', () => {
  const output = run(`
    const { createCluster } = require('${ROOT}');
    const c = ${CREATE};
    const before = loaded().length;
    c.get('k').catch(() => {});
    const command = loaded();
    c.json;
    console.log(JSON.stringify([command.length - before, command.includes('client/dist/lib/commands/GET.js'),
      loaded().some((name) => name.startsWith('json/'))]));`);
  const [files, hasGet, hasJson] = JSON.parse(output);
  assert.ok(files >= 1 && files < 5, `${files} files for one command`);
  assert.deepEqual([hasGet, hasJson], [true, true]);
});

test('a missing addon is explained', () => {
  const output = execFileSync(process.execPath, ['-e', `
    const Module = require('node:module');
    const load = Module._load;
    Module._load = (name, ...rest) => { if (name === '../native') throw new Error('no file'); return load(name, ...rest); };
    try { require('${ROOT}').createCluster({ rootNodes: [] }); } catch (error) { console.log(error.message, '|', error.cause.message); }
  `], { encoding: 'utf8' });
  assert.match(output, /the engine for \S+ cannot be loaded\. Run `npm run build`.*\| no file/s);
});
