// The type tests in types/: each must compile with TypeScript, under both module resolutions.
//
// Every run also compiles a program that is wrong, and is believed only if that one is reported.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = fileURLToPath(new URL('./types', import.meta.url));
const compiler = join(folder, 'compile.mjs');
const ours = "from 'redis-cluster-native'";

/** Compiled against `redis` as well: what holds for one package must hold for the other. */
const shared = ['program.test-d.ts', 'commands.test-d.ts', 'mistakes.test-d.ts'];

/** Wrong in four ways; each line ends with the code that TypeScript must report for it. */
const wrong = `import { createCluster } ${ours};
import { exactly } from './assert-types.js';
const cluster = createCluster({ rootNodes: [], nonsense: true }); // TS2353
export const value: Promise<string> = cluster.get('key'); // TS2322
cluster.incr('key').then((reply) => exactly<string>()(reply)); // TS2554
// @ts-expect-error nothing is wrong here: TS2578
cluster.redirects();
`;

/** Ways to import the package that exist only where default imports of CommonJS do. */
const defaultImport = `import redis ${ours};
export const cluster = redis.createCluster({ rootNodes: [] });
`;
const requireImport = `import redis = require('redis-cluster-native');
export const cluster = redis.createCluster({ rootNodes: [] });
`;

function sources() {
  const names = readdirSync(folder).filter((name) => name.endsWith('.test-d.ts'));
  const files = names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const copies = files
    .filter(([name]) => shared.includes(name))
    .map(([name, text]) => [`redis-${name}`, text.replace(ours, "from 'redis'")]);
  assert.equal(copies.length, shared.length, 'a shared type test is missing');
  for (const [name, text] of copies) assert.ok(!text.includes(ours), `${name} still imports ours`);
  return Object.fromEntries([...files, ...copies]);
}

function expectedMistakes() {
  return wrong
    .split('\n')
    .flatMap((line, index) => (line.match(/TS\d+$/) ?? []).map((code) => `${index + 1} ${code}`));
}

async function compile(request) {
  const files = { ...sources(), ...request.files, 'wrong.ts': wrong };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--max-old-space-size=4096', compiler, JSON.stringify({ ...request, files })],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { diagnostics, checked } = JSON.parse(stdout);
  for (const name of Object.keys(files)) {
    assert.ok(checked.includes(join(folder, name)), `${name} was not compiled`);
  }
  return {
    mistakes: diagnostics.filter(({ file }) => file === 'wrong.ts'),
    unexpected: diagnostics.filter(({ file }) => file !== 'wrong.ts'),
  };
}

const runs = [
  {
    title: 'node16, without esModuleInterop, from CommonJS and from an ES module',
    module: 'node16',
    esModuleInterop: false,
    files: { 'default.mts': defaultImport, 'require.cts': requireImport },
  },
  {
    title: 'bundler, with esModuleInterop',
    module: 'bundler',
    esModuleInterop: true,
    files: { 'default.ts': defaultImport },
  },
];

for (const { title, ...request } of runs) {
  test(`typed programs compile: ${title}`, async () => {
    const { mistakes, unexpected } = await compile(request);
    const report = unexpected.map(
      ({ file, line, code, text }) => `${file}:${line} ${code} ${text}`,
    );
    assert.equal(report.length, 0, `\n${report.join('\n\n')}\n`);
    assert.deepEqual(
      mistakes.map(({ line, code }) => `${line} ${code}`),
      expectedMistakes(),
      'the program that is wrong was not reported as expected, so this run proves nothing',
    );
  });
}
