// Cursors that lead through the whole cluster: SCAN on real servers, BLESS SCAN and FT.CURSOR on
// scripted ones, each program on node-redis and on ours.

import { test } from 'node:test';
import { resp } from '../support/resp-text.mjs';
import { startScriptedCluster } from '../support/scripted-cluster.mjs';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { oracle, SIDES } from './harness/clients.mjs';
import { compareRecords, comparePrograms } from './harness/programs.mjs';
import { createContext } from './harness/recorder.mjs';

const KEYS = Array.from({ length: 300 }, (_, index) => `key ${index}`);

/** Runs a program on both sides, each on scripted nodes of its own. */
function compareScripted(name, script, program, options = {}) {
  test(name, async () => {
    const seen = new Map();
    for (const side of SIDES) {
      const state = {};
      const nodes = await startScriptedCluster({
        script: (args, context) => script(args, context, state),
      });
      const cluster = side.package.createCluster({ rootNodes: nodes.seeds, ...options });
      cluster.on('error', () => {});
      const context = createContext(undefined);
      try {
        await cluster.connect();
        await program({ ...context, cluster, nodes, side });
      } finally {
        if (cluster.isOpen) cluster.destroy();
        await nodes.close();
      }
      seen.set(side, context.records);
    }
    for (const [, records] of seen) compareRecords(records, seen.get(oracle));
  });
}

withAnyServer((server) => {
  const getServers = sharedCluster(server);

  for (const RESP of [2, 3]) {
    comparePrograms(`SCAN, RESP ${RESP}`, getServers, async ({ open, attempt, record, side }) => {
      const cluster = open({ RESP });
      await cluster.connect();
      await Promise.all(KEYS.map((key) => cluster.set(key, '1')));
      const walk = async (ask) => {
        const keys = [];
        const cursors = new Set();
        let cursor = '0';
        do {
          const page = await ask(cursor);
          cursor = page.cursor;
          keys.push(...page.keys);
          cursors.add(String(cursor));
        } while (String(cursor) !== '0');
        return [[...cursors], keys.map(String).sort()];
      };
      await record('typed', await walk((cursor) => cluster.scan(cursor, { COUNT: 20 })));
      await record('again', await walk((cursor) => cluster.SCAN(cursor, { MATCH: '*9', COUNT: 1000 })));
      const raw = async (cursor) => {
        const args = ['scan', cursor, 'COUNT', '50'];
        const [next, keys] = await cluster.sendCommand(undefined, true, args);
        return { cursor: next, keys };
      };
      await record('raw', await walk(raw));
      const { RESP_TYPES } = side.package;
      const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      const first = await buffers.scan('0', { COUNT: 1 });
      await record('mapped', first.cursor);
      await attempt('the next, as a Buffer', async () => (await buffers.scan(first.cursor, { COUNT: 1 })).cursor);
      await attempt('the next, raw', async () =>
        (await buffers.sendCommand(undefined, true, ['SCAN', first.cursor]))[0]);
      await attempt('unknown', () => cluster.scan('4711'));
      await attempt('unknown, raw', () => cluster.sendCommand(undefined, true, ['Scan', '4711']));
      await attempt('a cursor of another command', () =>
        cluster.sendCommand(undefined, true, ['BLESS', 'SCAN', first.cursor]));
      await attempt('finished', () => cluster.scan('2'));
      await attempt('without a cursor', () => cluster.sendCommand(undefined, true, ['SCAN']));
      await attempt('a bad option', () => cluster.scan('0', { COUNT: -1 }));
      await attempt('another BLESS', () => cluster.sendCommand(undefined, true, ['BLESS', 'NOT']));
      await attempt('in use', async () => typeof (await cluster.scan('0', { COUNT: 1 })).cursor);
    });
  }
});

/** Every node has two pages, and its cursors are the same numbers as the others'. */
const pagesOf = (place) => (args, { node }) => {
  const cursor = args[place];
  const next = cursor === '0' ? '88' : '0';
  return resp.array([resp.bulk(next), resp.array([resp.bulk(`${node}:${cursor}`)])]);
};

