'use strict';
// Where command definitions come from: node-redis's packages. A definition is loaded when its
// command is first called, because loading all of them takes longer than connecting.

const { BasicCommandParser, prefixKey, prefixKeys } = require('@redis/client/dist/lib/client/parser');
const {
  functionArgumentsPrefix, getTransformReply, scriptArgumentsPrefix,
} = require('@redis/client/dist/lib/commander');
const { default: calculateSlot } = require('@redis/client/dist/lib/utils/calculate-slot');
const { clusterCommands, nodeCommands } = require('./command-index');

/** @typedef {import('@redis/client/dist/lib/RESP/types').Command} Command */

/**
 * The package and export of each module that every cluster has, by namespace.
 *
 * @type {Record<string, [packageName: string, exportName: string | undefined]>}
 */
const BUNDLED = {
  bf: ['@redis/bloom', 'bf'],
  cms: ['@redis/bloom', 'cms'],
  cf: ['@redis/bloom', 'cf'],
  tDigest: ['@redis/bloom', 'tDigest'],
  topK: ['@redis/bloom', 'topK'],
  json: ['@redis/json', undefined],
  ft: ['@redis/search', undefined],
  ts: ['@redis/time-series', undefined],
};

/** Namespaces of {@link bundledModule}. */
const bundledModuleNames = Object.keys(BUNDLED);

/**
 * @param {string} name
 * @returns {Record<string, Command>} its commands by name
 */
function bundledModule(name) {
  const [packageName, exportName] = BUNDLED[name];
  const all = require(packageName).default;
  return exportName === undefined ? all : all[exportName];
}

/**
 * @param {string} file
 * @returns {Command}
 */
function loadCommand(file) {
  return require(`@redis/client/dist/lib/commands/${file}`).default;
}

/** @typedef {Array<{ load: () => Command, names: string[] }>} CommandList how to load each, and its names */

/** @param {string[][]} rows @returns {CommandList} */
function listRows(rows) {
  return rows.map(([file, ...names]) => ({ load: () => loadCommand(file), names }));
}

/** Every command of a cluster. */
function listCommands() {
  return listRows(clusterCommands);
}

/** Every command of a client of one node. */
function listNodeCommands() {
  return listRows([...clusterCommands, ...nodeCommands]);
}

/**
 * Whether a replica may serve a command, by node-redis's table. Loaded when it is first asked.
 *
 * @param {readonly import('@redis/client').RedisArgument[]} args its name first
 * @param {boolean | undefined} declared what the definition or the caller says, which wins
 * @returns {boolean}
 */
function isReplicaSafe([name, subcommand], declared) {
  if (declared !== undefined) return declared;
  const metadata = require('@redis/client/dist/lib/command-metadata');
  const identifier = { command: String(name), subcommand: subcommand && String(subcommand) };
  return metadata.isReplicaSafe(metadata.defaultCommandMetadata.lookup(identifier), undefined);
}

module.exports = {
  BasicCommandParser,
  bundledModule,
  bundledModuleNames,
  calculateSlot,
  functionArgumentsPrefix,
  getTransformReply,
  isReplicaSafe,
  listCommands,
  listNodeCommands,
  loadCommand,
  prefixKey,
  prefixKeys,
  scriptArgumentsPrefix,
};
