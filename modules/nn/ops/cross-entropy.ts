// Cross entropy of each row of logits against its class.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.CrossEntropy, {
  keep: ['logProbabilities'],
  composite({ logits, labels }) {
    const logProbabilities = tf.logSoftmax(logits);
    const picked = logProbabilities.mul(tf.oneHot(labels, logits.shape[1])).sum(1);
    return [picked.neg(), logProbabilities];
  },
  gradient: ([dy], { labels }, { logProbabilities }) => ({
    logits: () =>
      gradientOp({
        dy: dy as tf.Tensor1D,
        logProbabilities: logProbabilities as tf.Tensor2D,
        labels,
      })[0],
  }),
});

/** dy (softmax - onehot), row by row. */
const gradientOp = defineOp(OPERATIONS.CrossEntropyGradient, {
  composite: ({ dy, logProbabilities, labels }) =>
    logProbabilities.exp().sub(tf.oneHot(labels, logProbabilities.shape[1])).mul(dy.expandDims(1)),
  gradient: () => ({}),
});

/**
 * @param logits [n, classes]
 * @param labels int32 [n], each in [0, classes)
 * @returns -log softmax(logits)[label] of each row, [n]
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  return op({ logits, labels })[0] as tf.Tensor1D;
}
