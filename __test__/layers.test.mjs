// scripts/check-layers.sh must accept a sound tree and fire for each rule that is broken.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../scripts/check-layers.sh', import.meta.url));

const SOUND = {
  'src/lib.rs': '//! Uses napi:: only in words.\nmod slot;\n',
  'src/slot.rs': 'use std::fmt;\n// crate::cluster is far above\n',
  'src/node_addr.rs': 'fn host() -> &\'static str { "redis://h" }\n',
  'src/routing/mod.rs': 'mod route;\nuse crate::topology::Topology;\nuse crate::slot::Slot;\n',
  'src/routing/route.rs': 'use super::verdict::Verdict;\nuse std::time::Instant;\n',
  'src/connection/mod.rs': 'mod config;\nuse tokio::net::TcpStream;\nuse crate::resp::Scanner;\n',
  'src/connection/config.rs': 'pub struct Config;\n',
  'src/connection/task.rs': 'use super::config::Config;\nuse std::time::Instant;\n',
  'src/error.rs': 'use crate::connection::CloseReason;\nuse crate::config::ConfigError;\n',
  'src/cluster/mod.rs': 'use crate::routing::route;\nuse crate::error::Error;\n',
  'src/binding/mod.rs': 'use napi::Env;\nuse crate::cluster::Cluster;\n',
  'js/index.js':
    "const { RedisCluster } = require('./cluster');\nconst c = require('./commands.js');\n",
  'js/cluster.js':
    "const native = require('../native');\nconst { Channel } = require('./channel');\n",
  'js/channel.js': "const native = require('../native');\n",
  'js/commands.js': "const c = require('@redis/client/dist/lib/commands');\n",
  'js/options.js': "/** @param {import('@redis/client/dist/lib/RESP/types').Command} c */\n",
};

const BROKEN = [
  [
    'an upward import',
    { 'src/routing/route.rs': 'fn f() {}\nuse crate::cluster::Cluster;\n' },
    'src/routing/route.rs:2: `routing` may not use `crate::cluster`',
  ],
  [
    'a leaf that uses a leaf',
    { 'src/slot.rs': 'use crate::resp::Frame;\n' },
    'src/slot.rs:1: `slot` may not use `crate::resp`',
  ],
  [
    'a connection that knows slots of the map',
    { 'src/connection/task.rs': 'let t: crate::topology::Topology;\n' },
    'src/connection/task.rs:1: `connection` may not use `crate::topology`',
  ],
  [
    'a border that reaches around the engine',
    { 'src/binding/mod.rs': 'use crate::connection::Handle;\n' },
    'src/binding/mod.rs:1: `binding` may not use `crate::connection`',
  ],
  [
    'a way around with super',
    { 'src/topology/mod.rs': 'use super::cluster::Cluster;\n' },
    'src/topology/mod.rs:1: write `crate::cluster` instead of `super::cluster`',
  ],
  [
    'a grouped import',
    { 'src/cluster/mod.rs': 'use crate::{slot::Slot, resp::Frame};\n' },
    'src/cluster/mod.rs:1: write `use crate::module::..` in full',
  ],
  [
    'an unknown module',
    { 'src/utils/mod.rs': 'fn f() {}\n' },
    'src/utils/mod.rs: module `utils` has no line in the table',
  ],
  [
    'a runtime in a pure module',
    { 'src/resp/mod.rs': 'use tokio::io::AsyncRead;\n' },
    'src/resp/mod.rs:1: `resp` is pure and may not use `tokio::`',
  ],
  [
    'a clock in a pure module',
    { 'src/routing/route.rs': 'let now = std::time::Instant::now();\n' },
    '`routing` is pure and may not use `Instant::now`',
  ],
  [
    'the calendar in a pure module',
    { 'src/pubsub/mod.rs': 'use std::time::SystemTime;\n' },
    '`pubsub` is pure and may not use `SystemTime`',
  ],
  [
    'chance in a pure module',
    { 'src/topology/mod.rs': 'let n: u8 = rand::random();\n' },
    '`topology` is pure and may not use `rand::`',
  ],
  [
    'a socket in a pure module',
    { 'src/command/mod.rs': 'use std::net::TcpStream;\n' },
    '`command` is pure and may not use `TcpStream`',
  ],
  [
    'napi in the engine',
    { 'src/cluster/mod.rs': '#[napi]\npub struct C;\n' },
    'src/cluster/mod.rs:1: only `binding` may name napi',
  ],
  [
    'the addon loaded elsewhere',
    { 'js/options.js': "const n = require('../native.js');\n" },
    'js/options.js:1: only js/{channel,cluster,node-client,native-addon}.js may load the addon',
  ],
  [
    'definitions taken elsewhere',
    { 'js/cluster.js': "require('@redis/json/dist/lib/commands');\n" },
    'js/cluster.js:1: only js/{commands,errors,definitions,command-index}.js may reach into',
  ],
  [
    'a circle of two files',
    { 'js/commands.js': "require('./index');\n" },
    'circle: js/commands.js -> js/index.js -> js/commands.js',
  ],
  [
    'a circle inside a folder',
    { 'js/a/index.js': "require('./b.js');\n", 'js/a/b.js': "require('../a');\n" },
    'circle: js/a/b.js -> js/a/index.js -> js/a/b.js',
  ],
  ['no source at all', { 'src/lib.rs': undefined }, 'src/lib.rs is missing'],
];

function check(files) {
  const root = mkdtempSync(path.join(tmpdir(), 'layers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      if (text === undefined) continue;
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    return spawnSync('bash', [SCRIPT, root], { encoding: 'utf8' });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test('a sound tree passes', () => {
  const { status, stdout, stderr } = check(SOUND);
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
});

for (const [name, change, expected] of BROKEN) {
  test(`reported: ${name}`, () => {
    const { status, stdout, stderr } = check({ ...SOUND, ...change });
    assert.equal(stderr, '');
    assert.equal(status, 1, stdout);
    assert.ok(stdout.includes(expected), `expected "${expected}" in:\n${stdout}`);
    assert.match(stdout, /^1 layer rule/m, 'nothing else may be reported');
  });
}
