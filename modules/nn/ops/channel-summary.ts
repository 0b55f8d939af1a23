// The largest and the mean channel of every place, side by side: what CBAM's spatial gate looks at.
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp<{ x: tf.Tensor4D }>(['x'], {
  name: 'mtcp.ChannelSummary',
  keep: [true],
  composite: ({ x }) => tf.concat([x.max(3, true), x.mean(3, true)], 3),
  // One pass over the map: each channel gets its share of the mean, the largest one the rest as well.
  gradient: ([dy], { x }, [summary]) => ({
    x: () => {
      const [dMaximum, dMean] = tf.split(dy as tf.Tensor4D, 2, 3);
      const [maximum] = tf.split(summary as tf.Tensor4D, 2, 3);
      const largest = tf.equal(x, maximum).cast('float32');
      return largest.mul(dMaximum).add(dMean.mul(1 / x.shape[3]));
    },
  }),
});

/**
 * @param x [batch, height, width, channels]
 * @returns [batch, height, width, 2]: maximum and mean over channels
 */
export function channelSummary(x: tf.Tensor4D): tf.Tensor4D {
  return op({ x })[0] as tf.Tensor4D;
}
