// The Dice loss: one minus the overlap of predicted probabilities and labels, for each class over the whole batch, so
// that a small class counts as much as a large one.
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
  smooth: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1,
    description: 'Pixels added to overlap and sizes, so that classes with few pixels are not all or nothing.',
  },
});

@component({
  kind: 'loss',
  name: 'dice',
  summary: 'One minus the Dice coefficient, mean over the classes that occur in the batch.',
  source:
    'Milletari et al. 2016 (V-Net), Eq 3, with probabilities not squared; as in segmentation_models_pytorch',
  tasks: ['classes', 'binary', 'boundary'],
  options: schema,
  file: import.meta.url,
})
export class DiceLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    const flat = label.reshape([-1]);
    const known = tf.notEqual(flat, tf.scalar(IGNORE, flat.dtype)).cast('float32');
    const mask = known.expandDims(1);
    const logits = prediction.reshape([-1, prediction.shape[3]]) as tf.Tensor2D;
    const binary = kindOf(task).batch === 'values';
    const truth = (
      binary
        ? flat.cast('float32').expandDims(1)
        : tf.oneHot(flat.cast('int32').mul(known.cast('int32')) as tf.Tensor1D, logits.shape[1])
    )
      .cast('float32')
      .mul(mask);
    const probabilities = (binary ? logits.sigmoid() : tf.softmax(logits)).mul(mask);
    const { smooth } = this.options;
    const labelled = truth.sum(0);
    const overlap = probabilities.mul(truth).sum(0).mul(2).add(smooth);
    const errors = tf.sub(1, overlap.div(probabilities.sum(0).add(labelled).add(smooth)));
    // A binary task counts without positive pixels, too; a class without a label does not.
    const valid = known.sum() as tf.Scalar;
    const counts = binary ? tf.minimum(valid, 1).reshape([1]) : tf.minimum(labelled, 1);
    const value = errors
      .mul(counts)
      .sum()
      .div(tf.maximum(counts.sum(), tf.scalar(1))) as tf.Scalar;
    return { value, valid };
  }
}
