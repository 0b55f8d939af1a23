// Predictions for images that are larger than what a network was trained on: overlapping windows of its size, predicted
// one by one and averaged where they overlap. Averages are of class probabilities, and of decoded values otherwise.
import { crop } from '../../modules/support/warp.js';
import type { MapData } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';

/** Where windows begin along a side: evenly, overlapping by at least half, the last one at the end. */
export function windowStarts(length: number, window: number): number[] {
  const most = length - window;
  if (most <= 0) return [0];
  const gaps = Math.ceil(most / Math.max(1, Math.floor(window / 2)));
  return Array.from({ length: gaps + 1 }, (_, i) => Math.round((i * most) / gaps));
}

/**
 * @param image at least as large as a window
 * @param window height and width
 * @param predict by task, what is predicted for a window: probabilities [H,W,classes] for classes, decoded values otherwise
 * @returns class indices, or values, at every pixel of the image
 */
export async function predictInWindows(
  image: MapData,
  [height, width]: readonly [number, number],
  tasks: readonly Task[],
  predict: (part: MapData) => Promise<Record<string, MapData>>,
): Promise<Record<string, MapData>> {
  const sums = new Map<string, { channels: number; data: Float32Array }>();
  const counts = new Float32Array(image.height * image.width);
  for (const top of windowStarts(image.height, height))
    for (const left of windowStarts(image.width, width)) {
      const found = await predict(crop(image, top, left, height, width));
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) counts[(top + y) * image.width + left + x]++;
      for (const { name } of tasks) {
        const { channels, data } = found[name];
        let sum = sums.get(name);
        if (!sum) sums.set(name, (sum = { channels, data: new Float32Array(counts.length * channels) }));
        for (let y = 0; y < height; y++) {
          const to = ((top + y) * image.width + left) * channels;
          const from = y * width * channels;
          for (let i = 0; i < width * channels; i++) sum.data[to + i] += data[from + i];
        }
      }
    }
  return Object.fromEntries(
    tasks.map((task) => {
      const { channels, data } = sums.get(task.name)!;
      const kind = kindOf(task);
      const { height: rows, width: columns } = image;
      if (kind.batch === 'indices')
        return [task.name, { height: rows, width: columns, channels: 1, data: largest(data, channels) }];
      for (let i = 0; i < data.length; i++) data[i] /= counts[Math.floor(i / channels)];
      return [task.name, { height: rows, width: columns, channels, data: kind.settle?.(data) ?? data }];
    }),
  );
}

/** The index of the largest of each pixel's numbers; of equals, the first. */
function largest(data: Float32Array, channels: number): Float32Array {
  const out = new Float32Array(data.length / channels);
  for (let i = 0; i < out.length; i++)
    for (let c = 1; c < channels; c++) if (data[i * channels + c] > data[i * channels + out[i]]) out[i] = c;
  return out;
}
