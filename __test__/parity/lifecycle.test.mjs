// From createCluster() to destroy(): state, events, and what commands answer at each stage.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { withAnyServer, sharedCluster } from '../support/servers.mjs';
import { collectEvents, settledOrder } from './harness/events.mjs';
import { comparePrograms } from './harness/programs.mjs';

const UNREACHABLE = [{ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: false } }];

const stateOf = (cluster) => ({
  isOpen: cluster.isOpen,
  isReady: cluster.isReady,
  slots: cluster.slots.length,
  knownSlots: Object.keys(cluster.slots).length,
  masters: cluster.masters.length,
  replicas: cluster.replicas.length,
  nodes: cluster.nodeByAddress.size,
});

/** Gives up after a while: what is then compared shows what was missing. */
async function until(isTrue) {
  for (let tries = 0; tries < 150 && !isTrue(); tries++) await sleep(20);
}

/** What is deliberately different, the cause, is checked with the deviations. */
function withoutCause(error) {
  delete error.cause;
  return error;
}

function thrownBy(action) {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

const NAMES_ABSENT_OR_PRESENT = [
  'withAbortSignal',
  'asap',
  'legacy',
  'createPool',
  'watch',
  'select',
  'monitor',
  'reset',
  'ref',
  'unref',
  'hScanIterator',
  'then',
  'HOTKEYS_GET',
  'withTypeMapping',
  'withCommandOptions',
  'duplicate',
  'quit',
  'disconnect',
  'sendCommand',
  'getMasters',
  'getSlotMaster',
];

withAnyServer((server) => {
  const getServers = sharedCluster(server);
  const compare = (name, program) => comparePrograms(name, getServers, program);

  compare('state and commands over the life of a cluster', async ({ open, record, attempt }) => {
    const cluster = open();
    await record('new', stateOf(cluster));
    await attempt('get before connect', () => cluster.get('a'));
    await attempt('sendCommand before connect', () => cluster.sendCommand('a', true, ['GET', 'a']));
    await attempt('keyless before connect', () => cluster.echo('a'));
    await attempt('bad argument before connect', () => cluster.get(5));

    const connecting = cluster.connect();
    await record('connecting', { isOpen: cluster.isOpen, isReady: cluster.isReady });
    await attempt('get during connect', () => cluster.get('a'));
    await attempt('keyless during connect', () => cluster.echo('a'));
    await attempt('connect during connect', () => cluster.connect());
    await record('connect resolves to the cluster', (await connecting) === cluster);

    await record('connected', stateOf(cluster));
    await attempt('get', () => cluster.get('a'));
    await attempt('connect again', () => cluster.connect());
    await attempt('close', () => cluster.close());
    await record('closed', stateOf(cluster));
    await attempt('get after close', () => cluster.get('a'));
    await attempt('sendCommand after close', () => cluster.sendCommand('a', true, ['GET', 'a']));
    await attempt('close again', () => cluster.close());
    await attempt('destroy after close', async () => cluster.destroy());

    await attempt('connect after close', async () => (await cluster.connect()) === cluster);
    await attempt('get', () => cluster.get('a'));
    await attempt('destroy', async () => cluster.destroy());
    await record('destroyed', stateOf(cluster));
    await attempt('get after destroy', () => cluster.get('a'));
    await attempt('destroy again', async () => cluster.destroy());
  });

  compare('quit and disconnect', async ({ open, record, attempt }) => {
    for (const name of ['quit', 'disconnect']) {
      const cluster = open();
      await cluster.connect();
      await attempt(name, () => cluster[name]());
      await record(`after ${name}`, stateOf(cluster));
      await attempt('get', () => cluster.get('a'));
    }
  });

  compare('events of connect and close', async ({ open, record }) => {
    for (const way of ['close', 'destroy', 'quit', 'disconnect']) {
      const cluster = open();
      const events = collectEvents(cluster);
      await cluster.connect();
      await record('events of connect', settledOrder(events.splice(0)));
      const done = once(cluster, 'disconnect');
      await cluster[way]();
      await done;
      await sleep(20);
      await record(`events of ${way}`, settledOrder(events.splice(0)));
    }
  });

  compare('events with lazy connections', async ({ open, record, attempt, key }) => {
    const cluster = open({ minimizeConnections: true });
    const events = collectEvents(cluster);
    await cluster.connect();
    await record('events of connect', settledOrder(events.splice(0)));
    await attempt('first command', () => cluster.set(key('a'), '1'));
    await record('events of the first command', settledOrder(events.splice(0)));
    cluster.destroy();
    await sleep(20);
    await record('events of destroy', settledOrder(events.splice(0)));
  });

  compare('events of a cluster that was never connected', async ({ open, record, attempt }) => {
    for (const way of ['close', 'destroy', 'quit', 'disconnect']) {
      const cluster = open();
      const events = collectEvents(cluster);
      await attempt(way, async () => cluster[way]());
      await record(`events of ${way}`, settledOrder(events));
    }
  });

  compare('no root node answers', async ({ open, record, attempt }) => {
    const cluster = open({ rootNodes: UNREACHABLE });
    const events = collectEvents(cluster);
    await record('connect', await cluster.connect().catch(withoutCause));
    await record('state', stateOf(cluster));
    await record('kinds of events', [...new Set(events.map(([name]) => name))]);
    await record('errors', [...new Set(events.map(([, error]) => error.message))]);
    await attempt('get', () => cluster.get('a'));
  });

  compare('the second root node answers', async ({ open, servers, attempt, record }) => {
    const cluster = open({ rootNodes: [...UNREACHABLE, servers.seeds[1]] });
    await attempt('connect', async () => (await cluster.connect()) === cluster);
    await record('state', stateOf(cluster));
  });

  compare('a command that waits while the cluster is destroyed', async ({ open, attempt, key }) => {
    const cluster = open();
    await cluster.connect();
    const waiting = attempt('blPop', () => cluster.blPop(key('l'), 5));
    await sleep(50);
    cluster.destroy();
    await waiting;
  });

  compare('a killed connection', async ({ open, servers, record, attempt, key }) => {
    const cluster = open();
    await cluster.connect();
    const events = collectEvents(cluster);
    const waiting = attempt('the command under way', () => cluster.blPop(key('l'), 5));
    await sleep(50);
    for (const { port } of servers.nodes) {
      await servers.admin(port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await waiting;
    await until(
      () => events.filter(([name]) => name === 'node-ready').length === servers.nodes.length,
    );
    await record('events', settledOrder(events));
    await record('state', stateOf(cluster));
    await attempt('the next command', () => cluster.get(key('a')));
  });

  compare('duplicate', async ({ open, record, attempt, key }) => {
    const cluster = open({ keyPrefix: 'p:' });
    const copy = cluster.duplicate();
    copy.on('error', () => {});
    await record('another, not open', [copy !== cluster, copy.isOpen, copy.isReady]);
    await cluster.connect();
    await record('still not open', copy.isOpen);
    await copy.connect();
    await attempt('set', () => cluster.set(key('a'), '1'));
    await attempt('get of the copy', () => copy.get(key('a')));
    const other = cluster.duplicate({ keyPrefix: 'q:' });
    other.on('error', () => {});
    await other.connect();
    await attempt('get with another prefix', () => other.get(key('a')));
    copy.destroy();
    await attempt('get after the copy is gone', () => cluster.get(key('a')));
    await attempt('get of the copy', () => copy.get(key('a')));
    other.destroy();
  });

  compare('what createCluster refuses', async ({ side, attempt, record }) => {
    const { createCluster } = side.package;
    const rootNodes = UNREACHABLE;
    for (const [label, options] of [['no options'], ['no root nodes', {}]]) {
      await record(label, thrownBy(() => createCluster(options))?.constructor.name);
    }
    await attempt(
      'refresh strategy',
      async () =>
        void createCluster({ rootNodes, topologyRefreshOnReconnectionAttemptStrategy: 'often' }),
    );
    await attempt(
      'cache with RESP 2',
      async () => void createCluster({ rootNodes, RESP: 2, clientSideCache: {} }),
    );
  });

  compare('the shape of a cluster object', async ({ open, record }) => {
    const cluster = open();
    await record(
      'methods',
      NAMES_ABSENT_OR_PRESENT.map((name) => [name, typeof cluster[name]]),
    );
    await record('chains', cluster.on('x', () => {}) === cluster);
    await record('views are clusters', cluster.withTypeMapping({}) instanceof cluster.constructor);
    await record('pubSubNode', cluster.pubSubNode);
    await record('clientSideCache', cluster.clientSideCache);
  });
});
