/** The `socket` options of a connection: what may be set, what it means, what is refused. */

import type { LookupFunction, TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/**
 * Socket options of one connection. A field that this version cannot honour makes `createCluster`
 * throw a `TypeError` that names it; none is ignored in silence.
 */
export type RedisClusterSocketOptions = PlainSocketOptions | TlsSocketOptions;

/**
 * When and whether a lost connection is opened again.
 *
 * - `false`: not at all. Commands that wait for the connection are rejected.
 * - a number: after that many milliseconds, each time.
 * - a function of the number of failed attempts so far (0 at first) and of the error that broke the
 *   connection. It returns milliseconds, `false`, or an `Error`; an `Error` stops like `false` and
 *   reaches the waiting commands as the `originalError` of a `ReconnectStrategyError`. Any other
 *   result is reported as a `TypeError` in a `node-error` event, and the default is used instead.
 *
 * Source: node-redis option `socket.reconnectStrategy`.
 */
export type ReconnectStrategy =
  | false
  | number
  | ((retries: number, cause: Error) => false | Error | number);

/** What TCP and TLS connections have in common. */
export interface ReconnectOptions {
  /**
   * How long opening a connection may take, in milliseconds. After that the attempt fails with a
   * `ConnectionTimeoutError`, and {@link reconnectStrategy} decides about the next one.
   *
   * @defaultValue 5000
   */
  connectTimeout?: number;

  /**
   * What to do when a connection is lost; see {@link ReconnectStrategy}.
   *
   * The default waits 50 ms, then doubles up to 2 s, and adds 0 to 199 random milliseconds, so
   * that many clients do not come back at the same moment.
   */
  reconnectStrategy?: ReconnectStrategy;

  /**
   * Closes a connection on which nothing was sent or received for so many milliseconds: commands on it
   * fail with a `SocketTimeoutError`. With the default {@link reconnectStrategy} the node is connected
   * again by the next command only.
   *
   * @defaultValue no limit
   */
  socketTimeout?: number;

  /**
   * How long a node that was sent commands may send nothing back before it is thought to hang, in
   * milliseconds. Nothing more is written to it then, reads that replicas may answer go there, the
   * cluster is asked for its successor, and the node is probed on a second connection: if that is
   * answered and the first stays silent for five times as long, the first is replaced. Nothing is rejected for being slow.
   * Commands that wait on the server on purpose (`BLPOP`) do not count. On Linux, a peer that confirms
   * nothing for ten times as long is given up (`TCP_USER_TIMEOUT`). 0 turns both off. Not in
   * node-redis.
   *
   * @defaultValue 1000
   */
  hangTimeout?: number;
}

/** Options of Node's sockets that have a meaning for a client. */
type TcpOptions = Omit<
  TcpNetConnectOpts,
  'onread' | 'port' | 'readable' | 'timeout' | 'writable'
>;

/**
 * Options of a TCP connection. Fields of Node's sockets that are not listed here (`fd`, `signal`,
 * `allowHalfOpen`, ...) are typed as in node-redis and refused: sockets belong to the engine.
 */
export interface PlainSocketOptions extends TcpOptions, ReconnectOptions {
  /**
   * Host name or address. An IPv6 address is written without brackets.
   *
   * @defaultValue 'localhost'
   */
  host?: string;

  /**
   * TCP port, 1 to 65535.
   *
   * @defaultValue 6379
   */
  port?: number;

  /** `true` asks for TLS, which this version refuses: see {@link TlsSocketOptions}. */
  tls?: false;

  /**
   * Sends small packets at once instead of collecting them (`TCP_NODELAY`).
   *
   * @defaultValue true
   */
  noDelay?: boolean;

  /**
   * Lets the operating system probe an idle connection (`SO_KEEPALIVE`), so that a dead peer is
   * noticed at last.
   *
   * @defaultValue true
   */
  keepAlive?: boolean;

  /**
   * Idle time before the first keep-alive probe, in milliseconds.
   *
   * @defaultValue 30000
   */
  keepAliveInitialDelay?: number;

  /**
   * Address family for host names: 4, 6, or 0 for both.
   *
   * @defaultValue 0
   */
  family?: number;

  /** Local address to connect from. The system chooses one if it is not given. */
  localAddress?: string;

  /** Local port to connect from. The system chooses one if it is not given. */
  localPort?: number;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis: a function that resolves host names instead of the system.
   */
  lookup?: LookupFunction;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis: flags for the system's name lookup.
   */
  hints?: number;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis: tries IPv6 and IPv4 addresses side by side.
   */
  autoSelectFamily?: boolean;

  /**
   * Not supported in this version: `createCluster` throws a `TypeError` that names this option.
   * In node-redis: head start of one address family, in milliseconds.
   */
  autoSelectFamilyAttemptTimeout?: number;

  /**
   * Refused for good: the nodes of a cluster are known to each other by host and port, so a
   * client cannot follow them through the path of a Unix socket.
   */
  path?: never;
}

/**
 * Options of a TLS connection, as node-redis takes them.
 *
 * Not supported in this version: `createCluster` throws a `TypeError` that names `socket.tls`. They
 * are typed, so that a program which chooses between TLS and plain TCP at run time still compiles.
 */
export type TlsSocketOptions = ReconnectOptions & ConnectionOptions & { tls: true };
