'use strict';
// Errors as users of node-redis know them: its classes, and the class and message of each failure
// that the engine reports by number.

const { getSystemErrorMap } = require('node:util');
const errors = require('@redis/client/dist/lib/errors');

/** What the engine's failures are about; the numbers are its own. */
const FAILURE = Object.freeze({
  CLIENT_CLOSED: 1,
  CLIENT_OFFLINE: 2,
  SOCKET_CLOSED: 3,
  SOCKET: 4,
  CONNECTION_TIMEOUT: 5,
  TIMEOUT: 6,
  ABORTED: 7,
  ROOT_NODES_UNAVAILABLE: 8,
  TOO_MANY_REDIRECTIONS: 9,
  QUEUE_FULL: 10,
  PROTOCOL: 11,
  DISCONNECTED: 12,
  SLOT_UNASSIGNED: 13,
  INTERNAL: 14,
  SOCKET_TIMEOUT: 15,
  HANDSHAKE: 16,
  RECONNECT_STRATEGY: 17,
  CLUSTER_CLOSED: 18,
  LOOKUP: 19,
  CANNOT_SPLIT: 20,
  TOO_MANY_BYTES: 21,
  RESPONSE_TIMEOUT: 22,
  HUNG: 23,
  WRONG_NODE: 24,
  PARTIAL: 25,
});

/** libuv's number for a name that nobody knows. Node calls it ENOTFOUND, the system's table does not. */
const ENOTFOUND_ERRNO = -3008;

/**
 * @param {[code: string, syscall: string, errno: number, address: string | null, port: number | null]} details
 * @returns {NodeJS.ErrnoException} with the text and the fields that Node's own sockets give
 */
function socketError([code, syscall, errno, address, port]) {
  const place = address === null ? '' : ` ${address}${port === null ? '' : `:${port}`}`;
  const fields = address === null ? {} : port === null ? { address } : { address, port };
  return Object.assign(new Error(`${syscall} ${code}${place}`), { errno, code, syscall, ...fields });
}

/** @param {[code: string, hostname: string]} details */
function lookupError([code, hostname]) {
  const syscall = 'getaddrinfo';
  const errno = code === 'ENOTFOUND' ? ENOTFOUND_ERRNO : systemErrno(code);
  return Object.assign(new Error(`${syscall} ${code} ${hostname}`), { errno, code, syscall, hostname });
}

/** @param {string} code */
function systemErrno(code) {
  for (const [errno, [name]] of getSystemErrorMap()) if (name === code) return errno;
  return undefined;
}

/**
 * The class and message are node-redis's; why each seed failed is ours to add.
 *
 * @param {Array<[address: string, error: Error]>} attempts
 */
function rootNodesUnavailable(attempts) {
  const error = new errors.RootNodesUnavailableError();
  const causes = attempts.map(([, cause]) => cause);
  return Object.defineProperties(error, { cause: hidden(causes[0]), errors: hidden(causes) });
}

/**
 * Like the fields of an AggregateError: there, but not among the error's own data.
 *
 * @param {unknown} value
 */
function hidden(value) {
  return { value, configurable: true, writable: true };
}

/**
 * Begins like node-redis's error for a queue that is full.
 *
 * @param {[node: string | null, bound: number]} details
 */
function queueFullError([node, bound]) {
  const [where, option] = node === null
    ? ['all nodes together', '`queueMaxBytes`']
    : [node, '`defaults.commandsQueueMaxBytes`'];
  return new Error(
    `The queue is full: ${bound} bytes of commands wait for ${where}, which is the bound that ${option} sets`,
  );
}

/** The numbers of the groups of arguments (a key and what belongs to it) that an error is about. */
const FAILED_GROUPS = Symbol('failed groups');

/**
 * Parts of a split command failed. Class and message are those of the first failure, as node-redis has
 * it; which keys are concerned is added by whoever has the arguments (`split-commands.js`).
 *
 * @param {[cause: Error, groups: number[]]} details
 */
function partialFailure([cause, groups]) {
  // What it says besides: `code`, `errno`, ...
  const error = Object.assign(new Error(cause.message), cause);
  Object.setPrototypeOf(error, Object.getPrototypeOf(cause));
  return Object.defineProperties(error, { cause: hidden(cause), [FAILED_GROUPS]: hidden(groups) });
}

