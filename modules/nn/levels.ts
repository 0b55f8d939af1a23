// Small helpers for pyramids and for doing the same for every task.
import * as tf from '../../registry/tf.js';
import { MtcpError, type FeatureMap, type Pyramid, type Task } from '../../registry/index.js';
import { resizeBilinear } from './resize.js';

/** Height and width of [batch, height, width, channels]. */
export const extentOf = (x: tf.Tensor4D): [number, number] => [x.shape[1], x.shape[2]];

/** All levels at the size of level `at`, one after the other: [batch, height, width, sum of the channels]. */
export function concatLevels(pyramid: Pyramid, at = 0): FeatureMap {
  const size = extentOf(pyramid[at].data);
  const parts = pyramid.map(({ data }) => resizeBilinear(data, size));
  return {
    data: parts.length === 1 ? parts[0] : (tf.concat(parts, 3) as tf.Tensor4D),
    stride: pyramid[at].stride,
  };
}

/**
 * Level `index` of a pyramid of [batch, height, width, channels], counted from the end if negative.
 * @throws MtcpError `component` in the name of `who` if there is none
 */
export function levelOf(pyramid: Pyramid, index: number, who: string): FeatureMap {
  const level = pyramid.at(index);
  if (!level)
    throw new MtcpError('component', `${who}: there is no level ${index}`, {
      hint: `the features have ${pyramid.length}`,
    });
  return level;
}

/** What `f` makes of each task, by the task's name. */
export function byTask<T>(tasks: readonly Task[], f: (name: string, task: Task) => T): Record<string, T> {
  return Object.fromEntries(tasks.map((task) => [task.name, f(task.name, task)]));
}
