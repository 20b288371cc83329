// What the servers give to a C program that only writes and reads: redis-benchmark, with as many
// commands in flight as the workloads have. No Node client can pass it on the same machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** 50 connections; the pipeline depth makes the commands in flight. */
const SHAPES = [
  { title: '50 in flight', pipeline: 1, requests: 100_000 },
  { title: '1000 in flight', pipeline: 20, requests: 1_000_000 },
];
const TIMEOUT_MS = 120_000;

/** @returns {Promise<{ rows?: { title: string, get: number, set: number }[], skipped?: string }>} ops/s */
export async function ceiling({ host, port }) {
  const rows = [];
  for (const { title, pipeline, requests } of SHAPES) {
    const args = [
      '-h',
      host,
      '-p',
      port,
      '--cluster',
      '-t',
      'get,set',
      '-d',
      64,
      '-r',
      32768,
      '-n',
      requests,
      '-c',
      50,
      '-P',
      pipeline,
      '--csv',
    ].map(String);
    try {
      const { stdout } = await run('redis-benchmark', args, { timeout: TIMEOUT_MS });
      rows.push({ title, get: throughput(stdout, 'GET'), set: throughput(stdout, 'SET') });
    } catch (error) {
      return {
        skipped: error.code === 'ENOENT' ? 'redis-benchmark is not on the PATH' : error.message,
      };
    }
  }
  return { rows };
}

/** The second column of the line that starts with the test's name. */
function throughput(csv, test) {
  const figure = csv.match(new RegExp(`^"${test}","([0-9.]+)"`, 'm'));
  if (!figure) throw new Error(`redis-benchmark printed no line for ${test}:\n${csv}`);
  return Number(figure[1]);
}