/** @param {number} milliseconds */
function hungError(milliseconds) {
  const error = new errors.SocketClosedUnexpectedlyError();
  const cause = new Error(
    `The node sent nothing for ${milliseconds} ms (\`socket.hangTimeout\`), and its connection was given up`,
  );
  return Object.defineProperty(error, 'cause', hidden(cause));
}

/**
 * @param {number} code one of {@link FAILURE}
 * @param {any} details as the engine sends them with this code: null, or a list
 * @returns {Error}
 */
function failureError(code, details) {
  switch (code) {
    case FAILURE.CLIENT_CLOSED: return new errors.ClientClosedError();
    case FAILURE.CLIENT_OFFLINE: return new errors.ClientOfflineError();
    case FAILURE.SOCKET_CLOSED: return new errors.SocketClosedUnexpectedlyError();
    case FAILURE.SOCKET: return socketError(details);
    case FAILURE.CONNECTION_TIMEOUT: return new errors.ConnectionTimeoutError();
    case FAILURE.TIMEOUT: return new errors.TimeoutError();
    case FAILURE.ABORTED: return new errors.AbortError();
    case FAILURE.ROOT_NODES_UNAVAILABLE: return rootNodesUnavailable(details ?? []);
    case FAILURE.TOO_MANY_REDIRECTIONS:
      return new errors.MaxCommandRedirectionsError(new errors.SimpleError(details[0]));
    case FAILURE.QUEUE_FULL: return new Error('The queue is full');
    case FAILURE.PROTOCOL: return new Error(`Protocol error: ${details[0]}`);
    case FAILURE.DISCONNECTED: return new errors.DisconnectsClientError();
    case FAILURE.SLOT_UNASSIGNED: return new Error(`No node of the cluster serves slot ${details[0]}`);
    case FAILURE.SOCKET_TIMEOUT: return new errors.SocketTimeoutError(details[0]);
    case FAILURE.HANDSHAKE: return new errors.SimpleError(details[0]);
    case FAILURE.RECONNECT_STRATEGY:
      return new errors.ReconnectStrategyError(recallError(details[0]), details[1]);
    case FAILURE.CLUSTER_CLOSED: return new Error('Cluster closed');
    case FAILURE.LOOKUP: return lookupError(details);
    case FAILURE.CANNOT_SPLIT: return new Error(details[0]);
    case FAILURE.TOO_MANY_BYTES: return queueFullError(details);
    case FAILURE.RESPONSE_TIMEOUT: return new errors.TimeoutError('no reply within `responseTimeout`');
    case FAILURE.HUNG: return hungError(details[0]);
    case FAILURE.WRONG_NODE: return new Error(
      `The node at this address is ${details[1]}, but the cluster's topology says ${details[0]}: ` +
        'nothing is written to it',
    );
    case FAILURE.PARTIAL: return partialFailure(details);
    case FAILURE.INTERNAL: return internalError(details[0]);
    default: return new Error(`Unknown failure ${code} of the engine`);
  }
}

/**
 * Errors of users' functions that the engine carries as text. The text begins with a number, by which
 * the user's own object is found again; whoever kept it lets go of it.
 *
 * @type {Map<string, Error>}
 */
const keptErrors = new Map();
let lastKept = 0;

/**
 * @param {Error} error
 * @returns {string} what the engine gives back in place of the error
 */
function keepError(error) {
  const number = String(++lastKept);
  keptErrors.set(number, error);
  return `${number} ${error.message}`;
}

/** @param {string} text of `keepError` */
function forgetError(text) {
  keptErrors.delete(text.slice(0, text.indexOf(' ')));
}

/** @param {string} text of `keepError` */
function recallError(text) {
  const end = text.indexOf(' ');
  return keptErrors.get(text.slice(0, end)) ?? new Error(text.slice(end + 1));
}

/** @param {string} message of the panic that was caught */
function internalError(message) {
  return new Error(`Internal error of the engine: ${message}`);
}

/**
 * What a method answers that is part of node-redis's cluster but not of this version.
 *
 * @param {string} name
 */
function notSupported(name) {
  return new Error(`${name} is not supported in this version of redis-cluster-native`);
}

module.exports = {
  ...errors, FAILED_GROUPS, FAILURE, failureError, forgetError, internalError, keepError, notSupported,
};
