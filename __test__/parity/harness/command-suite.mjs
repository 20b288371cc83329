// Runs every body on both clients in every protocol and type mapping, and compares what they saw.

import { test } from 'node:test';
import { RESP_TYPES, VerbatimString } from '@redis/client';
import { bodies } from '../bodies/index.mjs';
import { oracle, subject, withCluster } from './clients.mjs';
import { describeOnServer, resetCluster } from './fixture.mjs';
import { compareRecords } from './programs.mjs';
import { createContext } from './recorder.mjs';

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };
const EVERYTHING_ELSE = {
  [RESP_TYPES.SIMPLE_STRING]: Buffer,
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: VerbatimString,
  [RESP_TYPES.MAP]: Map,
  [RESP_TYPES.SET]: Set,
  [RESP_TYPES.NUMBER]: String,
  [RESP_TYPES.DOUBLE]: String,
  [RESP_TYPES.BIG_NUMBER]: String,
};
const FLAT = { [RESP_TYPES.MAP]: Array, [RESP_TYPES.VERBATIM_STRING]: Buffer };

/** The spellings alternate, so that each is used with each protocol. */
const VARIANTS = [
  { name: 'RESP 3', RESP: 3, spelling: 'camel' },
  { name: 'RESP 2', RESP: 2, spelling: 'upper' },
  { name: 'RESP 3, Buffers', RESP: 3, spelling: 'upper', commandOptions: { typeMapping: BUFFERS } },
  { name: 'RESP 2, Buffers', RESP: 2, spelling: 'camel', commandOptions: { typeMapping: BUFFERS } },
  { name: 'RESP 3, every mapping', RESP: 3, spelling: 'camel', withTypeMapping: EVERYTHING_ELSE },
  { name: 'RESP 2, every mapping', RESP: 2, spelling: 'upper', withTypeMapping: EVERYTHING_ELSE },
  { name: 'RESP 3, flat maps', RESP: 3, spelling: 'camel', withTypeMapping: FLAT },
];

async function runBodies(side, servers, { RESP, spelling, commandOptions, withTypeMapping }) {
  await resetCluster(servers);
  const options = { rootNodes: servers.seeds, RESP, ...(commandOptions && { commandOptions }) };
  return withCluster(side, options, async (cluster) => {
    const view = withTypeMapping ? cluster.withTypeMapping(withTypeMapping) : cluster;
    const seen = new Map();
    for (const { name, run } of bodies) {
      const context = createContext(view, { namespace: name, spelling });
      await run(context);
      seen.set(name, context.records);
    }
    return seen;
  });
}

/** Declares the tests of one server. */
export function declareCommandSuite(id) {
  return describeOnServer(id, (getServers) => {
    for (const variant of VARIANTS) {
      test(variant.name, async (t) => {
        const expected = await runBodies(oracle, getServers(), variant);
        const actual = await runBodies(subject, getServers(), variant);
        for (const { name } of bodies) {
          await t.test(name, () => compareRecords(actual.get(name), expected.get(name)));
        }
      });
    }
  });
}
