// What a scan of the cluster believes of the accounts that nodes give of their slots, and how it goes on
// about what it does not believe. No servers.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const { ScanCoverage } = require('../js/scan-coverage.js');
const { scanCluster } = require('../js/scan-iterator.js');
const { SlotHistory, readAccount } = require('../js/slot-ownership.js');
const { calculateSlot } = require('../js/commands.js');
const { SimpleError, SocketClosedUnexpectedlyError, ClientClosedError } = require('../index.js');

/** CLUSTER NODES of a node. */
function nodesText({ id, flags = 'master', epoch = 1, slots }) {
  return [
    `other 127.0.0.1:7001@17001 master - 0 0 9 connected 8192-16383`,
    `${id} 127.0.0.1:7000@17000,host myself,${flags} - 0 0 ${epoch} connected ${slots}`,
    '',
  ].join('\n');
}
const account = (fields) => readAccount(nodesText({ id: 'a', ...fields }));

function history(...looks) {
  const [first, ...later] = looks.map((look) => account(typeof look === 'string' ? { slots: look } : look));
  const made = new SlotHistory(first);
  for (const look of later) made.add(look);
  return made;
}

test('an account is read from the line of the node itself', () => {
  const { id, isPrimary, epoch, states, others } = account({ epoch: 12, slots: '0-2 7 [1->-bb] [9-<-cc]' });
  assert.deepEqual([id, isPrimary, epoch], ['a', true, 12]);
  assert.deepEqual([...states.subarray(0, 11)], [1, 2, 1, 0, 0, 0, 0, 1, 0, 3, 0]);
  assert.deepEqual([...others], [[1, 'bb'], [9, 'cc']]);
  assert.equal(account({ flags: 'slave', slots: '' }).isPrimary, false);
  assert.throws(() => readAccount('a 1:1@2 master - 0 0 1 connected 5'), /which node/);
});

test('what a history says of a slot', () => {
  const cases = [
    // looks at slot 5, was owned, left to, came from, was elsewhere
    [['5', '5'], [true, undefined, undefined, false]],
    [['5', '5 [5->-b]'], [false, 'b', undefined, false]],
    [['5 [5->-b]', '5 [5->-b]'], [false, 'b', undefined, false]],
    [['5 [5->-b]', '5'], [false, 'b', undefined, false]],
    [['5 [5->-b]', '5 [5->-c]'], [false, undefined, undefined, false]],
    [['5', '5 [5->-b]', '5 [5->-c]'], [false, undefined, undefined, false]],
    [['5', '6', '5'], [false, undefined, undefined, false]],
    [['5', '6'], [false, undefined, undefined, false]],
    [['5', '5 [5->-b]', '6'], [false, undefined, undefined, false]],
    [['6', '6'], [false, undefined, undefined, true]],
    [['6', '5'], [false, undefined, undefined, false]],
    [['6 [5-<-b]', '6 [5-<-b]'], [false, undefined, 'b', false]],
    [['6 [5-<-b]', '5'], [false, undefined, 'b', false]],
    [['6 [5-<-b]', '5', '5 [5->-b]'], [false, undefined, undefined, false]],
    [['6 [5-<-b]', '6 [5-<-c]'], [false, undefined, undefined, false]],
    [['6', '6 [5-<-b]'], [false, undefined, undefined, false]],
    [['5', { slots: '5', flags: 'slave' }], [false, undefined, undefined, false]],
    [['5', { slots: '5', id: 'z' }], [false, undefined, undefined, false]],
  ];
  for (const [looks, want] of cases) {
    const it = history(...looks);
    const said = [it.wasOwned(5), it.leftTo(5), it.cameFrom(5), it.wasElsewhere(5)];
    assert.deepEqual(said, want, JSON.stringify(looks));
  }
  assert.equal(history('5', '5').isSteady, true);
  assert.equal(history('5', { slots: '5', epoch: 2 }).isSteady, false);
});

const view = (...owners) => ({
  masters: [...new Set(owners)],
  slots: owners.map((master) => ({ master })),
});
const [a, b] = ['a', 'b'].map((id) => ({ id, address: id }));
const planned = (coverage, seen) =>
  [...coverage.plan(seen)].map(([node, slots]) => [node.id, [...slots]]);

test('a slot that was always there is covered, others stay', () => {
  const coverage = new ScanCoverage([0, 1, 2]);
  const seen = view(a, a, b);
  assert.deepEqual(planned(coverage, seen), [['a', [0, 1]], ['b', [2]]]);
  assert.equal(coverage.add([0, 1], history('0-1', '0-1'), false, new Map()), 0, 'not trusted');
  assert.equal(coverage.add([0, 1], history('0-1', '0'), true, new Map()), 1);
  assert.deepEqual(planned(coverage, seen), [['a', [1]], ['b', [2]]]);
});

