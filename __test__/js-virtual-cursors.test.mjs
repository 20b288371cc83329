// Tokens that stand for cursors of single nodes: how long they live, and what happens when their node
// has gone. That they are node-redis's otherwise is shown in parity/cursors.test.mjs.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mock, test } from 'node:test';

const require = createRequire(import.meta.url);
const { BasicCommandParser } = require('../js/commands.js');
const { hasCursor } = require('../js/cursor-commands.js');
const { VirtualCursors } = require('../js/virtual-cursors.js');

const IDLE_MS = 300_000;

const view = (...addresses) => {
  const masters = addresses.map((address) => ({ address }));
  return { masters, nodeByAddress: new Map(masters.map((node) => [node.address, node])) };
};
const twoNodes = view('a:1', 'b:2');

/** Runs a command; `reply` is what the node answers. @returns the reply, and what was sent where */
async function run(cursors, args, reply, seen = twoNodes) {
  const parser = new BasicCommandParser();
  parser.push(...args);
  let sent;
  const send = async (node, routed) => {
    sent = [node?.address, routed.redisArgs.join(' ')];
    return reply;
  };
  return { reply: await cursors.run(parser, seen, seen.masters[0], send), sent };
}

test('which commands have cursors', () => {
  const cases = [
    [['SCAN', '0'], true], [['scan'], true], [[Buffer.from('Scan')], true], [['BLESS', 'scan', '0'], true],
    [['BLESS', 'GET'], false], [['FT.CURSOR'], true], [['FT.AGGREGATE', 'i', '*'], false],
    [['ft.aggregate', 'i', '*', 'WithCursor'], true], [['HSCAN', 'k', '0'], false], [['GET', 'SCAN'], false], [[], false],
  ];
  for (const [args, want] of cases) assert.equal(hasCursor(args), want, args.join(' '));
});

test('a token is forgotten when nobody has used it for 300 s and another one is made', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1 });
  try {
    const cursors = new VirtualCursors();
    const scan = (cursor, next = '7') => run(cursors, ['SCAN', cursor], [next, []]);
    assert.equal((await scan('0')).reply[0], '1');
    mock.timers.tick(IDLE_MS);
    assert.equal((await scan('0')).reply[0], '2');
    assert.deepEqual((await scan('1')).sent, ['a:1', 'SCAN 7']);
    mock.timers.tick(IDLE_MS + 1);
    // As in node-redis there is no timer: it is still known until the next one is made.
    assert.deepEqual((await scan('2', '8')).sent, ['a:1', 'SCAN 7']);
    await assert.rejects(scan('1'), { message: 'SCAN: unknown cursor "1". Cluster-wide SCAN cursors are minted '
      + 'per client instance and expire when idle — restart the scan from 0.' });
    assert.deepEqual((await scan('2')).sent, ['a:1', 'SCAN 8']);
  } finally {
    mock.timers.reset();
  }
});

test('a search lives as long as its MAXIDLE', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1 });
  try {
    const cursors = new VirtualCursors();
    const begin = (...more) => run(cursors, ['FT.AGGREGATE', 'i', '*', 'WITHCURSOR', ...more], [[], 5]);
    const read = (token) => run(cursors, ['FT.CURSOR', 'READ', 'i', token], [[], 6]);
    for (const more of [['MAXIDLE', '1000'], ['MAXIDLE', '0'], ['MAXIDLE', 'x'], []]) await begin(...more);
    mock.timers.tick(1001);
    await begin();
    await assert.rejects(read('1'), { message: 'FT.CURSOR: unknown cursor 1 on index "i". Cluster cursors are '
      + 'minted per client instance and expire when idle — the cursor was not created by this client, has '
      + 'already been exhausted, or has expired.' });
    for (const token of ['2', '3', '4', '5']) assert.deepEqual((await read(token)).sent, ['a:1', 'FT.CURSOR READ i 5']);
    mock.timers.tick(IDLE_MS + 1);
    await begin();
    await assert.rejects(read('2'), /unknown cursor 2/);
  } finally {
    mock.timers.reset();
  }
});

test('a node that has left, one that has come, and a cluster without any', async () => {
  const cursors = new VirtualCursors();
  await run(cursors, ['SCAN', '0'], ['7', []]);
  const later = view('b:2', 'c:3');
  await assert.rejects(run(cursors, ['SCAN', '1'], ['0', []], later), {
    message: 'SCAN: node a:1 serving this cursor has left the cluster — restart the scan from 0.',
  });
  await run(cursors, ['FT.AGGREGATE', 'i', '*', 'WITHCURSOR'], [[], 5]);
  await assert.rejects(run(cursors, ['FT.CURSOR', 'READ', 'i', '2'], [[], 0], later), {
    message: 'FT.CURSOR: the node serving cursor 2 on index "i" has left the cluster.',
  });
  await assert.rejects(run(cursors, ['SCAN', '0'], ['0', []], view()), {
    message: 'SCAN: no master nodes available',
  });
  // The one that came is visited, too.
  assert.equal((await run(cursors, ['SCAN', '0'], ['0', []])).reply[0], '3');
  const three = view('b:2', 'a:1', 'c:3');
  assert.deepEqual((await run(cursors, ['SCAN', '3'], ['0', []], three)).sent, ['b:2', 'SCAN 0']);
  const last = await run(cursors, ['SCAN', '3'], ['0', []], three);
  assert.deepEqual([last.sent, last.reply[0]], [['c:3', 'SCAN 0'], '0']);
});

test('what is no page of a scan is left as it is', async () => {
  const cursors = new VirtualCursors();
  for (const reply of [null, 'QUEUED', [5, []], { keys: [] }]) {
    assert.equal((await run(cursors, ['SCAN', '0'], reply)).reply, reply);
  }
  assert.deepEqual((await run(cursors, ['SCAN'], 'x')).sent, ['a:1', 'SCAN']);
});
