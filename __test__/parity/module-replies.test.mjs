// The bundled modules' replies: a scripted server answers both clients with the same bytes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RESP_TYPES } from '@redis/client';
import { startScriptedCluster } from '../support/scripted-cluster.mjs';
import { oracle, SIDES, withCluster } from './harness/clients.mjs';
import { createContext } from './harness/recorder.mjs';
import { encode } from './modules/reply.mjs';
import { moduleCalls, replyOf } from './modules/table.mjs';

const MAPPINGS = {
  'default mapping': {},
  Buffers: { [RESP_TYPES.BLOB_STRING]: Buffer },
  'Maps and text': { [RESP_TYPES.MAP]: Map, [RESP_TYPES.DOUBLE]: String, [RESP_TYPES.SET]: Set },
};
/** The call under way, which the server answers. */
let current;
let servers;

before(async () => {
  servers = await startScriptedCluster({
    primaries: 1,
    script: (args, { connection }) => {
      if (!args[0].includes('.')) return undefined;
      return encode(replyOf(current, connection.protocol), connection.protocol);
    },
  });
});
after(() => servers.close());

async function runCalls(side, RESP, typeMapping) {
  return withCluster(
    side,
    { rootNodes: servers.seeds, RESP, commandOptions: { typeMapping } },
    async (cluster) => {
      const context = createContext(cluster);
      for (const call of moduleCalls) {
        current = call;
        await context.c[call[0]](...call[1]);
      }
      return context.records;
    },
  );
}

for (const RESP of [2, 3]) {
  for (const [name, typeMapping] of Object.entries(MAPPINGS)) {
    test(`module replies, RESP ${RESP}, ${name}`, async () => {
      const seen = new Map();
      for (const side of SIDES) seen.set(side, await runCalls(side, RESP, typeMapping));
      const expected = seen.get(oracle);
      for (const [, records] of seen) {
        for (const [index, record] of expected.entries()) {
          assert.deepStrictEqual(records[index], record, `call ${index + 1}, ${record[0]}`);
        }
      }
      if (name === 'default mapping') assertUnderstood(expected);
    });
  }
}

/** The replies are meant to be right: node-redis itself must understand all but the broken JSON. */
function assertUnderstood(records) {
  const refused = records
    .filter(([, kind]) => kind === 'error')
    .map(([path, , error]) => [path, error.at(3)]);
  assert.deepEqual(
    refused.map(([path]) => path),
    ['json.get'],
    JSON.stringify(refused),
  );
}
