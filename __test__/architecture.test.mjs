// What ARCHITECTURE.md, CONTRIBUTING.md and docs/decisions/ name must exist: files, functions, tests.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CODE = ['src', 'js', 'scripts', '__bench__', '__faults__', '__test__', 'types'];
/** Made by `npm run build` and `npm run bench`, so a fresh clone is without them. */
const GENERATED = /^(native\.js|native\.d\.ts|docs\/benchmarks\/.*|docs\/reliability\.md)$/;
const EXTENSION = /\.(rs|m?js|sh|md|d\.ts|ts|json|toml)$/;

const read = (file) => readFileSync(path.join(ROOT, file), 'utf8');
const filesIn = (folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath ?? entry.path, entry.name)));

const files = [...CODE.flatMap(filesIn), ...readdirSync(ROOT)];
const engine = files.filter((file) => /^(src|js)\//.test(file)).map(read).join('\n');
const documents = [
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...filesIn('docs/decisions').filter((file) => file.endsWith('.md')),
];

/** Text without its drawings; what stands between backticks in it. */
const prose = (file) => read(file).replace(/^ *```[\s\S]*?^ *```$/gm, '');
const spans = (file) => [...prose(file).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]);

function isFile(name) {
  if (GENERATED.test(name)) return true;
  if (name.includes('/')) return existsSync(path.join(ROOT, name));
  return files.some((file) => path.basename(file) === name);
}

const defines = (name) => new RegExp(`\\b${name}\\b`).test(engine);

/** @returns {string[]} parts of the span that the engine or the facade must know */
function namesIn(span) {
  const qualified = /^([A-Z]\w+)(?:::|\.)(\w+)$/.exec(span);
  if (qualified) return qualified.slice(1);
  return /^([a-z]+_\w+|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+)$/.test(span) ? [span] : [];
}

for (const document of documents) {
  test(`${document} names files and code that exist`, () => {
    const found = spans(document);
    const missing = found.filter((span) =>
      EXTENSION.test(span) && !/[ *]/.test(span)
        ? !isFile(span)
        : !namesIn(span).every(defines));
    assert.deepEqual(missing, []);
    for (const [, target] of prose(document).matchAll(/\]\(([^)#:]+)\)/g)) {
      const file = path.join(path.dirname(document), target);
      assert.ok(GENERATED.test(file) || existsSync(path.join(ROOT, file)), `link to ${target}`);
    }
  });
}

test('every invariant has guards, and quoted tests exist', () => {
  const text = prose('ARCHITECTURE.md');
  const invariants = text.split(/^(?=\*\*I\d+\. )/m).slice(1);
  assert.deepEqual(invariants.map((part) => /^\*\*(I\d+)/.exec(part)[1]),
    Array.from({ length: 10 }, (_, index) => `I${index + 1}`));
  for (const part of invariants) assert.match(part, /\*Guards:\*/);
  const quoted = [...text.matchAll(/`([\w-]+\.test\.mjs)`, "([^"]+)"/g)];
  assert.ok(quoted.length > 0, 'no quoted test was found');
  for (const [, file, title] of quoted) {
    assert.ok(read(`__test__/${file}`).includes(title), `${file}: ${title}`);
  }
});

test('the table of imports is the one that scripts/check-layers.sh enforces', () => {
  const leaves = 'slot node_addr resp';
  const script = read('scripts/check-layers.sh');
  const pure = /^pure="(.*)"$/m.exec(script)[1];
  const expand = (list) =>
    list.replace('$pure', pure).replace('$leaves', leaves).split(' ').filter(Boolean).sort();
  const table = /may_use=\(([\s\S]*?)^\)/m.exec(script)[1];
  const enforced = Object.fromEntries(
    [...table.matchAll(/\[(\w+)\]="([^"]*)"/g)].map(([, name, list]) => [name, expand(list)]));

  const section = read('ARCHITECTURE.md').split('## Who may import whom')[1].split('\n## ')[0];
  const told = Object.fromEntries(
    [...section.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, list]) => {
      const named = [...list.matchAll(/`(\w+)`/g)].map((match) => match[1]);
      return [name, expand([list.startsWith('leaves') ? leaves : '', ...named].join(' '))];
    }));
  assert.deepEqual(told, enforced);
});
