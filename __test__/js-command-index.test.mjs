// The generated files against the installed packages: an upgrade that moves, adds or drops something
// must be noticed here, not by a user.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { commandConstants, commandIndex } from '../scripts/generate-command-index.mjs';

const require = createRequire(import.meta.url);
const HINT = 'run `node scripts/generate-command-index.mjs`, then look at what changed';
const read = (name) => readFileSync(new URL(`../js/${name}`, import.meta.url), 'utf8');

test('js/command-index.js is up to date', () => {
  assert.equal(read('command-index.js'), commandIndex(), HINT);
});

test('js/command-constants.js is up to date', () => {
  assert.equal(read('command-constants.js'), commandConstants(), HINT);
});

test('every name leads to the definition that node-redis has under it', () => {
  const { default: all, NON_STICKY_COMMANDS } = require('@redis/client/dist/lib/commands');
  const { listCommands, listNodeCommands } = require('../js/commands.js');
  for (const [list, theirs] of [[listCommands(), NON_STICKY_COMMANDS], [listNodeCommands(), all]]) {
    const ours = {};
    for (const { load, names } of list) for (const name of names) ours[name] = load();
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
    for (const [name, definition] of Object.entries(theirs)) {
      assert.equal(ours[name], definition, name);
      assert.equal(typeof definition.parseCommand, 'function', name);
    }
  }
});

test('the bundled modules are those of the package `redis`', () => {
  const { bundledModule, bundledModuleNames } = require('../js/commands.js');
  const { createCluster } = require('redis');
  const { modules } = createCluster({ rootNodes: [] })._options;
  assert.deepEqual([...bundledModuleNames].sort(), Object.keys(modules).sort());
  for (const name of bundledModuleNames) assert.equal(bundledModule(name), modules[name], name);
});
