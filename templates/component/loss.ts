// my-block: a loss for depth. Here the squared error over the pixels that have a label.
import * as tf from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  IGNORE,
  options,
  type Loss,
  type LossValue,
  type OptionsOf,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  scale: { type: 'number', exclusiveMinimum: 0, default: 1, description: 'Factor on the loss.' },
});

@component({
  kind: 'loss',
  name: 'my-block',
  summary: 'Mean squared depth error over the labelled pixels, in square metres.',
  tasks: ['depth'],
  options: schema,
})
export class MyBlock implements Loss {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /**
   * @param prediction [batch, height, width, 1], metres
   * @param label the same shape; IGNORE where nothing is known
   */
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const known = tf.less(label, IGNORE).cast('float32');
    const valid = known.sum() as tf.Scalar;
    const squares = prediction.sub(label).square().mul(known).sum() as tf.Scalar;
    // Without a valid pixel the loss is 0, not 0 / 0.
    return { value: squares.div(tf.maximum(valid, 1)).mul(this.options.scale), valid };
  }
}
