// Writes src/command/spec_table.rs: what a real server and @redis/client say of every command.
//
//   node scripts/generate-spec-table.mjs           writes the file
//   node scripts/generate-spec-table.mjs --check   fails if the file would change, or if routing by
//                                                  it would differ from node-redis's

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { killServer, startServer } from './server-process.mjs';
import { findServers } from './servers.mjs';
import { main, ROOT, StepFailed } from './steps.mjs';

const require = createRequire(import.meta.url);
const { createClient } = require('@redis/client');
const { COMMAND_METADATA } = require('@redis/client/dist/lib/command-metadata/command-metadata-data');
const { isReplicaSafe } = require('@redis/client/dist/lib/command-metadata/predicates');
const { version: clientVersion } = require('@redis/client/package.json');

const SERVER = 'redis-8.2';
const TARGET = path.join(ROOT, 'src', 'command', 'spec_table.rs');

/**
 * Commands that servers flag `readonly` although each run takes something away: reading a cursor
 * moves it on, so what a lost reply held is gone.
 */
const READS_THAT_CONSUME = new Set(['FT.CURSOR', 'FT.CURSOR|READ', 'FT.CURSOR|DEL', 'FT.CURSOR|GC']);

/**
 * Request and response policy, as command tips name them, to the plan in src/command/policy.rs. What is not
 * here goes to one node: servers call many answers `special` (INFO, MEMORY STATS, LATENCY *), node-redis
 * makes nothing of them, and nobody could say what they come to.
 *
 * @type {Record<string, string>}
 */
const PLANS = {
  'all_nodes all_succeeded': 'AllNodesSucceed',
  'all_nodes agg_sum': 'AllNodesSum',
  'all_nodes -': 'AllNodesMerge',
  'all_shards all_succeeded': 'AllShardsSucceed',
  'all_shards one_succeeded': 'AllShardsOne',
  'all_shards agg_sum': 'AllShardsSum',
  'all_shards agg_min': 'AllShardsMin',
  'all_shards agg_max': 'AllShardsMax',
  'all_shards agg_logical_and': 'AllShardsAnd',
  'all_shards -': 'AllShardsMerge',
  'multi_shard agg_sum': 'SplitKeysSum',
  'multi_shard -': 'SplitKeys',
  'multi_shard all_succeeded': 'SplitPairs',
};

/**
 * What no tip says. RANDOMKEY: node-redis's reducer for it. JSON.MGET and JSON.MSET: RedisJSON's
 * documentation, "JSON.MGET key [key ...] path" and "JSON.MSET key path value [...]". MSETNX sets all or
 * nothing, so it cannot be split (node-redis routes it by its first key).
 *
 * @type {Record<string, string>}
 */
const PLANS_BY_HAND = {
  RANDOMKEY: 'AllShardsAnyKey',
  'JSON.MGET': 'SplitKeysAndPath',
  'JSON.MSET': 'SplitTriplets',
  MSETNX: 'OnePairs',
};

/**
 * @typedef {object} Facts
 * @property {string[]} tips as the server names them, or as they follow from node-redis's table
 * @property {Set<string>} flags as the server names them
 * @property {boolean} keyless
 * @property {boolean} container has subcommands
 */
/** @typedef {Map<string, Facts>} Table by name in capitals, `COMMAND|SUBCOMMAND` for subcommands */

/** Asks a server for its commands. @returns {Promise<{ version: string, table: Table }>} */
async function askServer() {
  const found = (await findServers()).find(({ id }) => id === SERVER);
  if (!found?.available) throw new StepFailed(`${SERVER} is needed: ${found?.reason}`);
  const server = await startServer({ binary: /** @type {string} */ (found.binary) });
  const client = createClient({ RESP: 2, socket: { host: '127.0.0.1', port: server.port } });
  // A failed connection rejects connect() as well; the event alone would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    /** @type {Table} */
    const table = new Map();
    for (const entry of await client.sendCommand(['COMMAND'])) addServerEntry(table, entry);
    return { version: /** @type {string} */ (found.version), table };
  } finally {
    if (client.isOpen) client.destroy();
    await killServer(server);
  }
}

/**
 * @param {Table} table
 * @param {any[]} entry name, arity, flags, first key, last key, step, ACL categories, tips,
 *   key specifications, subcommands
 */
function addServerEntry(table, [name, , flags, , , , , tips, keySpecs, subcommands]) {
  table.set(name.toUpperCase(), {
    tips,
    flags: new Set(flags),
    keyless: keySpecs.length === 0,
    container: subcommands.length > 0,
  });
  for (const subcommand of subcommands) addServerEntry(table, subcommand);
}

/** @returns {Map<string, any>} @redis/client's entries, by the same names */
function clientEntries() {
  const entries = new Map();
  for (const [module, commands] of Object.entries(COMMAND_METADATA)) {
    const prefix = module === 'std' ? '' : `${module}.`;
    for (const [name, entry] of Object.entries(commands)) {
      entries.set(`${prefix}${name}`.toUpperCase(), entry);
      for (const [subcommand, facts] of Object.entries(entry.subcommands ?? {})) {
        entries.set(`${prefix}${name}|${subcommand}`.toUpperCase(), facts);
      }
    }
  }
  return entries;
}

