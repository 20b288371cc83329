// The one place of the parity tests that reaches into `@redis/client`: its tables of commands, and
// those of the modules that package `redis` bundles.

import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const lib = path.join(path.dirname(require.resolve('@redis/client')), 'lib');

export const { NON_STICKY_COMMANDS } = require(path.join(lib, 'commands'));

const defaultOf = (name) => require(name).default;

/** @type {Record<string, Record<string, object>>} as package `redis` names them */
export const MODULES = {
  ...defaultOf('@redis/bloom'),
  json: defaultOf('@redis/json'),
  ft: defaultOf('@redis/search'),
  ts: defaultOf('@redis/time-series'),
};

/** @type {Map<object, string[]>} command definition -> its spellings, UPPER_CASE first */
export const SPELLINGS = new Map();
for (const [name, command] of Object.entries(NON_STICKY_COMMANDS)) {
  SPELLINGS.set(command, [...(SPELLINGS.get(command) ?? []), name]);
}

/** The name that bodies use: the camelCase one, where there is one. */
export const COMMAND_NAMES = [...SPELLINGS.values()].map((names) => names.at(-1));

const { defaultCommandMetadata } = require(path.join(lib, 'command-metadata'));
const { BasicCommandParser } = require(path.join(lib, 'client', 'parser'));

/**
 * Where node-redis's own table says that a command has to go. The wire name is asked of the
 * command itself, with arguments that only have to be accepted.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
export function requestPolicy(name) {
  const parser = new BasicCommandParser();
  try {
    NON_STICKY_COMMANDS[name].parseCommand(parser, 'x', 'x', 'x', 'x', 'x');
  } catch {
    // Some want an object here or there; the name is pushed before they look at it.
  }
  const policy = defaultCommandMetadata.resolvePolicy(parser.commandIdentifier);
  return policy.ok ? policy.value.request : undefined;
}
