// What index.js exports when it runs is what index.d.ts promises, for `require` and for `import`.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, sep } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));

const program = ts.createProgram([`${root}index.d.ts`], {
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  skipLibCheck: true,
  types: ['node'],
});

/** Whether the name is exported with `export type`: then even a class is nothing at run time. */
function isTypeOnly(symbol) {
  return (symbol.declarations ?? []).some(
    (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly),
  );
}

function promisedNames() {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(`${root}index.d.ts`);
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(file))
    .filter((symbol) => {
      const aliased = symbol.flags & ts.SymbolFlags.Alias;
      const target = aliased ? checker.getAliasedSymbol(symbol) : symbol;
      return target.flags & ts.SymbolFlags.Value && !isTypeOnly(symbol);
    })
    .map((symbol) => symbol.name)
    .sort();
}

let promised;
before(() => {
  promised = promisedNames();
});

test('the declarations promise values and leave out what is only a type', () => {
  for (const name of ['createCluster', 'RedisCluster', 'ErrorReply', 'SCHEMA_FIELD_TYPE']) {
    assert.ok(promised.includes(name), `${name} is missing, so the other tests compare nothing`);
  }
  for (const name of ['RedisClusterType', 'CommandParser', 'SearchReply', 'createClient']) {
    assert.ok(!promised.includes(name), `${name} is not a value of this package`);
  }
});

test('require() gives what is promised', () => {
  assert.deepEqual(Object.keys(require('../index.js')).sort(), promised);
});

test('import gives what is promised, by name', async () => {
  const names = Object.keys(await import('../index.js'));
  // Node adds the whole module under these two names.
  const added = new Set(['default', 'module.exports']);
  assert.deepEqual(names.filter((name) => !added.has(name)).sort(), promised);
});

test('classes and functions are those of node-redis, constants have the same content', () => {
  const ours = require('../index.js');
  const theirs = { ...require('@redis/client'), ...require('@redis/search') };
  Object.assign(theirs, require('@redis/time-series'));
  const own = ['RedisCluster', 'createCluster'];
  for (const name of promised.filter((name) => !own.includes(name))) {
    // A class must be the same object, or `instanceof` would depend on where it was imported from.
    const compare = typeof theirs[name] === 'function' ? assert.equal : assert.deepEqual;
    compare(ours[name], theirs[name], `${name} is not what node-redis exports`);
  }
});

test('every declaration file that index.d.ts needs is published', () => {
  const { files } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const needed = program
    .getSourceFiles()
    .map(({ fileName }) => relative(root, fileName).split(sep).join('/'))
    .filter((name) => !name.startsWith('..') && !name.startsWith('node_modules/'));
  assert.equal(needed.length, 1 + readdirSync(`${root}types`).length);
  const published = (name) =>
    files.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));
  for (const name of needed) {
    assert.ok(published(name), `"files" of package.json leaves out ${name}; add "types/"`);
  }
});
