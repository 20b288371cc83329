// The view of a cluster that a body works with: each call is made, and what came of it is written
// down (value or error), so that a body reads like a program and still records everything.

import { NON_STICKY_COMMANDS } from './command-table.mjs';
import { className, describe } from './describe-value.mjs';
import { outline, shape, sortDeep } from './shape.mjs';

const UPPER_SPELLING = new Map();
for (const upper of Object.keys(NON_STICKY_COMMANDS)) {
  if (upper !== upper.toUpperCase()) continue;
  for (const name of Object.keys(NON_STICKY_COMMANDS)) {
    if (name !== upper && NON_STICKY_COMMANDS[name] === NON_STICKY_COMMANDS[upper]) {
      UPPER_SPELLING.set(name, upper);
    }
  }
}

/** Far above what any command of a body takes, far below the patience of whoever runs the tests. */
const LIMIT_MS = 3_000;
const MOST_HANGING = 2;
const HANGS = Symbol('hangs');

/** A call that never settles is a difference like any other, and must not stop the run. */
async function withinLimit(promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(reject, LIMIT_MS, HANGS);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The path may name a module's command: `json.get`. */
function resolve(cluster, path, spelling) {
  const parts = path.split('.');
  const receiver = parts.length === 2 ? cluster[parts[0]] : cluster;
  const name = parts.at(-1);
  const spelled =
    parts.length === 1 && spelling === 'upper' ? (UPPER_SPELLING.get(name) ?? name) : name;
  if (typeof receiver?.[spelled] !== 'function')
    throw new Error(`the cluster has no command ${path} (${spelled})`);
  return (...args) => receiver[spelled](...args);
}

/**
 * @param {object} cluster the cluster under test
 * @param {{ namespace?: string, spelling?: 'camel' | 'upper' }} [options]
 */
export function createContext(cluster, { namespace = 'parity', spelling = 'camel' } = {}) {
  const records = [];
  const called = new Set();
  let hanging = 0;

  async function attempt(label, view, action, viewError = describe) {
    const record = [label];
    records.push(record);
    try {
      const value = await withinLimit(action());
      record.push('value', view(value));
      return value;
    } catch (error) {
      if (error === HANGS && ++hanging > MOST_HANGING) throw new Error(`${label} and others hang`);
      record.push('error', error === HANGS ? 'hangs' : viewError(error));
      return undefined;
    }
  }

  function recording(target, view, viewError) {
    return new Proxy(
      {},
      {
        get:
          (_, path) =>
          (...args) => {
            called.add(path);
            return attempt(path, view, () => resolve(target, path, spelling)(...args), viewError);
          },
      },
    );
  }

  return {
    cluster,
    records,
    called,
    /** Calls a command; value or error must agree exactly. */
    c: recording(cluster, describe),
    /** The same, on another view of the cluster (`withTypeMapping()` and the like). */
    on: (other) => recording(other, describe),
    /** Calls a command; the order of lists and fields is the server's whim (its hash seed). */
    unordered: recording(cluster, (value) => sortDeep(describe(value))),
    /** Calls a command; only types and structure must agree. */
    shape: recording(cluster, (value) => describe(shape(value))),
    /** Calls a command; not even lengths must agree. */
    outline: recording(cluster, (value) => describe(outline(value)), className),
    /** Calls a command; only the class of what it resolves or rejects with must agree. */
    kind: recording(cluster, className, className),
    /** A key that belongs to this body alone; all keys of a body share a slot. */
    key: (name) => `{${namespace}}:${name}`,
    /** Notes any value, or what an action resolves or rejects with. */
    record: (label, value) => attempt(label, describe, async () => value),
    attempt: (label, action) => attempt(label, describe, action),
  };
}