/**
 * Adds what the server does not know: commands of modules and of newer servers, and the flag
 * `script_runner`, which servers have given only since 8.10.
 *
 * @param {Table} table
 * @param {Map<string, any>} entries
 */
function addClientEntries(table, entries) {
  for (const [name, entry] of entries) {
    const { flags, isKeyless, subcommands } = entry;
    const known = table.get(name);
    if (known === undefined) {
      const container = Object.keys(subcommands ?? {}).length > 0;
      table.set(name, { tips: clientTips(entry), flags: new Set(flags), keyless: isKeyless, container });
    } else {
      known.container ||= subcommands !== undefined;
      if (flags.includes('script_runner')) known.flags.add('script_runner');
    }
  }
}

/** node-redis's policies of a command as tips. @param {any} entry @returns {string[]} */
function clientTips({ request, response }) {
  return [`request_policy:${request}`, `response_policy:${response}`].filter(
    (tip) => !tip.includes(':default-'),
  );
}

/** @param {string} name @param {string[]} tips @returns {string | undefined} */
function planOf(name, tips) {
  const value = (/** @type {string} */ kind) =>
    tips.find((tip) => tip.startsWith(kind))?.slice(kind.length) ?? '-';
  return PLANS_BY_HAND[name] ?? PLANS[`${value('request_policy:')} ${value('response_policy:')}`];
}

/** @param {string} name @param {Facts} facts */
function rustFlags(name, { flags, keyless, container, tips }) {
  const names = [
    flags.has('readonly') && !READS_THAT_CONSUME.has(name) && 'READONLY',
    flags.has('write') && 'WRITE',
    keyless && 'KEYLESS',
    flags.has('blocking') && 'BLOCKING',
    flags.has('script_runner') && 'SCRIPT',
    container && 'CONTAINER',
    name.includes('.') && 'MODULE',
  ].filter((flag) => flag !== false);
  const [first = 'F::NONE', ...rest] = names.map((flag) => `F::${flag}`);
  const plan = planOf(name, tips);
  const spread = plan === undefined ? '' : `.spread(P::${plan})`;
  return first + rest.map((flag) => `.with(${flag})`).join('') + spread;
}

/** @param {Table} table @param {string} serverVersion */
function render(table, serverVersion) {
  const sorted = [...table].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = sorted.map(([name, facts]) => `    ("${name}", ${rustFlags(name, facts)}),`);
  return `// Generated by \`node scripts/generate-spec-table.mjs\` from COMMAND of Redis ${serverVersion} and the
// command metadata of @redis/client ${clientVersion} (modules, newer commands). Do not edit.

//! What is known of each command. See \`spec.rs\`.

use super::policy::Plan as P;
use super::spec::SpecFlags as F;

/// Names in capitals, sorted; a subcommand follows its command after a \`|\`.
#[rustfmt::skip]
pub(super) static SPECS: [(&str, F); ${rows.length}] = [
${rows.join('\n')}
];
`;
}

/**
 * Commands that node-redis would route otherwise.
 *
 * @param {string[]} names those that server and client both know; for the others the client's word
 *   is all there is
 * @param {Table} table
 * @param {Map<string, any>} entries
 */
function differences(names, table, entries) {
  const found = [];
  for (const name of names) {
    const { flags, keyless } = /** @type {Facts} */ (table.get(name));
    const ours = !flags.has('write') && !flags.has('script_runner') && !keyless;
    const theirs = isReplicaSafe(entries.get(name), undefined);
    if (ours !== theirs) found.push(`${name}: replica-safe here ${ours}, in node-redis ${theirs}`);
    const plan = planOf(name, /** @type {Facts} */ (table.get(name)).tips);
    const theirPlan = planOf(name, clientTips(entries.get(name)));
    if (plan !== theirPlan) found.push(`${name}: plan ${plan} here, ${theirPlan} in node-redis`);
  }
  for (const [name, { request, response }] of entries) {
    const isSpread = ['all_nodes', 'all_shards', 'multi_shard'].includes(request);
    if (isSpread && response !== 'special' && planOf(name, clientTips({ request, response })) === undefined) {
      found.push(`${name}: ${request} ${response} in node-redis, and nothing here`);
    }
  }
  return found;
}

/** @param {boolean} check */
export async function generate(check) {
  const { version, table } = await askServer();
  const entries = clientEntries();
  const known = [...table.keys()].filter((name) => entries.has(name));
  addClientEntries(table, entries);
  const different = differences(known, table, entries);
  if (different.length > 0) throw new StepFailed(different.join('\n'));
  const text = render(table, version);
  if (!check) {
    writeFileSync(TARGET, text);
  } else if (text !== readFileSync(TARGET, 'utf8')) {
    throw new StepFailed(`${TARGET} is out of date; run \`node scripts/generate-spec-table.mjs\``);
  }
  console.log(`${table.size} commands and subcommands, ${known.length} compared with node-redis`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(() => generate(process.argv.includes('--check')));
}