test('a slot on its way: first the old owner, then the new one', () => {
  const leaving = () => history('0 [0->-b]', '0 [0->-b]');
  const arriving = (...looks) => {
    const made = new SlotHistory(account({ id: 'b', slots: looks[0] }));
    for (const slots of looks) made.add(account({ id: 'b', slots }));
    return made;
  };
  const sources = (fields) => new Map([['a', account(fields)]]);
  const cases = [
    // the new owner's looks, the old owner's last account, whether the slot is covered
    [['9 [0-<-a]', '9 [0-<-a]'], { slots: '0 [0->-b]' }, true],
    [['9 [0-<-a]', '0 9'], { slots: '' }, true],
    [['0', '0'], { slots: '' }, true],
    [['9 [0-<-a]', '0 9'], { slots: '', epoch: 2 }, false],
    [['9 [0-<-c]', '0 9'], { slots: '' }, false],
    [['9', '9'], { slots: '0 [0->-b]' }, true],
    [['9', '9'], { slots: '0' }, false],
    [['9', '9'], { slots: '0 [0->-b]', epoch: 2 }, false],
    [['9', '9 [0-<-a]'], { slots: '0 [0->-b]' }, false],
  ];
  for (const [looks, source, isCovered] of cases) {
    const coverage = new ScanCoverage([0]);
    assert.equal(coverage.add([0], leaving(), true, new Map()), 0);
    const seen = { masters: [a, b], slots: [{ master: a }] };
    assert.deepEqual(planned(coverage, seen), [['b', [0]]]);
    assert.deepEqual([...coverage.sourcesOf([0])], ['a']);
    coverage.add([0], arriving(...looks), true, sources(source));
    assert.equal(coverage.size === 0, isCovered, JSON.stringify([looks, source]));
    // Whatever was not believed is begun anew.
    if (!isCovered) assert.deepEqual(planned(coverage, seen), [['a', [0]]]);
  }
});

test('a node that nobody knows yet is waited for; a third owner means to begin anew', () => {
  const coverage = new ScanCoverage([0]);
  coverage.add([0], history('0 [0->-new]', '0 [0->-new]'), true, new Map());
  assert.deepEqual(planned(coverage, view(a)), []);
  assert.deepEqual(planned(coverage, view(b)), [['b', [0]]]);
});

/** A cluster of one node in a few lines: what it says is `script(name, cursor)`. */
function oneNode(script) {
  const node = { id: 'a', address: 'a' };
  const asked = [];
  const cluster = {
    isOpen: true,
    connects: 1,
    info: () => { throw new SimpleError('NOPERM'); },
    refreshes: 0,
    asked,
    view: () => {
      if (!cluster.isOpen) throw new ClientClosedError();
      return { masters: [node], slots: Array(16384).fill({ master: node }) };
    },
    send: async (_, parser, options) => {
      if (parser.redisArgs[0] === 'INFO') return cluster.info();
      asked.push(parser.redisArgs.join(' '));
      return script(parser.redisArgs, options);
    },
    connections: () => cluster.connects,
    refresh: () => { cluster.refreshes++; },
  };
  return cluster;
}
const PACE = { firstMs: 1, longestMs: 2, patienceMs: 30, fewestTries: 3 };
const WHOLE = nodesText({ id: 'a', slots: '0-16383' });
async function drain(cluster, options) {
  const pages = [];
  for await (const keys of scanCluster(cluster, options, {}, PACE)) pages.push(keys.map(String));
  return pages;
}

test('one node: two looks at its slots, and the pages between them', async () => {
  const cluster = oneNode(([name, cursor]) => {
    if (name === 'CLUSTER') return WHOLE;
    return cursor === '0' ? ['17', ['x', 'y']] : ['0', []];
  });
  assert.deepEqual(await drain(cluster, { COUNT: 3, MATCH: 'm*' }), [['x', 'y']]);
  const scan = 'MATCH m* COUNT 3';
  assert.deepEqual(cluster.asked, ['CLUSTER NODES', `SCAN 0 ${scan}`, `SCAN 17 ${scan}`, 'CLUSTER NODES']);
});

test('a page is read ahead while the one before it is looked at, and no more', async () => {
  const cluster = oneNode(([name, cursor]) => (name === 'CLUSTER' ? WHOLE : [String(Number(cursor) + 1), ['k']]));
  const pages = scanCluster(cluster, {}, {}, PACE);
  const scans = () => cluster.asked.filter((command) => command.startsWith('SCAN')).length;
  await pages.next();
  await new Promise(setImmediate);
  assert.equal(scans(), 2);
  await pages.next();
  await new Promise(setImmediate);
  assert.equal(scans(), 3);
  await pages.return();
  await new Promise(setImmediate);
  assert.equal(scans(), 3);
});

test('a lost connection to a node that may not be asked who it is: it is scanned again, for what was not covered', async () => {
  let scans = 0;
  const cluster = oneNode(([name], { typeMapping } = {}) => {
    if (name === 'CLUSTER') return WHOLE;
    if (++scans === 1) cluster.connects++;
    return ['0', ['x'].map((key) => (typeMapping === undefined ? key : Buffer.from(key)))];
  });
  assert.deepEqual(await drain(cluster), [['x'], ['x']]);
  assert.equal(cluster.refreshes, 1);
});

