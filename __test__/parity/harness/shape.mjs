// What is compared where the value itself cannot be: clocks, random members, sizes, node-dependent
// replies. Classes, fields and nesting must still agree.

function leaf(value) {
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return 'Buffer';
  if (value instanceof Date) return 'Date';
  if (value instanceof String) return `boxed ${value.constructor.name}`;
  return typeof value;
}

/** Keeps structure, lengths and field names; every leaf becomes the name of its type. */
export function shape(value) {
  if (Array.isArray(value)) return value.map(shape);
  if (value instanceof Map) {
    return new Map(Array.from(value, ([name, item]) => [name, shape(item)]));
  }
  if (value instanceof Set) return { set: [...value].map(shape) };
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return leaf(value);
  if (value instanceof Date || value instanceof String || value instanceof Error)
    return leaf(value);
  const copy = Object.create(Object.getPrototypeOf(value));
  for (const name of Object.keys(value)) copy[name] = shape(value[name]);
  return copy;
}

/**
 * Like {@link shape}, but an array counts only by the different shapes of its elements and a
 * keyed object by the different shapes of its values: for replies whose length or keys vary from
 * one moment or node to the next.
 */
export function outline(value) {
  if (Array.isArray(value)) return ['array of', distinct(value.map(outline))];
  if (value instanceof Map) return ['Map of', distinct([...value.values()].map(outline))];
  if (value instanceof Set) return ['Set of', distinct([...value].map(outline))];
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return leaf(value);
  if (value instanceof Date || value instanceof String || value instanceof Error)
    return leaf(value);
  return ['object of', distinct(Object.values(value).map(outline))];
}

/** The different ones among some outlines, in an order that does not depend on where they stood. */
function distinct(outlines) {
  const byText = new Map(outlines.map((one) => [JSON.stringify(one), one]));
  return [...byText.keys()].sort().map((text) => byText.get(text));
}

/** The description of a value with every list in it sorted: the same elements, in any order. */
export function sortDeep(description) {
  if (!Array.isArray(description)) return description;
  const items = description
    .map(sortDeep)
    .map((item) => [JSON.stringify(item) ?? 'undefined', item]);
  return items.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, item]) => item);
}