compareScripted(
  'BLESS SCAN goes the same way, and not with the tokens of SCAN',
  (args, context) => {
    if (args[0] === 'SCAN') return pagesOf(1)(args, context);
    if (args[0] === 'BLESS') return pagesOf(2)(args, context);
    return undefined;
  },
  async ({ cluster, record, attempt }) => {
    const pages = [];
    let cursor = '0';
    do {
      const page = await cluster.sendCommand(undefined, true, ['BLESS', 'SCAN', cursor]);
      pages.push(page);
      [cursor] = page;
    } while (cursor !== '0');
    await record('pages', pages);
    const { cursor: token } = await cluster.scan('0');
    await attempt('token of SCAN', () => cluster.sendCommand(undefined, true, ['BLESS', 'SCAN', token]));
    await attempt('the right command', () => cluster.scan(token));
  },
);

/** A search that has three batches on whichever node it began; no other node knows its cursor. */
function searching(args, { node, connection }, state) {
  const [name, what, ...more] = args.map((arg) => arg.toUpperCase());
  if (name === 'FT.AGGREGATE') {
    state.node = node;
    state.left = 2;
    if (!more.includes('WITHCURSOR')) return resp.array([resp.number(0)]);
  } else if (name !== 'FT.CURSOR') return undefined;
  else if (args.length < 4) return resp.error("ERR wrong number of arguments for 'FT.CURSOR' command");
  else if (node !== state.node || args[3] !== '77') return resp.error('Cursor not found');
  else if (what === 'DEL') return resp.simple('OK');
  else state.left--;
  const next = resp.number(state.left > 0 ? 77 : 0);
  const rows = resp.array([resp.bulk('n'), resp.bulk(String(state.left))]);
  if (connection.protocol === 2) return resp.array([resp.array([resp.number(1), rows]), next]);
  const results = resp.array([resp.map([[resp.bulk('extra_attributes'), resp.map([[resp.bulk('n'), resp.bulk(String(state.left))]])]])]);
  return resp.map([
    [resp.bulk('results'), resp.map([[resp.bulk('total_results'), resp.number(1)], [resp.bulk('results'), results]])],
    [resp.bulk('cursor'), next],
  ]);
}

for (const RESP of [2, 3]) {
  compareScripted(
    `FT.AGGREGATE WITHCURSOR and FT.CURSOR, RESP ${RESP}`,
    searching,
    async ({ cluster, attempt, side }) => {
      const raw = (...args) => cluster.sendCommand(undefined, undefined, args);
      for (let round = 0; round < 3; round++) {
        await attempt('typed', () => cluster.ft.aggregateWithCursor('idx', '*'));
        const token = round * 3 + 1;
        await attempt('read', () => cluster.ft.cursorRead('idx', token));
        await attempt('read to the end', () => cluster.ft.cursorRead('idx', token));
        await attempt('beyond the end', () => cluster.ft.cursorRead('idx', token));
        await attempt('raw', () => raw('ft.aggregate', 'idx', '*', 'withcursor', 'MAXIDLE', '10000'));
        await attempt('raw read', () => raw('ft.cursor', 'read', 'idx', String(token + 1)));
        await attempt('raw del', () => raw('FT.CURSOR', 'DEL', 'idx', String(token + 1)));
        await attempt('raw del again', () => raw('FT.CURSOR', 'DEL', 'idx', String(token + 1)));
        const { RESP_TYPES } = side.package;
        const strings = cluster.withTypeMapping({ [RESP_TYPES.NUMBER]: String, [RESP_TYPES.MAP]: Map });
        await attempt('mapped', () => strings.ft.aggregateWithCursor('idx', '*'));
        await attempt('typed del', () => cluster.ft.cursorDel('idx', token + 2));
      }
      await attempt('unknown', () => cluster.ft.cursorRead('idx', 4711));
      await attempt('too short', () => raw('FT.CURSOR', 'READ', 'idx'));
      await attempt('no cursor wanted', () => cluster.ft.aggregate('idx', '*'));
    },
    { RESP },
  );
}