test('a lost connection to the same process changes nothing, one to another process does', async () => {
  for (const isSame of [true, false]) {
    const cluster = oneNode(([name], { typeMapping } = {}) => {
      if (name === 'CLUSTER') return WHOLE;
      if (cluster.asked.length === 2) cluster.connects++;
      return ['0', ['x'].map((key) => (typeMapping === undefined ? key : Buffer.from(key)))];
    });
    let asked = 0;
    const process = () => (isSame ? 'abc' : Math.min(++asked, 2));
    cluster.info = () => `# Server\r\nredis_version:8\r\nrun_id:${process()}\r\ntcp_port:1\r\n`;
    assert.deepEqual(await drain(cluster), isSame ? [['x']] : [['x'], ['x']]);
  }
});

test('a question that was lost is asked again', async () => {
  let lost = 0;
  const cluster = oneNode(([name]) => {
    if (name === 'CLUSTER' && lost++ % 2 === 0) throw new SocketClosedUnexpectedlyError();
    return name === 'CLUSTER' ? WHOLE : ['0', ['x']];
  });
  assert.deepEqual(await drain(cluster), [['x']]);
  assert.equal(cluster.refreshes, 0);
  assert.deepEqual(cluster.asked, ['CLUSTER NODES', 'SCAN 0', 'CLUSTER NODES', 'SCAN 0', 'CLUSTER NODES', 'CLUSTER NODES']);
});

test('a node that was not connected yet is scanned once', async () => {
  const cluster = oneNode(([name]) => {
    cluster.connects = 1;
    return name === 'CLUSTER' ? WHOLE : ['0', []];
  });
  cluster.connects = 0;
  await drain(cluster);
  assert.equal(cluster.refreshes, 0);
});

test('a second scan of a node looks at every page, and yields keys of the slots that are left', async () => {
  const moving = calculateSlot('moving');
  let looks = 0;
  const cluster = oneNode(([name, cursor], { typeMapping } = {}) => {
    if (name === 'CLUSTER') {
      const lacks = ++looks === 2;
      const slots = lacks ? `0-${moving - 1} ${moving + 1}-16383` : '0-16383';
      return nodesText({ id: 'a', slots });
    }
    const keys = typeMapping === undefined ? ['moving', 'staying'] : [Buffer.from('moving'), Buffer.from('staying')];
    return [cursor === '0' ? '5' : '0', keys];
  });
  assert.deepEqual(await drain(cluster), [
    ...[['moving', 'staying'], ['moving', 'staying']],
    ...[['moving'], ['moving']],
  ]);
  assert.deepEqual(cluster.asked.slice(4), ['CLUSTER NODES', 'SCAN 0', 'CLUSTER NODES', 'SCAN 5', 'CLUSTER NODES']);
});

test('a node that takes over slots meanwhile is not believed the first time', async () => {
  let epoch = 1;
  const cluster = oneNode(([name]) => {
    if (name === 'CLUSTER') return nodesText({ id: 'a', slots: '0-16383', epoch: epoch++ });
    return ['0', []];
  });
  await drain(cluster);
  assert.equal(cluster.asked.filter((command) => command === 'SCAN 0').length, 2);
});

test('it gives up with the last error, or says which slots it is about', async () => {
  const failing = oneNode(([name]) => {
    if (name === 'CLUSTER') return WHOLE;
    throw new SimpleError('LOADING not yet');
  });
  await assert.rejects(drain(failing), new SimpleError('LOADING not yet'));
  assert.ok(failing.refreshes >= PACE.fewestTries);
  const nowhere = oneNode(([name]) => (name === 'CLUSTER' ? nodesText({ id: 'a', slots: '' }) : ['0', []]));
  await assert.rejects(drain(nowhere), { message: /^scanIterator: 16384 slots .* slot 0 for example$/ });
  const replaced = oneNode(([name]) => (name === 'CLUSTER' ? nodesText({ id: 'z', slots: '0-16383' }) : ['0', []]));
  await assert.rejects(drain(replaced), { message: /the node at a is z, not a/ });
});

test('an error that will not pass ends it at once', async () => {
  const refused = oneNode(() => { throw new SimpleError('NOPERM no permission'); });
  await assert.rejects(drain(refused), { message: /^NOPERM/ });
  assert.equal(refused.refreshes, 0);
  const closed = oneNode(([name]) => {
    closed.isOpen = false;
    if (name === 'CLUSTER') return WHOLE;
    throw new ClientClosedError();
  });
  await assert.rejects(drain(closed), ClientClosedError);
});

test('a pattern with a plain hash tag is about one slot', async () => {
  const cases = [
    ['{tag}*', 1], ['a{tag}*', 1], ['*{tag}', 16384], ['{t?g}', 16384], ['{}x*', 16384], ['x\\{tag}', 16384],
    [Buffer.from('{\xff}*', 'latin1'), 1], ['{ü}*', 1], ['plain', 16384],
  ];
  for (const [MATCH, slots] of cases) {
    const cluster = oneNode(([name]) => (name === 'CLUSTER' ? nodesText({ id: 'a', slots: '' }) : ['0', []]));
    await assert.rejects(drain(cluster, { MATCH }), { message: new RegExp(`^scanIterator: ${slots} slots`) });
  }
});
