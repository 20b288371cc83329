// Turns any JavaScript value into plain nested arrays that name everything a user could notice:
// class, prototype, order of fields, bytes. Two values are "the same" when their descriptions are.

import * as clientExports from '@redis/client';

const ERROR_CLASSES = Object.entries(clientExports).filter(
  ([, value]) => typeof value === 'function' && value.prototype instanceof Error,
);

/** Every class exported by `@redis/client` that the error is an instance of, nearest first. */
function errorClasses(error) {
  const names = [];
  for (
    let proto = Object.getPrototypeOf(error);
    proto !== null;
    proto = Object.getPrototypeOf(proto)
  ) {
    const exported = ERROR_CLASSES.find(([, value]) => value.prototype === proto);
    if (exported) names.push(exported[0]);
    else if (proto !== Object.prototype) names.push(proto.constructor?.name ?? '(no constructor)');
  }
  return names;
}

function describeFields(object, seen) {
  return Reflect.ownKeys(object)
    .filter((name) => Object.prototype.propertyIsEnumerable.call(object, name))
    .map((name) => [String(name), describe(object[name], seen)]);
}

function describeError(error, seen) {
  const parts = [
    'Error',
    errorClasses(error),
    error.name,
    error.message,
    describeFields(error, seen),
  ];
  return 'cause' in error ? [...parts, ['cause', describe(error.cause, seen)]] : parts;
}

/** The name of the class of any value. */
export function className(value) {
  if (value === null || value === undefined) return String(value);
  const proto = Object.getPrototypeOf(value);
  return proto === null ? '(null prototype)' : (proto.constructor?.name ?? '(no constructor)');
}

function describeObject(object, seen) {
  if (Buffer.isBuffer(object)) return ['Buffer', object.toString('latin1')];
  if (object instanceof Error) return describeError(object, seen);
  if (object instanceof Date) return ['Date', object.getTime()];
  if (object instanceof String) {
    return ['boxed string', className(object), object.valueOf(), ['format', object.format]];
  }
  if (Array.isArray(object)) {
    const holes = object.length - Object.keys(object).filter((name) => /^\d+$/.test(name)).length;
    const extra = Object.keys(object).filter((name) => !/^\d+$/.test(name));
    const items = Array.from(object, (item) => describe(item, seen));
    return ['Array', ...(holes || extra.length ? [`holes ${holes}, extra ${extra}`] : []), items];
  }
  if (object instanceof Map) {
    return [
      'Map',
      Array.from(object, ([name, value]) => [describe(name, seen), describe(value, seen)]),
    ];
  }
  if (object instanceof Set) return ['Set', Array.from(object, (item) => describe(item, seen))];
  return ['Object', className(object), describeFields(object, seen)];
}

/**
 * @param {unknown} value anything a command resolves or rejects with
 * @returns {unknown} nested arrays and primitives, to be compared with `assert.deepStrictEqual`
 */
export function describe(value, seen = []) {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? ['number', '-0'] : value;
    case 'bigint':
      return ['bigint', String(value)];
    case 'function':
      return ['function', value.name];
    case 'symbol':
      return ['symbol', String(value)];
    case 'object': {
      if (value === null) return null;
      if (seen.includes(value)) return ['circular'];
      return describeObject(value, [...seen, value]);
    }
    default:
      return value; // string, boolean, undefined
  }
}
