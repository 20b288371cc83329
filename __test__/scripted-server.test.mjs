// The scripted server must itself be right: order, split input, cuts, a cluster's usual answers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { createCluster } from 'redis';
import { resp } from './support/resp-text.mjs';
import { startScriptedCluster } from './support/scripted-cluster.mjs';
import { HANG_UP, ScriptedServer, SILENCE } from './support/scripted-server.mjs';

const PING = '*1\r\n$4\r\nPING\r\n';

async function converse(script, chunks) {
  const server = await new ScriptedServer(script).listen();
  const socket = net.connect(server.port, '127.0.0.1').setEncoding('latin1').setNoDelay(true);
  let heard = '';
  socket.on('data', (text) => (heard += text));
  for (const chunk of chunks) {
    socket.write(chunk);
    await new Promise(setImmediate);
  }
  await once(socket, 'close');
  return { heard, server };
}

test('commands are read at every split point, bytes untouched', async () => {
  const odd = Buffer.concat([
    Buffer.from('*2\r\n$4\r\nECHO\r\n$4\r\n'),
    Buffer.from([0, 0xff, 0x0d, 0x0a]),
    Buffer.from(`\r\n${PING}`),
  ]);
  for (let split = 0; split <= odd.length; split++) {
    const { heard, server } = await converse(
      (args) => (args[0] === 'PING' ? ['+PONG\r\n', HANG_UP] : resp.number(1)),
      [odd.subarray(0, split), odd.subarray(split)],
    );
    assert.equal(heard, ':1\r\n+PONG\r\n');
    assert.deepEqual(server.received[0].raw[1], Buffer.from([0, 0xff, 0x0d, 0x0a]));
    assert.deepEqual(server.commands('ping'), [['PING']]);
    await server.close();
  }
});

test('answers keep their order, even when the first one takes longer', async () => {
  let count = 0;
  const { heard, server } = await converse(() => {
    count += 1;
    if (count === 1) return ['+sl', 30, 'ow\r\n'];
    if (count === 2) return [];
    return ['+fast\r\n', HANG_UP];
  }, [PING, PING, PING]);
  assert.equal(heard, '+slow\r\n+fast\r\n');
  await server.close();
});

test('silence is for good', async () => {
  let count = 0;
  const { heard, server } = await converse((_, connection) => {
    count += 1;
    if (count === 3) setTimeout(() => connection.close(), 20);
    return count === 2 ? SILENCE : '+OK\r\n';
  }, [PING, PING, PING]);
  assert.equal(heard, '+OK\r\n');
  await server.close();
});

test('a script that throws cuts the connection and fails the test at the end', async () => {
  const { server } = await converse(() => {
    throw new Error('not in the script');
  }, [PING]);
  await assert.rejects(server.close(), { message: 'not in the script' });
});

test('bytes that are no command fail the test at the end', async () => {
  const { server } = await converse(() => '+OK\r\n', ['GET / HTTP/1.1\r\n']);
  await assert.rejects(server.close(), /a client sent "GET \/ HTTP\/1.1" where \*<length> belongs/);
});

for (const RESP of /** @type {const} */ ([2, 3])) {
  test(`node-redis takes a scripted cluster for a real one, RESP${RESP}`, async () => {
    const cluster = await startScriptedCluster({
      script: ([name], { node }) => (name === 'GET' ? resp.bulk(`from ${node}`) : undefined),
    });
    const client = createCluster({ rootNodes: cluster.seeds, RESP });
    await client.connect();
    try {
      // Slots 15495, 3300, 7365: one on each node.
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((key) => client.get(key))), [
        'from 2',
        'from 0',
        'from 1',
      ]);
      await assert.rejects(client.incr('a'), { message: "ERR unknown command 'INCR'" });
      assert.deepEqual(cluster.nodes[0].commands('GET'), [['GET', 'b']]);
    } finally {
      client.destroy();
      await cluster.close();
    }
  });
}
