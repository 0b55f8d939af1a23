// Binary values with gradients: signs going forward, straight-through estimates going back.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

/** 1 where x >= 0, -1 elsewhere. */
const signOf = (x: tf.Tensor): tf.Tensor => tf.where(x.less(0), -1, 1);

const activation = defineOp(OPERATIONS.BinaryActivation, {
  composite: ({ x }) => signOf(x),
  // Of the piecewise quadratic that approximates the sign (Liu et al. 2018, Bi-Real Net): 2 - 2|x| where |x| < 1.
  gradient: ([dy], { x }) => ({ x: () => dy.mul(tf.relu(x.abs().mul(-2).add(2))) }),
});

/** sign(x), whatever the shape; the gradient is that of a smooth approximation. */
export function binaryActivation<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return activation({ x })[0] as tf.Tensor<R>;
}

const weight = defineOp(OPERATIONS.BinaryWeight, {
  composite({ w }) {
    const axes = w.shape.map((_, axis) => axis).slice(1);
    const scale = w.abs().mean(axes, true);
    return tf.where(w.less(w.mean(axes, true)), scale.neg(), scale);
  },
  gradient: ([dy], { w }) => ({ w: () => dy.mul(w.abs().less(1).cast('float32')) }),
});

/**
 * Two values for each output channel: plus or minus its mean magnitude, by the side of its mean a weight is on
 * (Rastegari et al. 2016, XNOR-Net). Gradients pass where |w| < 1.
 * @param w [out, ...]
 */
export function binaryWeight<R extends tf.Rank>(w: tf.Tensor<R>): tf.Tensor<R> {
  return weight({ w })[0] as tf.Tensor<R>;
}
