// When a node that stays away makes the client learn the topology again: ours beside node-redis's.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mock, test } from 'node:test';

const require = createRequire(import.meta.url);
const { ReconnectionTracker } = require('../js/reconnection-tracker');
const Oracle = require('../node_modules/@redis/client/dist/lib/cluster/cluster-reconnection-tracker').default;

/** What happens, at which millisecond. */
const STORY = [
  [0, 'ready', 'a:1'], [0, 'ready', 'b:1'],
  [10, 'reconnecting', 'a:1'], [60, 'reconnecting', 'a:1'], [70, 'reconnecting', 'b:1'],
  [120, 'reconnecting', 'a:1'], [130, 'ready', 'a:1'], [200, 'reconnecting', 'b:1'],
  [210, 'ready', 'b:1'], [300, 'reconnecting', 'a:1'], [305, 'disconnect', 'a:1'],
  [400, 'reconnecting', 'b:1'], [500, 'reconnecting', 'b:1'], [1000, 'reconnecting', 'b:1'],
];

const STRATEGIES = [
  false, 0, 1, 50, 100, 5000,
  () => false, () => undefined, () => 0, () => 30, (first) => (first < 100 ? 40 : 90),
  () => -1, () => 'soon', () => 1.5, () => { throw new Error('mine'); },
];

function outcome(run) {
  try {
    return run();
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
}

for (const [index, strategy] of STRATEGIES.entries()) {
  test(`strategy ${index}: ${String(strategy)}`, () => {
    mock.timers.enable({ apis: ['Date'], now: 0 });
    try {
      const ours = new ReconnectionTracker(strategy);
      const oracle = new Oracle(strategy);
      const decisions = [];
      for (const [at, what, address] of STORY) {
        mock.timers.setTime(at);
        if (what === 'reconnecting') {
          const want = outcome(() => oracle.onReconnectionAttempt(address, address, at));
          const got = outcome(() => ours.onReconnecting(address));
          assert.deepEqual(got, want, `at ${at}`);
          decisions.push(got);
        } else {
          oracle.removeClient(address);
          if (what === 'ready') ours.onReady(address);
          else ours.onDisconnect(address);
        }
      }
      assert.ok(decisions.length > 0);
    } finally {
      mock.timers.reset();
    }
  });
}

test('a node that was never ready does not count', () => {
  const tracker = new ReconnectionTracker(1);
  assert.equal(tracker.onReconnecting('a:1'), false);
});
