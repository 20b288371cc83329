// Watches the process while a workload runs: how long the event loop was held, and how much memory
// it took.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
/**
 * Holds from this length on are counted: a server that answers in 1 ms is visibly late after them.
 */
export const LONG_HOLD_MS = 5;
const RSS_EVERY_MS = 50;

/** Starts watching; the returned function stops and says what was seen. */
export function watchProcess() {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();

  // Node's histogram has no count of long holds, and its timer is one more source of error; a timer
  // of our own gives the longest gap between two turns of the loop, to the microsecond.
  let holdMax = 0;
  let longHolds = 0;
  let last = performance.now();
  const beat = () => {
    const now = performance.now();
    const held = now - last - RESOLUTION_MS;
    last = now;
    if (held > holdMax) holdMax = held;
    if (held >= LONG_HOLD_MS) longHolds++;
  };
  const heart = setInterval(beat, RESOLUTION_MS);

  let rssPeak = process.memoryUsage.rss();
  const weigh = () => {
    rssPeak = Math.max(rssPeak, process.memoryUsage.rss());
  };
  const scales = setInterval(weigh, RSS_EVERY_MS);

  return function stop() {
    beat();
    weigh();
    histogram.disable();
    clearInterval(heart);
    clearInterval(scales);
    return {
      loopP99Ms: overResolution(histogram.percentile(99)),
      loopMaxMs: overResolution(histogram.max),
      holdMaxMs: holdMax,
      longHolds,
      rssMb: rssPeak / 1024 / 1024,
    };
  };
}

/**
 * The histogram records the time between two beats, in nanoseconds; the delay is what exceeds the
 * period.
 */
function overResolution(nanoseconds) {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}
