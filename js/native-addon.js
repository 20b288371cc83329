'use strict';
// Loads the compiled engine. The only file that does, so that a missing build has one explanation.

/**
 * One engine: a cluster as Rust sees it. Buffers and tickets are described in channel.js.
 *
 * @typedef {object} NativeCluster
 * @property {(words: Uint32Array, wordCount: number, bytes: Uint8Array, byteCount: number) => void} submit
 * @property {(words: Uint32Array, bytes: Uint8Array, sleep: boolean) => number} take
 * @property {() => number} pendingWords
 * @property {() => number} pendingBytes
 * @property {() => string} takeLargeString
 * @property {() => Buffer} takeLargeBuffer
 * @property {(ticket: number) => void} connect
 * @property {(ticket: number, withinMs: number) => void} close negative: as long as it takes
 * @property {() => void} destroy
 * @property {(host: string, port: number) => number} destination a number for a node, to be named by commands
 * @property {(destination: number) => number} lease a connection of its own, as a destination
 * @property {(lease: number, clean: boolean) => void} release after all its commands were submitted
 * @property {(ticket: number) => void} cancel
 * @property {(host: string, port: number) => number} destination the number of a node, by its announced address
 * @property {(destination: number) => number} lease a number for a connection of one's own to it
 * @property {(lease: number, clean: boolean) => void} release
 * @property {() => void} refresh
 * @property {() => string} topology
 * @property {() => number[]} redirects
 * @property {(callId: number, host: string | null, port: number) => void} answerAddress
 * @property {(callId: number, delayMs: number, errorText: string | null) => void} answerReconnect
 */

/**
 * @typedef {object} NativeReconnect
 * @property {'never' | 'fixed' | 'callback'} kind
 * @property {number} [delayMs]
 */

/**
 * One node's connection, as the engine takes it. What is missing gets the engine's default.
 *
 * @typedef {object} NativeNode
 * @property {string} [host]
 * @property {number} [port]
 * @property {string} [username]
 * @property {string} [password]
 * @property {string} [name]
 * @property {number} [database]
 * @property {string} [clientInfoTag]
 * @property {boolean} [disableClientInfo]
 * @property {number} [connectTimeoutMs]
 * @property {boolean} [noDelay]
 * @property {boolean} [keepAlive]
 * @property {number} [keepAliveInitialDelayMs]
 * @property {number} [family]
 * @property {string} [localAddress]
 * @property {number} [localPort]
 * @property {NativeReconnect} [reconnect]
 * @property {number} [commandsQueueMaxLength]
 * @property {number} [commandsQueueMaxBytes]
 * @property {number} [pingIntervalMs]
 * @property {number} [socketTimeoutMs]
 * @property {number} [hangTimeoutMs]
 * @property {boolean} [disableOfflineQueue]
 */

/**
 * @typedef {object} NativeOptions
 * @property {NativeNode[]} seeds
 * @property {NativeNode} node
 * @property {number} [resp]
 * @property {boolean} [useReplicas]
 * @property {boolean} [minimizeConnections]
 * @property {boolean} [refreshOnReconnect]
 * @property {number} [queueMaxBytes]
 * @property {number} [topologyRefreshIntervalMs]
 * @property {number} [maxCommandRedirections]
 * @property {number} [maxBlockingConnections]
 * @property {number} [blockingIdleTimeoutMs]
 * @property {Array<{ from: string, host: string, port: number }>} [addressMap]
 * @property {boolean} [addressMapCallback]
 */

/** @typedef {new (options: NativeOptions, wake: () => void) => NativeCluster} NativeClusterClass */

/** @returns {NativeClusterClass} */
function load() {
  try {
    return require('../native').NativeCluster;
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    throw new Error(
      `redis-cluster-native: the engine for ${platform} cannot be loaded. ` +
        'Run `npm run build` in the package (it needs Rust), or install a version that has ' +
        'a binary for this platform.',
      { cause },
    );
  }
}

/** @type {NativeClusterClass | undefined} */
let loaded;

/**
 * Makes an engine. It is idle until `connect`.
 *
 * @param {NativeOptions} options
 * @param {() => void} wake called on this thread when answers or events wait to be taken
 */
function createNativeCluster(options, wake) {
  loaded ??= load();
  return new loaded(options, wake);
}

module.exports = { createNativeCluster };
