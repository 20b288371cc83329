// How connections introduce themselves to real servers: users, passwords, names, library, READONLY;
// and that no password shows anywhere.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import util from 'node:util';
import { SIDES, subject } from './parity/harness/clients.mjs';
import { describe } from './parity/harness/describe-value.mjs';
import { collectEvents } from './parity/harness/events.mjs';
import { forEachServer, sharedCluster } from './support/servers.mjs';

const PASSWORD = 'pässword of all n0des';
const USER = { username: 'app', password: 'hunter2 of the app' };
const WRONG = 'not-the-passw0rd';
const LIB_NAME = 'redis-cluster-native';

/** Fields of one line of CLIENT LIST. */
function clientFields(line) {
  return Object.fromEntries(line.split(' ').map((field) => field.split(/=(.*)/s, 2)));
}

/** Connections of one node, those of the administrator left out. */
async function clientsOf(servers, port) {
  const lines = (await servers.admin(port, 'CLIENT', 'LIST', 'TYPE', 'NORMAL')).trim().split('\n');
  return lines.map(clientFields).filter(({ cmd }) => cmd !== 'client|list');
}

const knowsLibraries = ({ id }) => id !== 'redis-7.0';

/** What a user notices of a connection attempt. */
async function attemptToConnect(side, options) {
  const cluster = side.package.createCluster(options);
  const events = collectEvents(cluster);
  try {
    await cluster.connect();
    return {
      connected: true,
      reply: await cluster.set('key', 'value'),
      user: await whoAmI(cluster),
    };
  } catch (error) {
    return { error, events, shown: util.inspect([error, events, cluster], { depth: 9 }) };
  } finally {
    if (cluster.isOpen) cluster.destroy();
  }
}

function whoAmI(cluster) {
  return cluster.sendCommand('key', true, ['ACL', 'WHOAMI']);
}

forEachServer((server) => {
  const getServers = sharedCluster(server, { password: PASSWORD, replicasPerPrimary: 1 });

  before(async () => {
    const rules = ['on', `>${USER.password}`, '~*', '+@all'];
    const servers = getServers();
    for (const { port } of servers.nodes) {
      await servers.admin(port, 'ACL', 'SETUSER', USER.username, ...rules);
    }
  });

  const accepted = [
    ['a password', { password: PASSWORD }, 'default'],
    ['a user and a password', USER, USER.username],
    ['the default user by name', { username: 'default', password: PASSWORD }, 'default'],
  ];
  for (const RESP of [2, 3]) {
    for (const [label, credentials, user] of accepted) {
      test(`RESP ${RESP}: ${label}`, async () => {
        const options = { rootNodes: getServers().seeds.slice(0, 1), RESP, defaults: credentials };
        for (const side of SIDES) {
          const outcome = await attemptToConnect(side, options);
          assert.deepEqual(outcome, { connected: true, reply: 'OK', user }, side.name);
        }
      });
    }

    const refused = [
      ['a wrong password', { password: WRONG }],
      ['a wrong password of a user', { ...USER, password: WRONG }],
      ['an unknown user', { username: 'nobody', password: WRONG }],
      ['no password', {}],
      ['a user without a password', { username: USER.username }],
    ];
    for (const [label, credentials] of refused) {
      test(`RESP ${RESP}: refused like node-redis, ${label}`, async () => {
        const rootNodes = getServers().seeds.slice(0, 1);
        const seen = [];
        for (const side of SIDES) {
          const options = { rootNodes, RESP, defaults: { ...credentials } };
          const { error, events, shown } = await attemptToConnect(side, options);
          if (side === subject) {
            assert.ok(!shown.includes(WRONG), shown);
            assert.equal(error.cause.message, events[0][1].message, 'the cause is what happened');
          }
          delete error.cause; // ours
          seen.push({ error: describe(error), events: describe(events[0]) });
        }
        assert.deepStrictEqual(seen[1], seen[0]);
      });
    }
  }

  test('credentials in the URL are used for all nodes only as part of defaults', async () => {
    const [{ port }] = getServers().primaries;
    const login = `${USER.username}:${encodeURIComponent(USER.password)}`;
    const url = `redis://${login}@127.0.0.1:${port}`;
    const rootNodes = [{ url }];
    const { reply, user } = await attemptToConnect(subject, { rootNodes, defaults: USER });
    assert.deepEqual([reply, user], ['OK', USER.username]);

    // Without defaults, the root node answers and the nodes refuse; so in node-redis.
    const seen = [];
    for (const side of SIDES) {
      const { error, shown } = await attemptToConnect(side, {
        rootNodes: [{ url }],
        defaults: { socket: { reconnectStrategy: false } },
      });
      if (side === subject) assert.ok(!shown.includes(USER.password), shown);
      delete error.cause;
      seen.push(describe(error));
    }
    assert.deepStrictEqual(seen[1], seen[0]);
  });

  for (const RESP of [2, 3]) {
    test(`RESP ${RESP}: name, library and READONLY show in CLIENT LIST`, async () => {
      const servers = getServers();
      const defaults = { ...USER, name: 'my-app', clientInfoTag: 'tag' };
      const options = { rootNodes: servers.seeds, RESP, useReplicas: true, defaults };
      const cluster = subject.package.createCluster(options);
      await cluster.connect();
      try {
        for (const { port, role } of servers.nodes) {
          const [mine, ...others] = (await clientsOf(servers, port)).filter(
            ({ name }) => name === 'my-app',
          );
          assert.deepEqual(others, [], `one connection to ${port}`);
          assert.equal(mine.user, USER.username);
          assert.equal(mine.resp, String(RESP));
          assert.equal(mine.flags.includes('r'), role === 'replica', `READONLY on a ${role}`);
          if (!knowsLibraries(server)) continue;
          assert.equal(mine['lib-name'], `${LIB_NAME}(tag)`);
          assert.match(mine['lib-ver'], /^\d+\.\d+\.\d+/);
        }
        const info = clientFields(
          (await cluster.sendCommand('k', true, ['CLIENT', 'INFO'])).trim(),
        );
        assert.equal(info.name, 'my-app');
      } finally {
        cluster.destroy();
      }
    });
  }

  const skip = knowsLibraries(server) ? false : 'this server does not know CLIENT SETINFO';
  test('disableClientInfo keeps the library to itself', { skip }, async () => {
    const defaults = { ...USER, disableClientInfo: true };
    const cluster = subject.package.createCluster({ rootNodes: getServers().seeds, defaults });
    await cluster.connect();
    const info = clientFields((await cluster.sendCommand('k', true, ['CLIENT', 'INFO'])).trim());
    cluster.destroy();
    assert.deepEqual([info['lib-name'], info['lib-ver']], ['', '']);
  });

  test('no password in what a connected cluster shows', async () => {
    const cluster = subject.package.createCluster({
      rootNodes: getServers().seeds,
      defaults: USER,
    });
    const events = collectEvents(cluster);
    await cluster.connect();
    const failed = await cluster
      .sendCommand('k', false, ['NO-SUCH-COMMAND'])
      .catch((error) => error);
    const shown = util.inspect([events, failed, cluster.masters, cluster.slots[0]], { depth: 9 });
    cluster.destroy();
    assert.ok(events.length > 0 && failed instanceof Error);
    assert.ok(!shown.includes(USER.password), shown);
  });
});
