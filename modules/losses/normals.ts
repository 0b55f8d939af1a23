// Distance between predicted and true surface normals.
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
    enum: ['l1', 'mse', 'cosine'],
    default: 'l1',
    description:
      'Absolute or squared difference of the components, or one minus the cosine of the angle, per pixel. The released MT-CP code has mse.',
  },
  normalize: {
    type: 'boolean',
    default: true,
    description: 'Make predictions unit vectors first. The released MT-CP code does not.',
  },
  per: {
    enum: ['element', 'pixel'],
    default: 'element',
    description:
      "Divide by the number of valid vector components (as in Vandenhende's code) or of valid pixels (as in ATRC and InvPT; three times larger). A cosine is one per pixel.",
  },
});

@component({
  kind: 'loss',
  name: 'normals',
  summary: 'L1, squared or cosine distance of normals, predictions normalised to unit length.',
  source: 'MT-CP section 4.2, "L1 loss with normalisation"',
  tasks: ['normals'],
  options: schema,
  file: import.meta.url,
})
export class NormalsLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const { distance, normalize, per } = this.options;
    const [vectors, truth] = [components(prediction), components(label)];
    if (distance === 'cosine') {
      const known = tf.notEqual(truth, tf.scalar(IGNORE)).cast('float32').min(0);
      return averageOverValid(tf.sub(1, unit(vectors).mul(truth).sum(0)), known);
    }
    const difference = (normalize ? unit(vectors) : vectors).sub(truth);
    const mask = tf.notEqual(truth, tf.scalar(IGNORE)).cast('float32');
    const { value, valid } = averageOverValid(
      distance === 'l1' ? difference.abs() : difference.square(),
      mask,
    );
    const channels = prediction.shape[3];
    return { value: per === 'pixel' ? value.mul(channels) : value, valid: valid.div(channels) };
  }
}

/** [channels, pixels]: arithmetic between a vector's length and its components runs along the pixels. */
function components(x: tf.Tensor): tf.Tensor2D {
  return x.reshape([-1, x.shape[x.rank - 1]]).transpose() as tf.Tensor2D;
}

/** p / (|p| + 1e-12); the bound under the root keeps the gradient finite at 0. */
function unit(p: tf.Tensor2D): tf.Tensor2D {
  const squared = p.square().sum(0, true);
  const norm = tf.sqrt(tf.maximum(squared, tf.fill(squared.shape, 1e-24)));
  return p.div(norm.add(1e-12));
}
