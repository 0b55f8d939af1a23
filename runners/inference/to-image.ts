// A prediction from the network's size to the picture's.
import { cropCentre, resize } from '../../modules/support/warp.js';
import type { MapData, Transform } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';

/** @param map of class indices or decoded values, as large as the network's input */
export function toImage(
  map: MapData,
  { height, width }: Pick<MapData, 'height' | 'width'>,
  task: Task,
  fit: Transform['fit'],
): MapData {
  if (fit === 'pad') return cropCentre(map, height, width);
  const { resampling, settle } = kindOf(task);
  const resized = resize(map, height, width, resampling);
  return settle ? { ...resized, data: settle(resized.data) } : resized;
}
