// Activations whose gradients are cheaper than what TensorFlow.js derives.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const reluOp = defineOp(OPERATIONS.Relu, {
  keep: ['y'],
  composite: ({ x }) => tf.relu(x),
  gradient: ([dy], _, { y }) => ({ x: () => dy.mul(tf.step(y)) }),
});

/** max(x, 0), whatever the shape. */
export function relu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return reluOp({ x })[0] as tf.Tensor<R>;
}

const geluOp = defineOp(OPERATIONS.Gelu, {
  composite: ({ x }) => x.mul(normalCdf(x)),
  gradient: ([dy], { x }) => ({ x: () => dy.mul(geluSlope(x)) }),
});

/** d/dx x Phi(x) = Phi(x) + x phi(x), element by element; any shape. */
export function geluSlope<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  const density = x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));
  return normalCdf(x).add(x.mul(density)) as tf.Tensor<R>;
}

/** 1 where the input was positive, 0 elsewhere; any shape. */
export function reluSlope<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return tf.step(x);
}

function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.erf(x.mul(Math.SQRT1_2)).add(1).mul(0.5);
}

/** Exact GELU, x Phi(x) (Hendrycks and Gimpel 2016), not the tanh approximation; any shape. */
export function gelu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return geluOp({ x })[0] as tf.Tensor<R>;
}

/** x sigmoid(x) (Elfwing et al. 2018), also called swish; any shape. */
export function silu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return x.mul(x.sigmoid());
}
