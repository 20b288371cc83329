// Where and with what a run was made: figures without it cannot be compared.
import os from 'node:os';

/** @returns {Record<string, string | number>} */
export function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    // Work of others on the machine at the start of the run lowers every figure.
    loadAtStart: Number(os.loadavg()[0].toFixed(2)),
  };
}
