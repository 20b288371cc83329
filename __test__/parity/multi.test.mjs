// Transactions and pipelines: what `multi()` collects, sends, and makes of the replies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESP_TYPES } from '@redis/client';
import { describeOnServer } from './harness/fixture.mjs';
import { subject, SUBJECT_IS_ORACLE, withCluster } from './harness/clients.mjs';
import { comparePrograms } from './harness/programs.mjs';
import { functions, modules, scripts } from './harness/user-commands.mjs';

const MAPPING = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.SIMPLE_STRING]: Buffer,
  [RESP_TYPES.NUMBER]: String,
  [RESP_TYPES.DOUBLE]: String,
  [RESP_TYPES.MAP]: Map,
  [RESP_TYPES.SET]: Set,
};

/** Every way to run what was collected. */
const WAYS = {
  exec: (multi) => multi.exec(),
  EXEC: (multi) => multi.EXEC(),
  execTyped: (multi) => multi.execTyped(),
  'exec as pipeline': (multi) => multi.exec(true),
  execAsPipeline: (multi) => multi.execAsPipeline(),
  execAsPipelineTyped: (multi) => multi.execAsPipelineTyped(),
};

await describeOnServer('redis-8.2', (getServers) => {
  for (const RESP of [2, 3]) {
    const compare = (name, program, options) =>
      comparePrograms(`${name}, RESP ${RESP}`, getServers, async (context) => {
        const cluster = context.open({ RESP, scripts, functions, modules, ...options });
        await cluster.connect();
        await program(context, cluster);
      });

    compare('every way to run it', async ({ attempt, key }, cluster) => {
      for (const [way, run] of Object.entries(WAYS)) {
        await attempt(way, () =>
          run(cluster.multi().set(key('a'), 'value').GET(key('a')).incrBy(key('n'), 5)));
        await attempt(`${way}, nothing`, () => run(cluster.MULTI()));
        await attempt(`${way}, without keys`, () => run(cluster.multi().ping().echo('text')));
        await attempt(`${way}, one fails`, () =>
          run(cluster.multi().set(key('a'), 'x').incr(key('a')).get(key('a'))));
      }
    });

    compare('replies of all shapes, mapped and not', async ({ attempt, key }, cluster) => {
      const [hash, set, zset, list] = ['h', 's', 'z', 'l'].map(key);
      for (const view of [cluster, cluster.withTypeMapping(MAPPING)]) {
        for (const way of ['exec', 'execAsPipeline']) {
          await attempt(way, () =>
            view.multi()
              .hSet(hash, { field: 'value', other: 'ü' })
              .hGetAll(hash)
              .sAdd(set, ['one', 'two'])
              .sMembers(set)
              .zAdd(zset, [{ score: 1.5, value: 'a' }, { score: Infinity, value: 'b' }])
              .zRangeWithScores(zset, 0, -1)
              .zScore(zset, 'a')
              .rPush(list, ['x', 'y'])
              .lRange(list, 0, -1)
              .get(key('missing'))
              .exists(key('missing'))
              .incrByFloat(key('f'), 1.5)
              .del([hash, set, zset, list, key('f')])
              [way]());
        }
      }
    });

    compare('binary keys and values', async ({ attempt, key }, cluster) => {
      const binary = Buffer.concat([Buffer.from(key('')), Buffer.from([0, 255, 13, 10])]);
      const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      await attempt('set', () => cluster.multi().set(binary, Buffer.from([255, 0])).strLen(binary).exec());
      await attempt('get', () => buffers.multi().get(binary).exec());
      await attempt('routed by it', () => buffers.multi(binary).get(binary).exec());
      await attempt('as pipeline', () => buffers.multi().get(binary).execAsPipeline());
    });

    compare('scripts, functions, modules', async ({ attempt, key }, cluster) => {
      for (const view of [cluster, cluster.withTypeMapping(MAPPING)]) {
        for (const way of ['exec', 'execAsPipeline']) {
          await attempt(`scripts, ${way}`, () =>
            view.multi()
              .setAndGet(key('a'), 'one')
              .readOnly(key('a'))
              .setAndGet(key('a'), 'two')
              .readOnly(key('a'))
              .countsItsKeys([key('a'), key('b')])
              [way]());
          await attempt(`functions, ${way}`, () =>
            view.multi().parity.parity_echo(key('a'), 'x').parity.parity_read(key('a'))[way]());
          await attempt(`modules, ${way}`, () =>
            view.multi().mine.fetch(key('a'), 'note').mine.fetch(key('a'))[way]());
          await attempt(`throws in a transform, ${way}`, () =>
            view.multi().mine.throwsInTransform(key('a'))[way]());
        }
      }
      await attempt('chained through namespaces', () =>
        cluster.multi().set(key('a'), '1').mine.fetch(key('a')).get(key('a')).exec());
      await attempt('a bundled module', () =>
        cluster.multi().json.set(key('j'), '$', { a: 1 }).json.get(key('j')).exec());
    });

    compare('commands without a method', async ({ attempt, key }, cluster) => {
      const upper = (reply, preserve, typeMapping) => [reply, preserve, typeMapping];
      const kept = Object.assign(['GET', key('a')], { preserve: 'kept' });
      for (const way of ['exec', 'execAsPipeline']) {
        await attempt(`addCommand, ${way}`, () =>
          cluster.multi()
            .addCommand(key('a'), false, ['SET', key('a'), 'value'])
            .addCommand(key('a'), true, kept, upper)
            .addCommand(key('a'), true, ['GET', key('a')], upper)
            [way]());
        await attempt(`sendCommand, ${way}`, () =>
          cluster.multi()
            .sendCommand(['SET', key('a'), 'value'], { firstKey: key('a') })
            .sendCommand(['GET', key('a')], { isReadonly: true })
            .sendCommand(['TIME'], {})
            [way]().then((replies) => replies.slice(0, 2)));
      }
      await attempt('a list that changes later', () => {
        const args = ['SET', key('a'), 'before'];
        const multi = cluster.multi().sendCommand(args, { firstKey: key('a') }).get(key('a'));
        args[2] = 'after';
        return multi.exec();
      });
      await attempt('twice', async () => {
        const multi = cluster.multi().incr(key('count'));
        return [await multi.exec(), await multi.exec(), await multi.execAsPipeline()];
      });
    });

    compare('what fails', async ({ attempt, key }, cluster) => {
      const a = key('a');
      await attempt('unknown command', () =>
        cluster.multi().set(a, 'x').sendCommand(['NOPE', 'y']).set(a, 'z').exec());
      await attempt('nothing was run', () => cluster.get(a));
      await attempt('wrong number of arguments', () =>
        cluster.multi().sendCommand(['GET'], { firstKey: a }).incr(a).exec());
      await attempt('the first of two errors', () =>
        cluster.multi().sendCommand(['ONE']).sendCommand(['TWO']).exec());
      await attempt('several commands fail', () =>
        cluster.multi().set(a, 'x').incr(a).lPush(a, 'y').get(a).exec());
      await attempt('their errors', () =>
        cluster.multi().set(a, 'x').incr(a).lPush(a, 'y').exec().catch((error) => [...error.errors()]));
      await attempt('WATCH', () => cluster.multi().get(a).sendCommand(['WATCH', a]).exec());
      await attempt('DISCARD', () => cluster.multi().set(a, 'no').sendCommand(['DISCARD']).exec());
      await attempt('it was discarded', () => cluster.get(a));
      await attempt('EXEC', () => cluster.multi().set(a, 'yes').sendCommand(['EXEC']).get(a).exec());
      await attempt('keys of one command in two slots', () =>
        cluster.multi().sendCommand(['MGET', a, '{other}b'], { firstKey: a }).exec());
      await attempt('bad argument', () => cluster.multi().get(a).append(a, 5).exec());
      await attempt('bad argument, as pipeline', () => cluster.multi().append(a, 5).execAsPipeline());
      await attempt('bad argument, sendCommand', () =>
        cluster.multi().sendCommand(['SET', a, {}], { firstKey: a }).exec());
      await attempt('throws in parseCommand', () => cluster.multi().mine.throwsInParse(a).exec());
      for (const name of ['PREPARE', 'discard', 'DISCARDALL']) {
        const himport = () => cluster.multi().get(a).addCommand(undefined, false, ['himport', name]);
        await attempt(`HIMPORT ${name}`, () => himport().exec());
        await attempt(`HIMPORT ${name}, as pipeline`, () => himport().execAsPipeline());
      }
      await attempt('pipeline, one fails', () =>
        cluster.multi().set(a, 'x').incr(a).sendCommand(['NOPE']).execAsPipeline());
      await attempt('still in step', () => cluster.multi().set(a, '1').incr(a).exec());
    });

    compare('prefixed keys', async ({ attempt, key }, cluster) => {
      const a = key('a');
      await attempt('prefixed', () => cluster.multi().set(a, 'value').get(a).exec());
      await attempt('routed by a key, which is prefixed', () => cluster.multi(a).get(a).exec());
      await attempt('routed by a Buffer', () => cluster.multi(Buffer.from(a)).get(a).exec());
      await attempt('scripts', () => cluster.multi().setAndGet(a, 'v').readOnly(a).exec());
      await attempt('modules', () => cluster.multi().mine.fetch(a).exec());
      await attempt('sendCommand is not', () =>
        cluster.multi().sendCommand(['GET', a], { firstKey: a }).exec());
      await attempt('as pipeline', () => cluster.multi().get(a).execAsPipeline());
    }, { keyPrefix: 'tenant:' });

    compare('many at once, in between other commands', async ({ attempt, key }, cluster) => {
      await attempt('counted', async () => {
        const answers = [];
        for (let i = 0; i < 50; i++) {
          answers.push(cluster.incr(key('n')), cluster.multi().incr(key('n')).incr(key('n')).exec());
        }
        return Promise.all(answers);
      });
      await attempt('long', async () => {
        const multi = cluster.multi();
        for (let i = 0; i < 3_000; i++) multi.rPush(key('long'), `element ${i}`);
        const replies = await multi.lLen(key('long')).exec();
        return [replies.length, replies.at(-1)];
      });
      await attempt('large', async () => {
        const multi = cluster.multi();
        for (let i = 0; i < 5; i++) multi.append(key('big'), 'x'.repeat(700_000));
        const replies = await multi.get(key('big')).exec();
        return [replies.slice(0, 5), replies[5].length];
      });
    });

    compare('closed', async ({ attempt, key }, cluster) => {
      const multi = cluster.multi().get(key('a'));
      cluster.destroy();
      await attempt('exec', () => multi.exec());
      await attempt('execAsPipeline', () => multi.execAsPipeline());
      await attempt('execAsPipeline, nothing', () => cluster.multi().execAsPipeline());
    });
  }

  const options = () => ({ rootNodes: getServers().seeds });
  const skip = SUBJECT_IS_ORACLE && 'node-redis is the subject';

  test('ours: keys in two slots are refused by name, and nothing is sent', { skip }, async () => {
    await withCluster(subject, options(), async (cluster) => {
      const refused = [
        cluster.multi().set('a', '1').set('b', '2').exec(),
        cluster.multi('c').get('a').exec(),
      ];
      const check = (error) => {
        assert.equal(error.constructor.name, 'SimpleError');
        assert.match(error.message, /^CROSSSLOT .* is in slot 15495.* hash tag/);
        return true;
      };
      await Promise.all(refused.map((answer) => assert.rejects(answer, check)));
      assert.deepEqual(cluster.redirects(), { moved: 0, ask: 0 });
      assert.equal(await cluster.get('a'), null);
    });
  });

  test('ours: commands of a pipeline that have several keys are split', { skip }, async () => {
    await withCluster(subject, options(), async (cluster) => {
      const pairs = { '{p}1': '1', '{q}1': '2', '{r}1': '3' };
      const keys = Object.keys(pairs);
      const multi = cluster.multi().mSet(pairs).mGet(keys).del([...keys, '{s}1']);
      assert.deepEqual(await multi.execAsPipeline(), ['OK', ['1', '2', '3'], 3]);
      assert.deepEqual(cluster.redirects(), { moved: 0, ask: 0 });
    });
  });
});
