// Test-time augmentation: the network sees an image several times, mirrored and at several sizes, and what it predicts
// is turned back and averaged. All of it is part of the recorded program.
//
// Class probabilities are averaged; of other kinds the raw predictions, before they are decoded. What a flip or a size
// does to values (signs of normals, depth that seems nearer in a larger picture) is asked of the kind.
import { resizeBilinear } from '../../modules/nn/resize.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import * as tf from '../../registry/tf.js';
import type { TestTime } from '../model/views.js';

/** What strides of all backbones divide. */
const MULTIPLE = 32;

/**
 * @param forward the network's raw predictions for images of any size
 * @returns by task, the average at the size of the image: probabilities for classes, raw predictions otherwise
 */
export function averageOverViews(
  image: tf.Tensor4D,
  tasks: readonly Task[],
  forward: (view: tf.Tensor4D) => Record<string, tf.Tensor4D>,
  { flip, scales }: TestTime,
): Record<string, tf.Tensor4D> {
  const [, height, width] = image.shape;
  const found = new Map<string, tf.Tensor4D[]>(tasks.map(({ name }) => [name, []]));
  for (const scale of scales) {
    const size: [number, number] = [sizeAt(height, scale), sizeAt(width, scale)];
    const scaled = scale === 1 ? image : resizeBilinear(image, size);
    for (const mirrored of flip ? [false, true] : [false]) {
      const raw = forward(mirrored ? tf.reverse(scaled, 2) : scaled);
      for (const task of tasks) {
        const whole = resizeBilinear(raw[task.name], [height, width]);
        const back = mirrored ? tf.reverse(whole, 2) : whole;
        found.get(task.name)!.push(unmoved(back, task, mirrored, size[0] / height));
      }
    }
  }
  return Object.fromEntries(
    [...found].map(([name, views]) => [name, tf.addN(views).div<tf.Tensor4D>(views.length)]),
  );
}

/** A side of the input at a scale; the size that the network has anyway stays what it is. */
const sizeAt = (side: number, scale: number): number =>
  scale === 1 ? side : Math.max(1, Math.round((side * scale) / MULTIPLE)) * MULTIPLE;

/** What would have been predicted without flip and scale. */
function unmoved(raw: tf.Tensor4D, task: Task, flip: boolean, scale: number): tf.Tensor4D {
  const kind = kindOf(task);
  if (kind.batch === 'indices') return tf.softmax(raw);
  // How the kind moves one in each channel tells what predictions are multiplied by: `moved` is [channels, channels].
  const channels = raw.shape[3];
  const unit = Float32Array.from({ length: channels ** 2 }, (_, i) => Number(i % (channels + 1) === 0));
  const moved = kind.move?.(unit, { flip, degrees: 0, scale }, channels) ?? unit;
  if (moved.every((value, i) => value === unit[i])) return raw;
  const factors = Array.from({ length: channels }, (_, k) => moved[k * (channels + 1)]);
  if (moved.every((value, i) => value === 0 || i % (channels + 1) === 0)) return raw.div(tf.tensor(factors));
  // Channels that change places, such as left and right: mirrored a second time, they are where they were.
  const back = tf.tensor2d(Float32Array.from(moved), [channels, channels]);
  const size = (kind.move?.(moved, { flip, degrees: 0, scale }, channels) ?? moved)[0];
  return raw.reshape<tf.Tensor2D>([-1, channels]).matMul<tf.Tensor2D>(back).div(size).reshape(raw.shape);
}
