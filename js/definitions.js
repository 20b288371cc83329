'use strict';
// What this package takes from node-redis besides commands and errors: reply types, scripts,
// caches, tracing names. Everything but the reply types loads when it is first asked for.

const { RESP_TYPES } = require('@redis/client/dist/lib/RESP/decoder');
const { DEFAULT_RESP } = require('@redis/client/dist/lib/RESP/types');
const { VerbatimString } = require('@redis/client/dist/lib/RESP/verbatim-string');

module.exports = {
  DEFAULT_RESP,
  RESP_TYPES,
  VerbatimString,
  get defineScript() { return require('@redis/client/dist/lib/lua-script').defineScript; },
  get digest() { return require('@redis/client/dist/lib/utils/digest').digest; },
  get BasicClientSideCache() {
    return require('@redis/client/dist/lib/client/cache').BasicClientSideCache;
  },
  get BasicPooledClientSideCache() {
    return require('@redis/client/dist/lib/client/cache').BasicPooledClientSideCache;
  },
  get OpenTelemetry() { return require('@redis/client/dist/lib/opentelemetry').OpenTelemetry; },
  get CHANNELS() { return require('@redis/client/dist/lib/client/tracing').CHANNELS; },
};
