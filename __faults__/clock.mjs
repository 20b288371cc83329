// One clock for all processes of a run: the machine's monotonic clock, in milliseconds.

/** Not `performance.now()`: that counts from the start of each process. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
