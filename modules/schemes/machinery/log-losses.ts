// What schemes on logarithms of losses share. A task without a valid pixel has loss 0: its logarithm is a large
// negative number without a gradient, so it is masked wherever tasks are compared or counted.
import * as tf from '../../../registry/tf.js';
import type { PerTask, TaskLoss } from '../../../registry/index.js';

/** Keeps the logarithm of a loss of 0 finite. */
export const TINY = 1e-20;

/** log L; NaN for negative losses, of which there is no logarithm. */
export const logLoss = (loss: tf.Scalar): tf.Scalar => loss.add<tf.Scalar>(TINY).log();

/** How many tasks have a valid pixel; at least 1. */
export const countPresent = (losses: PerTask<TaskLoss>): tf.Scalar =>
  tf.maximum(tf.addN(Object.values(losses).map(({ present }) => present)), 1);

/** log sum exp of the values of the tasks that are there, computed without overflow; with the shift it used. */
export function logSumExp(values: PerTask<tf.Scalar>, losses: PerTask<TaskLoss>): tf.Scalar {
  const present = Object.values(losses).map((loss) => loss.present);
  const all = tf.stack(
    Object.values(values).map((value, i) => value.mul(present[i]).add(absence(present[i]))),
  );
  return tf.logSumExp(all) as tf.Scalar;
}

/** 0 for a task that is there, far below everything for one that is not. */
const absence = (present: tf.Scalar): tf.Scalar => present.sub<tf.Scalar>(1).mul(1e9);
