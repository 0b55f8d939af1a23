// Losses that cut what a task measures into classes, so that regions of it can be told apart: auxiliary predictions learn
// from them (ATRC); no head reads a task from them.
import type * as tf from '../../../registry/tf.js';
import { Configured, type Loss, type LossValue } from '../../../registry/index.js';
import { crossEntropy } from '../../nn/ops/cross-entropy.js';
import { averageOverValid } from './average.js';

/** Cross entropy over `channels()` classes, mean over the pixels whose label is known. */
export abstract class ClassifiedLoss<O> extends Configured<O> implements Loss {
  /** How many classes there are. */
  abstract channels(): number;

  /**
   * @param label [batch, height, width, channels of the label]; IGNORE where nothing is known
   * @returns for each pixel its class, int32, and 1 where it is known, else 0
   */
  protected abstract classify(label: tf.Tensor): { classes: tf.Tensor1D; known: tf.Tensor };

  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const { classes, known } = this.classify(label);
    return averageOverValid(crossEntropy(prediction.reshape([-1, this.channels()]), classes), known);
  }
}
