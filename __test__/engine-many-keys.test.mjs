// 100,000 keys in one command: right answers, an event loop that is held no longer than by node-redis, and
// bounded memory. Each run is a process of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './leaks/programs/run.mjs';
import { sharedCluster, withAnyServer } from './support/servers.mjs';

const COUNT = 100_000;
const KILL_AFTER_MS = 60_000;
const MODULES = { 'node-redis': 'redis', ours: '../../../index.js' };
/** A machine that does other things may be late once. */
const ATTEMPTS = 3;
/**
 * Beside twice the bytes of the command (once as they cross into the engine, once as they wait for the
 * sockets; answers likewise): what 100,000 keys are to JavaScript, and the buffers of the engine.
 */
const CONSTANT_KB = 64 << 10;

withAnyServer((server) => {
  const running = sharedCluster(server);

  async function run(name, valueLength) {
    const input = { module: MODULES[name], rootNodes: running().seeds, count: COUNT, valueLength };
    const ended = await runProgram('many-keys.mjs', input, { killAfterMs: KILL_AFTER_MS });
    assert.equal(ended.code, 0, ended.stderr);
    const [{ steps, payload }] = ended.lines;
    const values = Object.entries(steps).map(([step, { value }]) => [step, value]);
    assert.deepEqual(Object.fromEntries(values), {
      ...{ mSet: 'OK', mGet: COUNT, exists: COUNT + 1, del: COUNT, gone: 0 },
    });
    return { steps, payloadKb: payload / 1024 };
  }

  test('answers, and how long they hold the event loop, values of 100 bytes', async (t) => {
    for (let attempt = 1; ; attempt++) {
      const [theirs, ours] = [await run('node-redis', 100), await run('ours', 100)];
      const holds = Object.keys(ours.steps).map((step) => {
        return [step, ours.steps[step].longest, theirs.steps[step].longest];
      });
      t.diagnostic(holds.map(([step, own, other]) => `${step} ${own} ms (node-redis ${other})`).join(', '));
      const longer = holds.filter(([, own, other]) => own > other);
      if (longer.length === 0) return;
      assert.ok(attempt < ATTEMPTS, JSON.stringify(longer));
    }
  });

  test('answers, and how much memory they take, values of 1,000 bytes', async (t) => {
    const { steps, payloadKb } = await run('ours', 1_000);
    const peakKb = Math.max(...Object.values(steps).map(({ grownKb }) => grownKb));
    const boundKb = 2 * payloadKb + CONSTANT_KB;
    const mb = (kb) => `${Math.round(kb / 1024)} MB`;
    t.diagnostic(`${mb(payloadKb)} of keys and values: grown by ${mb(peakKb)}, bound ${mb(boundKb)}`);
    assert.ok(peakKb <= boundKb, `${mb(peakKb)} > ${mb(boundKb)}`);
  });
});
