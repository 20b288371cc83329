'use strict';
// Reads redis:// URLs, with the rules and errors of node-redis.

/**
 * @typedef {object} RedisUrl
 * @property {string} host
 * @property {number} [port]
 * @property {boolean} tls
 * @property {string} [username]
 * @property {string} [password]
 * @property {number} [database]
 */

/**
 * @param {string} url
 * @param {string} name of the option that it is the value of
 * @returns {RedisUrl}
 */
function parseRedisUrl(url, name) {
  if (url.startsWith('unix:')) {
    throw new TypeError(
      `${name} is a unix:// URL, but the nodes of a cluster know each other by host and port: ` +
        'use redis://host:port',
    );
  }
  const { hostname, port, protocol, username, password, pathname } = toUrl(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new TypeError(
      `Protocol - ${protocol} - is not a valid Redis protocol. Expected redis: or rediss:`,
    );
  }
  /** @type {RedisUrl} */
  const parsed = {
    host: hostname.replace(/^\[([0-9a-f:]+)\]$/, '$1'),
    tls: protocol === 'rediss:',
  };
  if (port) parsed.port = Number(port);
  if (username) parsed.username = decodeURIComponent(username);
  if (password) parsed.password = decodeURIComponent(password);
  if (pathname.length > 1) {
    parsed.database = Number(pathname.substring(1));
    if (isNaN(parsed.database)) throw new TypeError('Invalid pathname');
  }
  return parsed;
}

/**
 * @param {string} text
 * @returns {URL}
 */
function toUrl(text) {
  try {
    return new URL(text);
  } catch {
    // Node's own error carries the whole text, in which there may be a password.
    throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' });
  }
}

/**
 * @param {string} url
 * @returns {string} the same without its user and password, for messages
 */
function withoutCredentials(url) {
  return url.replace(/\/\/[^/]*@/, '//');
}

module.exports = { parseRedisUrl, withoutCredentials };
