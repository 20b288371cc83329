// Builds the addon (native.js, native.d.ts, the .node file) unless it is newer than its sources.
// Usage: node scripts/build.mjs [--profile profiling]

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { modifiedAt } from './setup.mjs';
import { main, ROOT, step } from './steps.mjs';

const SOURCES = [
  'src',
  'build.rs',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'package.json',
];
/** Says which profile the .node file was built with: a fresh one of another profile will not do. */
const STAMP = path.join(ROOT, 'target', 'addon-profile');

function newestSource() {
  const files = SOURCES.flatMap((name) => {
    if (name !== 'src') return [name];
    return readdirSync(path.join(ROOT, name), { recursive: true }).map((file) => `${name}/${file}`);
  });
  return Math.max(...files.map((file) => modifiedAt(path.join(ROOT, file))));
}

function oldestProduct() {
  const addons = readdirSync(ROOT).filter((name) => name.endsWith('.node'));
  if (addons.length === 0) return 0;
  const products = [...addons, 'native.js', 'native.d.ts'];
  return Math.min(...products.map((file) => modifiedAt(path.join(ROOT, file))));
}

function builtProfile() {
  return modifiedAt(STAMP) === 0 ? undefined : readFileSync(STAMP, 'utf8');
}

/** @param {string} [profile] a profile of Cargo.toml */
export async function buildAddon(profile = 'release') {
  if (builtProfile() === profile && oldestProduct() > newestSource()) {
    console.log(`\n== addon: newer than its sources (profile ${profile}), nothing to build`);
    return;
  }
  const optimized = profile === 'release' ? ['--release'] : ['--profile', profile];
  const outputs = ['--js', 'native.js', '--dts', 'native.d.ts'];
  await step('addon', ['npx', 'napi', 'build', '--platform', ...optimized, ...outputs], {
    next: 'read the compiler messages above; `cargo check` repeats them faster',
  });
  mkdirSync(path.dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, profile);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { values } = parseArgs({ options: { profile: { type: 'string' } } });
    await buildAddon(values.profile);
  });
}
