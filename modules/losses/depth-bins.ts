// Depth as a class: which of a number of bins, evenly spaced in the logarithm, a pixel falls into. Supervises
// auxiliary predictions whose regions are to be told apart (ATRC); no head reads depth from it.
import * as tf from '../../registry/tf.js';
import { component, defineOptions, IGNORE, type OptionsOf } from '../../registry/index.js';
import { ClassifiedLoss } from './machinery/classified.js';

const schema = defineOptions({
  bins: { type: 'integer', minimum: 2, default: 40, description: 'Number of bins.' },
  nearest: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.7,
    description: 'Metres at which the first bin begins; it takes what is nearer, too.',
  },
  farthest: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 10,
    description: 'Metres at which the last bin ends; it takes what is farther, too.',
  },
});

@component({
  kind: 'loss',
  name: 'depth_bins',
  summary: 'Cross entropy over logarithmic bins of depth, mean over the labelled pixels.',
  source: 'Bruggemann et al. 2021 (ATRC); brdav/atrc src/model/criterion.py, BinningCrossEntropyLoss',
  tasks: [],
  options: schema,
  file: import.meta.url,
})
export class DepthBinsLoss extends ClassifiedLoss<OptionsOf<typeof schema>> {
  channels(): number {
    return this.options.bins;
  }

  /** label: metres or IGNORE, float32 [B,H,W,1] */
  protected classify(label: tf.Tensor) {
    const { bins, nearest, farthest } = this.options;
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const known = tf.notEqual(flat, tf.scalar(IGNORE)).cast('float32');
    const position = tf
      .maximum(flat, nearest)
      .div(nearest)
      .log()
      .mul(bins / Math.log(farthest / nearest));
    const bin = tf
      .minimum(position.floor(), bins - 1)
      .mul(known)
      .cast('int32') as tf.Tensor1D;
    return { classes: bin, known };
  }
}
