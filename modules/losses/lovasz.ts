// The Lovász-softmax loss: a convex surrogate of one minus the intersection over union. For each class, errors (what is
// missing to the probability of 1, or too much above 0) are sorted from the largest to the smallest; an error counts by
// how much the Jaccard index of the class falls when its pixel is got wrong, too, after those before it.
//
// These steps of the Jaccard index are constants for the gradient. They are computed as 1/union for a pixel of the class
// and intersection/(union (union - 1)) for another one: a difference of two indices would lose all its digits among
// 100,000 pixels. Among equal errors the pixel that comes first in the batch counts first.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  kindOf,
  type Loss,
  type LossValue,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';

const schema = defineOptions({
  classes: {
    enum: ['present', 'all'],
    default: 'present',
    description:
      'The mean is over the classes that occur in the batch, or over all of them: an absent class then counts by its largest wrong probability.',
  },
});

@component({
  kind: 'loss',
  name: 'lovasz',
  summary: 'Lovász-softmax: a surrogate of the mean IoU over the batch; Lovász-sigmoid for binary tasks.',
  source: 'Berman et al. 2018 (The Lovász-Softmax loss), Eq 8 to 12, over the batch',
  tasks: ['classes', 'binary', 'boundary'],
  options: schema,
  file: import.meta.url,
})
export class LovaszLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    const flat = label.reshape([-1]);
    const known = tf.notEqual(flat, tf.scalar(IGNORE, flat.dtype)).cast('float32') as tf.Tensor1D;
    const logits = prediction.reshape([-1, prediction.shape[3]]) as tf.Tensor2D;
    const isBinary = kindOf(task).batch === 'values';
    const truth = isBinary
      ? flat.cast('float32').mul<tf.Tensor1D>(known).expandDims<tf.Tensor2D>(0)
      : (tf
          .oneHot(flat.cast('int32').mul(known.cast('int32')) as tf.Tensor1D, logits.shape[1])
          .cast('float32')
          .transpose()
          .mul(known) as tf.Tensor2D);
    const probabilities = (isBinary ? logits.sigmoid() : tf.softmax(logits)).transpose();
    const errors = truth.sub(probabilities).abs().mul<tf.Tensor2D>(known);
    // Positions in an order have no gradient.
    const constant = tf.customGrad((sizes) => ({
      value: jaccardSteps(sizes as tf.Tensor2D, truth, known),
      gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
    }));
    const steps = constant(errors);
    const losses = errors.mul(steps).sum(1);

    const valid = known.sum() as tf.Scalar;
    const some = tf.minimum(valid, 1);
    // A binary task counts without positive pixels, too.
    const counts =
      isBinary || this.options.classes === 'all'
        ? tf.onesLike(losses).mul(some)
        : tf.minimum(truth.sum(1), 1);
    const value = losses
      .mul(counts)
      .sum()
      .div(tf.maximum(counts.sum(), tf.scalar(1))) as tf.Scalar;
    return { value, valid };
  }
}

/**
 * By how much one minus the Jaccard index of each class grows with each pixel, pixels being taken by falling error.
 * @param errors [classes, pixels]
 * @param truth 1 where a pixel is of the class, 0 elsewhere; same shape
 * @param known 1 where a pixel counts, 0 elsewhere, [pixels]; those come last, and theirs are of no use
 */
function jaccardSteps(errors: tf.Tensor2D, truth: tf.Tensor2D, known: tf.Tensor1D): tf.Tensor2D {
  const [classes, pixels] = errors.shape;
  const starts = tf.range(0, classes * pixels, pixels, 'int32').expandDims(1);
  const pick = (x: tf.Tensor, at: tf.Tensor) => tf.gather(x.reshape([-1]), at.add(starts).cast('int32'));
  // Errors are never negative; -1 is below them all.
  const { indices: order } = tf.topk(errors.add(known).sub(1), pixels);
  const isTrue = pick(truth, order);
  const positives = truth.sum(1, true);
  const intersection = positives.sub(isTrue.cumsum(1));
  const union = positives.add(tf.sub(1, isTrue).cumsum(1));
  const falseStep = intersection.div(union.mul(tf.maximum(union.sub(1), tf.scalar(1))));
  const steps = tf.where(tf.greater(isTrue, 0.5), tf.div(1, union), falseStep);
  // The first of an absent class takes its index from 1 to 0 at once.
  const whole = tf.where(tf.lessEqual(union, 1), tf.onesLike(steps), steps);
  const { indices: rank } = tf.topk(order.cast('float32').neg(), pixels);
  return pick(whole, rank) as tf.Tensor2D;
}
