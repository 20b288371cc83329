// Medians and percentiles.

/** @param {number[]} values @returns {number} NaN when there are none */
export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank).
 * @param {Float64Array} sorted ascending
 * @param {number} share in (0, 1]
 * @returns {number} NaN when there are none
 */
export function percentile(sorted, share) {
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
