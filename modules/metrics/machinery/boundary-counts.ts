// What odsF counts in one image: predicted and paired boundary pixels at each threshold, and labelled ones.
import { IGNORE, type MapData } from '../../../registry/index.js';
import { outline } from '../../support/outline.js';
import { thin } from '../../support/thin.js';
import { countPairs, pointsOf } from './matching.js';
import { suppress } from './suppression.js';

export interface Counts {
  /** Pairs, for each threshold. */
  paired: Float64Array;
  /** Predicted boundary pixels. */
  predicted: Float64Array;
  labelled: number;
}

/** Both maps are [height, width]. */
export interface BoundaryImage {
  readonly height: number;
  readonly width: number;
  /** Probabilities. */
  readonly prediction: MapData['data'];
  readonly label: MapData['data'];
}

/** How images are counted: what the options of odsF say. */
export interface Counting {
  readonly thresholds: readonly number[];
  readonly max_distance: number;
  readonly suppress: boolean;
  readonly outline: boolean;
}

export function countBoundaries(
  { height, width, prediction, label }: BoundaryImage,
  { thresholds, ...how }: Counting,
): Counts {
  const known = (values: ArrayLike<number>) =>
    Float32Array.from(values, (value, p) => (label[p] === IGNORE ? 0 : value));
  const truth = Uint8Array.from(label, (value) => Number(value > 0 && value !== IGNORE));
  const lines = thin(how.outline ? outline(truth, height, width) : truth, height, width);
  const labels = pointsOf(lines, height, width);
  const edges = known(prediction);
  const thinnest = how.suppress ? suppress(edges, height, width) : edges;
  const reach = how.max_distance * Math.sqrt(height * height + width * width);
  const counts: Counts = {
    paired: new Float64Array(thresholds.length),
    predicted: new Float64Array(thresholds.length),
    labelled: labels.count,
  };
  let before = -1;
  for (const [t, threshold] of thresholds.entries()) {
    let above = 0;
    for (let p = 0; p < thinnest.length; p++) if (thinnest[p] > threshold) above++;
    // With as many pixels it is the same mask as at the last threshold.
    if (above === before) {
      counts.paired[t] = counts.paired[t - 1];
      counts.predicted[t] = counts.predicted[t - 1];
      continue;
    }
    before = above;
    const mask = Uint8Array.from(thinnest, (value) => Number(value > threshold));
    const predicted = pointsOf(thin(mask, height, width), height, width);
    counts.predicted[t] = predicted.count;
    counts.paired[t] = countPairs(predicted, labels, reach);
  }
  return counts;
}
