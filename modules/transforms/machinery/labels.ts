// A label through a pipeline, by the rules of its kind: taken from where it was (`gather`), its values moved with the
// picture, settled after interpolation, unknown pixels marked. All of it happens in one array, which may be a part of a
// batch.
import { kindOf, type LabelMap, type MapData, type Motion, type Sample } from '../../../registry/index.js';
import { fillOutside, gather, type Size } from '../../support/raster/nearest.js';
import { markMap } from './ignore.js';

/** The array for a result of so many numbers: that of `into`, which the caller reserved, or a new one. */
export function imageData(into: Sample | undefined, length: number): Float32Array {
  const data = into?.image.data;
  return data instanceof Float32Array && data.length === length ? data : new Float32Array(length);
}

export const floatsOf = (into: MapData | undefined): Float32Array | undefined =>
  into?.data instanceof Float32Array ? into.data : undefined;

/**
 * A label taken from the pixels that `indices` says.
 * @param outside what comes from outside
 * @param into where the result goes if it fits
 */
export function takeLabel(
  name: string,
  label: LabelMap,
  indices: Int32Array,
  { height, width }: Size,
  { motion, settled, outside, into }: { motion?: Motion; settled: boolean; outside: number; into?: LabelMap },
): LabelMap {
  const { channels } = label;
  const kind = kindOf(label);
  const length = height * width * channels;
  let data =
    into?.data.length === length
      ? into.data
      : emptyFor(label, length, !!(kind.move ?? kind.settle ?? kind.mark));
  gather(label, indices, outside, data);
  if (kind.move && motion) {
    data = kind.move(data, motion, label.channels, data);
    fillOutside(indices, channels, outside, data);
  }
  if (kind.settle && settled) data = kind.settle(data, data);
  return markMap(name, { ...label, height, width, data }, data);
}

/** What is computed on is float32. */
function emptyFor({ data }: LabelMap, length: number, computed: boolean): MapData['data'] {
  const Values = computed ? Float32Array : (data.constructor as new (length: number) => MapData['data']);
  return new Values(length);
}
