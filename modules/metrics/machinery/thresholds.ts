// Thresholds of saliency maps.

/** Thresholds of saliency are compared in single precision, as the originals do. */
const evenly = (from: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + i * 0.05);
/** A map is above the thresholds of Vandenhende's evaluation, and at least those of ATRC's. */
export const ABOVE = evenly(0.2, 15);
export const AT_LEAST = evenly(0.05, 19);
