// Weights of classes by how often they occur in the training split, an option of losses over classes. The counts come with
// the task (`Task.counts`).
import * as tf from '../../../registry/tf.js';
import type { ClassCounts, Task } from '../../../registry/index.js';

/** The option `class_weights`. */
export const classWeightsProperty = {
  enum: ['equal', 'median_frequency', 'inverse_log'],
  default: 'equal',
  description:
    'What pixels weigh by their class, from the training split: all the same; the median frequency of the classes over that of the class, a frequency being its share of the labelled pixels of the images that have it; or 1 / ln(1.02 + its share of all labelled pixels). A class without a pixel weighs 1.',
} as const;

type Rule = (typeof classWeightsProperty.enum)[number];

/**
 * @returns a weight for each class; undefined for `equal`
 * @throws Error if the task has no counts
 */
export function classWeights(rule: Rule, { name, counts }: Task): readonly number[] | undefined {
  if (rule === 'equal') return undefined;
  if (!counts) throw new Error(`the classes of ${name} have not been counted`);
  return rule === 'median_frequency' ? medianFrequency(counts) : inverseLog(counts);
}

/** Of each pixel, by the class of its label; undefined if all weigh the same. */
export function pixelWeights(rule: Rule, task: Task, classes: tf.Tensor1D): tf.Tensor1D | undefined {
  const weights = classWeights(rule, task);
  return weights && tf.gather(tf.tensor1d([...weights], 'float32'), classes);
}

/** Eigen and Fergus 2015. */
function medianFrequency({ pixels, inImages }: ClassCounts): number[] {
  const frequencies = pixels.map((count, c) => count / inImages[c]);
  const found = frequencies.filter((_, c) => pixels[c] > 0).sort((a, b) => a - b);
  const middle = (found.length - 1) / 2;
  const median = (found[Math.floor(middle)] + found[Math.ceil(middle)]) / 2;
  return frequencies.map((frequency, c) => (pixels[c] > 0 ? median / frequency : 1));
}

/** Paszke et al. 2016 (ENet). */
function inverseLog({ pixels }: ClassCounts): number[] {
  const all = pixels.reduce((a, b) => a + b, 0);
  return pixels.map((count) => (count > 0 ? 1 / Math.log(1.02 + count / all) : 1));
}
