// Where we deliberately answer better than node-redis. Each entry is a program whose outcome differs;
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

/** @type {Deviation[]} */
export const deviations = [
  {
    name: 'a field named __proto__ is an own property',
    reason: 'node-redis assigns it, which loses the field; a stored field must come back',
    options: { RESP: 3 },
    run: protoField,
    nodeRedis: ['a'],
    ours: ['__proto__', 'a'],
  },
  {
    name: 'integers beyond 2^53 are rounded once',
    reason:
      'node-redis adds digit by digit and rounds at each; the nearest double is what Number() gives',
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
];
