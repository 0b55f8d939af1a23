// Distance of predicted values to their labels, for tasks that are plain values.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type Loss,
  type LossValue,
  type OptionsOf,
} from '../../registry/index.js';
import { averageOverValid } from './machinery/average.js';

const schema = defineOptions({
  distance: {
    enum: ['l1', 'mse'],
    default: 'l1',
    description: 'Absolute or squared difference.',
  },
});

@component({
  kind: 'loss',
  name: 'regression',
  summary: 'Mean absolute or squared difference over the values of labelled pixels.',
  options: schema,
  file: import.meta.url,
})
export class RegressionLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  /** label: values, or IGNORE in all channels, float32 [B,H,W,channels] */
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const known = tf.notEqual(label, tf.scalar(IGNORE)).cast('float32');
    const difference = prediction.sub(label);
    const errors = this.options.distance === 'l1' ? difference.abs() : difference.square();
    const { value, valid } = averageOverValid(errors, known);
    return { value, valid: valid.div(prediction.shape[3]) };
  }
}
