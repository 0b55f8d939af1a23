// How parameters start. Formulas are PyTorch's, where "fan in" is the product of all axes but the first.
import type { Initializer } from '../../registry/index.js';

const fanIn = (shape: readonly number[]): number => shape.slice(1).reduce((product, n) => product * n, 1);

export const constant =
  (value: number): Initializer =>
  (values) =>
    void values.fill(value);
export const zeros: Initializer = constant(0);
export const ones: Initializer = constant(1);

/** Uniform in [-bound, bound]. */
export const uniform =
  (bound: number): Initializer =>
  (values, _, random) => {
    for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
  };

export const normal =
  (deviation: number, mean = 0): Initializer =>
  (values, _, random) => {
    for (let i = 0; i < values.length; i++) values[i] = mean + deviation * random.normal();
  };

/** Normal, redrawn outside two standard deviations (torch's trunc_normal_ with its default bounds is wider). */
export const truncatedNormal =
  (deviation: number): Initializer =>
  (values, _, random) => {
    for (let i = 0; i < values.length; i++) {
      let value = random.normal();
      while (Math.abs(value) > 2) value = random.normal();
      values[i] = value * deviation;
    }
  };

/** PyTorch's default for linear and convolution weights: Kaiming uniform with a = sqrt(5), bound 1/sqrt(fan in). */
export const torchWeight: Initializer = (values, shape, random) =>
  uniform(1 / Math.sqrt(fanIn(shape)))(values, shape, random);

/** PyTorch's default for the bias of a layer with this many inputs. */
export const torchBias = (inputs: number): Initializer => uniform(1 / Math.sqrt(inputs));

/** Glorot and Bengio 2010, uniform: bound sqrt(6 / (fan in + fan out)). */
export const xavierUniform: Initializer = (values, shape, random) => {
  const receptive = fanIn(shape) / shape[1];
  uniform(Math.sqrt(6 / ((shape[0] + shape[1]) * receptive)))(values, shape, random);
};

/** He et al. 2015 for layers before a ReLU, by fan out: normal with variance 2 / (out * receptive field). */
export const kaimingFanOut: Initializer = (values, shape, random) => {
  const receptive = fanIn(shape) / shape[1];
  normal(Math.sqrt(2 / (shape[0] * receptive)))(values, shape, random);
};
