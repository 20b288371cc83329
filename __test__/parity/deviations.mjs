// Where we deliberately answer better than node-redis. The outcome of each program here differs;
// `deviations.test.mjs` checks both outcomes, so that the list cannot outlive its reason.

/**
 * @typedef {object} Deviation
 * @property {string} name
 * @property {string} reason why a user would want it
 * @property {object} [options] of createCluster
 * @property {(cluster: any) => Promise<unknown>} run
 * @property {unknown} nodeRedis what node-redis makes of it
 * @property {unknown} ours
 */

const settle = (promise) =>
  promise.then(
    (value) => value,
    (error) => error.message,
  );

async function protoField(cluster) {
  await cluster.hSet('deviation', [
    ['__proto__', '1'],
    ['a', '2'],
  ]);
  const fields = await cluster.hGetAll('deviation');
  return Object.getOwnPropertyNames(fields).sort();
}

async function orderOfAnswers(cluster) {
  const order = [];
  await Promise.all([
    cluster.blPop('deviation', 0.2).then(() => order.push('BLPOP')),
    cluster.get('deviation').then(() => order.push('GET')),
  ]);
  return order;
}

/** @type {Deviation[]} */
export const deviations = [
  {
    name: 'a GET beside a BLPOP is not delayed',
    reason: 'a consumer should not stop everybody else',
    run: orderOfAnswers,
    nodeRedis: ['BLPOP', 'GET'],
    ours: ['GET', 'BLPOP'],
  },
  {
    name: 'a field named __proto__ is an own property',
    reason: 'node-redis assigns it, which loses the field; a stored field must come back',
    options: { RESP: 3 },
    run: protoField,
    nodeRedis: ['a'],
    ours: ['__proto__', 'a'],
  },
  {
    name: 'the greatest safe integer is exact',
    reason: 'node-redis overshoots by the code of a digit on the way, and rounds there',
    run: async (cluster) => {
      await cluster.set('deviation', '9007199254740990');
      return cluster.incr('deviation');
    },
    nodeRedis: 9007199254740992,
    ours: 9007199254740991,
  },
  {
    name: 'integers beyond 2^53 are rounded once',
    reason: 'node-redis rounds after every digit; the nearest double is what Number() gives',
    run: async (cluster) => {
      await cluster.set('deviation', '1152921504606846977');
      return cluster.incrBy('deviation', 0);
    },
    nodeRedis: 1152921504606846700,
    ours: 1152921504606846976,
  },
  {
    name: 'a reply with attributes is read',
    reason:
      'node-redis does not know the type: it drops the connection and the command never settles',
    run: (cluster) =>
      Promise.race([
        settle(cluster.sendCommand('deviation', false, ['DEBUG', 'PROTOCOL', 'attrib'])),
        new Promise((resolve) => {
          setTimeout(resolve, 500, 'nothing');
        }),
      ]),
    nodeRedis: 'nothing',
    ours: 'Some real reply following the attribute',
  },
  {
    name: 'keys of a transaction in several slots are refused by name',
    reason: 'node-redis goes in circles between the nodes, and does not say which keys',
    run: (cluster) => settle(cluster.multi().set('a', '1').set('b', '2').exec()),
    nodeRedis: 'Too many Cluster redirections',
    ours:
      "CROSSSLOT Keys in request don't hash to the same slot: \"a\" is in slot 15495, \"b\" is in slot 3300." +
      ' All keys of a transaction need the same hash tag, as {tag}a and {tag}b have',
  },
  {
    name: 'a bad argument rejects the whole transaction',
    reason: 'node-redis leaves that command out, and runs the others',
    run: async (cluster) => {
      const bad = /** @type {any} */ (5);
      const message = await settle(cluster.multi().set('a', '1').append('a', bad).exec());
      return [message, await cluster.get('a')];
    },
    nodeRedis: ['"arguments[2]" must be of type "string | Buffer", got number instead.', '1'],
    ours: ['"arguments[2]" must be of type "string | Buffer", got number instead.', null],
  },
  {
    name: 'a pipeline goes where the keys are',
    reason: 'node-redis sends all of it to the node of the first key, and fails with MOVED',
    run: async (cluster) => {
      const multi = cluster.multi();
      for (const key of ['a', 'b', 'c']) multi.set(key, key).get(key);
      const answer = await settle(multi.execAsPipeline());
      return typeof answer === 'string' ? answer.replace(/ \d.*/, '') : answer;
    },
    nodeRedis: 'MOVED',
    ours: ['OK', 'a', 'OK', 'b', 'OK', 'c'],
  },
  {
    name: 'MSETNX over several slots says what to do',
    reason: 'the server says only that keys are in several slots, and where they are is easily mended',
    run: (cluster) => settle(cluster.mSetNX({ a: '1', b: '2' })),
    nodeRedis: "CROSSSLOT Keys in request don't hash to the same slot",
    ours:
      'CROSSSLOT MSETNX sets all keys or none, so all of them must be in one slot: ' +
      'give them a common hash tag, as in {user:1}:name and {user:1}:mail',
  },
  {
    name: 'close() lets commands that were sent finish',
    reason: 'node-redis rejects those of the same tick, though close() promises a graceful end',
    run: async (cluster) => {
      const reply = settle(cluster.set('deviation', 'x'));
      await cluster.close();
      return reply;
    },
    nodeRedis: 'The client is closed',
    ours: 'OK',
  },
  {
    name: 'a failed connect() says why',
    reason: 'node-redis tells the reason only to listeners of the event error',
    run: async (cluster) => {
      const port = 1; // nothing listens there
      const rootNodes = [{ socket: { host: '127.0.0.1', port, reconnectStrategy: false } }];
      const unreachable = cluster.duplicate({ rootNodes });
      unreachable.on('error', () => {});
      const error = await unreachable.connect().catch((reason) => reason);
      return error.cause?.message;
    },
    nodeRedis: undefined,
    ours: 'connect ECONNREFUSED 127.0.0.1:1',
  },
  {
    name: 'missing root nodes are named',
    reason: 'node-redis fails inside its own code',
    run: async (cluster) => {
      try {
        return cluster.duplicate({ rootNodes: undefined });
      } catch (error) {
        return [error.constructor.name, error.message];
      }
    },
    nodeRedis: ['TypeError', "Cannot read properties of undefined (reading 'map')"],
    ours: ['TypeError', 'rootNodes must be an array of nodes, got undefined'],
  },
  {
    name: 'an empty list of root nodes is named',
    reason: 'node-redis reports nodes that do not answer, though none was asked',
    run: (cluster) =>
      settle(
        Promise.resolve().then(() => {
          const nowhere = cluster.duplicate({ rootNodes: [] });
          nowhere.on('error', () => {});
          return nowhere.connect();
        }),
      ),
    nodeRedis: 'All the root nodes are unavailable',
    ours: 'rootNodes must name at least one node',
  },
  {
    name: 'destroy() during connect() ends it',
    reason: 'node-redis goes on connecting, and the connections stay for ever',
    run: async (cluster) => {
      const other = cluster.duplicate();
      other.on('error', () => {});
      const connecting = other.connect().then(
        () => 'resolved',
        (error) => error.message,
      );
      other.destroy();
      const outcome = await connecting;
      const left = [...other.nodeByAddress.values()].filter(({ client }) => client?.isOpen);
      for (const { client } of left) client.destroy();
      return [outcome, left.length];
    },
    nodeRedis: ['resolved', 3],
    ours: ['Cluster closed', 0],
  },
];
