// What the system knows of this process: its threads and file descriptors. Without /proc: nothing.

import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The engine's thread is called redis-cluster-io; Linux keeps 15 characters of a name. */
const IO_THREAD = 'redis-cluster-io'.slice(0, 15);

export const hasProc = existsSync('/proc/self/task');

/** How many I/O threads this process has. */
export function countIoThreads() {
  return readdirSync('/proc/self/task').filter(isIoThread).length;
}

function isIoThread(id) {
  try {
    return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === IO_THREAD;
  } catch {
    return false; // it ended meanwhile
  }
}

/** What must not grow with the number of clusters that came and went. */
export function resources() {
  const { rss, arrayBuffers } = process.memoryUsage();
  return {
    ioThreads: countIoThreads(),
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
    buffersMiB: arrayBuffers / 2 ** 20,
    rssMiB: rss / 2 ** 20,
  };
}
