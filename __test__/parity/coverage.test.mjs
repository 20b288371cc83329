// Which commands the parity tests call: all that are not excluded by name and reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies } from './bodies/index.mjs';
import { EXCLUDED, FAN_OUT_COMMANDS } from './exclusions.mjs';
import { createCluster, subject } from './harness/clients.mjs';
import {
  COMMAND_NAMES,
  MODULES,
  NON_STICKY_COMMANDS,
  requestPolicy,
  SPELLINGS,
} from './harness/command-table.mjs';
import { createContext } from './harness/recorder.mjs';
import { moduleCalls, MODULE_EXCLUSIONS } from './modules/table.mjs';

/** Bodies survive commands that fail, so a cluster that answers nothing shows what they call. */
async function calledCommands() {
  const silent = new Proxy(
    {},
    {
      get: (_, name) => (name === 'withTypeMapping' ? () => silent : async () => undefined),
    },
  );
  const called = new Set();
  for (const { name, run } of bodies) {
    const context = createContext(silent, { namespace: name });
    await run(context);
    for (const command of context.called) called.add(command);
  }
  return called;
}

test('bodies and exclusions account for every command', async () => {
  const called = await calledCommands();
  const unaccounted = COMMAND_NAMES.filter((name) => !called.has(name) && !(name in EXCLUDED));
  assert.deepEqual(unaccounted, []);
  assert.deepEqual(
    Object.keys(EXCLUDED).filter((name) => called.has(name)),
    [],
    'excluded, yet called',
  );
  assert.deepEqual(
    Object.keys(EXCLUDED).filter((name) => !COMMAND_NAMES.includes(name)),
    [],
    'unknown exclusions',
  );
});

test('at least 300 commands are compared', async () => {
  const called = await calledCommands();
  const compared = COMMAND_NAMES.filter((name) => called.has(name));
  assert.ok(compared.length >= 300, `only ${compared.length}`);
});

test('commands for several nodes are compared, or excluded as such', async () => {
  const called = await calledCommands();
  const severalNodes = COMMAND_NAMES.filter((name) =>
    ['all_nodes', 'all_shards', 'special'].includes(requestPolicy(name)),
  );
  assert.ok(severalNodes.length >= 30, String(severalNodes));
  assert.deepEqual(
    severalNodes.filter((name) => !called.has(name)).sort(),
    [...FAN_OUT_COMMANDS].sort(),
  );
});

test('every command exists in all its spellings', () => {
  const cluster = createCluster(subject, { rootNodes: [{ url: 'redis://127.0.0.1:1' }] });
  const missing = Object.keys(NON_STICKY_COMMANDS).filter(
    (name) => typeof cluster[name] !== 'function',
  );
  assert.deepEqual(missing, []);
  assert.ok(SPELLINGS.size > 400);
});

test('every command of the bundled modules is called, or excluded by name and reason', () => {
  const names = Object.entries(MODULES).flatMap(([module, commands]) => {
    // The last spelling of a command is the camelCase one.
    const spelling = new Map(Object.entries(commands).map(([name, command]) => [command, name]));
    return [...spelling.values()].map((name) => `${module}.${name}`);
  });
  const called = new Set(moduleCalls.map(([path]) => path));
  assert.deepEqual(
    names.filter((name) => !called.has(name) && !(name in MODULE_EXCLUSIONS)),
    [],
  );
});

test('every command of the bundled modules exists in all its spellings', () => {
  const cluster = createCluster(subject, { rootNodes: [{ url: 'redis://127.0.0.1:1' }] });
  for (const [module, commands] of Object.entries(MODULES)) {
    const missing = Object.keys(commands).filter(
      (name) => typeof cluster[module]?.[name] !== 'function',
    );
    assert.deepEqual(missing, [], module);
  }
});
