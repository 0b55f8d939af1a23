// DSelect-k (Hazimeh et al. 2021): a mixture of shared encoders whose gates select few of them and are smooth all the
// same. Each of `nonzeros` selectors writes the number of an expert in binary. A smooth step makes each digit out of a
// score: exactly 0 or 1 outside a small range, and a polynomial in it. An expert's share for a selector is the product
// over its digits.
//
// A penalty pushes digits out of the range between 0 and 1; another one keeps selectors on experts that exist, where
// their number is no power of two. LibMTL computes both for its last task alone, and clears their gradients before
// each step. Here every task has both.
import * as tf from '../../registry/tf.js';
import { component, defineOptions, type OptionsOf, type Scope } from '../../registry/index.js';
import { expertCount, gateGrid } from '../nn/expert-encoders.js';
import { uniform } from '../nn/initializers.js';
import { linear } from '../nn/layers.js';
import { encoderOption, Mixture } from './machinery/experts.js';

const schema = defineOptions({
  encoder: encoderOption,
  experts: { ...expertCount, minimum: 2, default: 4, description: 'Experts that all tasks share.' },
  nonzeros: {
    type: 'integer',
    minimum: 1,
    default: 2,
    description: 'Selectors of each task: the most experts that it uses at a time.',
  },
  gamma: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1,
    description: 'Width of the range of scores in which a digit is neither 0 nor 1.',
  },
  entropy: {
    type: 'number',
    minimum: 0,
    default: 1e-6,
    description: "Weight of the entropy of the selectors' shares, as an extra loss.",
  },
  existing: {
    type: 'number',
    minimum: 0,
    default: 1,
    description:
      'Weight of the extra loss that keeps selectors on experts that exist; without effect if their number is a power of two.',
  },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'dselect_k',
  summary: 'Shared encoders, of which a smooth gate selects a few for each task.',
  source: 'Hazimeh et al. 2021 (DSelect-k); median-research-group/LibMTL LibMTL/architecture/DSelect_k.py',
  options: schema,
  file: import.meta.url,
})
export class DSelectK extends Mixture<OptionsOf<typeof schema>> {
  protected readonly who = 'backbone dselect_k';
  protected readonly counts = () => ({ shared: this.options.experts, own: 0 });

  protected override gate(scope: Scope, seen: tf.Tensor2D): tf.Tensor2D {
    const { experts, nonzeros, gamma, entropy, existing } = this.options;
    const digits = Math.ceil(Math.log2(experts));
    const [first, weightInit] = [uniform(gamma / 100), uniform(0.05)];
    const scores = linear(scope.at('digits'), seen, nonzeros * digits, {
      weightInit: first,
      biasInit: first,
    });
    const written = smoothStep(scores.reshape([-1, nonzeros, 1, digits]), gamma);
    const selected = tf
      .unstack(written, 3)
      .map((digit, i) => {
        // Digit i of each expert's number, the highest first: the digit's value where it is 1, what is missing to 1
        // where it is 0.
        const bits = Array.from({ length: experts }, (_, e) => (e >> (digits - 1 - i)) & 1);
        const sign = tf.tensor3d(
          bits.map((bit) => 2 * bit - 1),
          [1, 1, experts],
        );
        const offset = tf.tensor3d(
          bits.map((bit) => 1 - bit),
          [1, 1, experts],
        );
        return digit.mul(sign).add(offset);
      })
      .reduce((product, factor) => product.mul(factor)) as tf.Tensor3D;
    scope.penalty('entropy', selected.mul(selected.add(1e-6).log()).sum().neg() as tf.Scalar, entropy);
    if (experts < 2 ** digits)
      scope.penalty('existing', tf.sum(tf.reciprocal(selected.sum(2))) as tf.Scalar, existing);
    const shares = tf.softmax(
      linear(scope.at('weights'), seen, nonzeros, { weightInit, biasInit: weightInit }),
    );
    return selected.mul(shares.expandDims(2)).sum(1) as tf.Tensor2D;
  }
}

/** 0 below -gamma / 2, 1 above gamma / 2, and a cubic with flat ends in between; any shape. */
function smoothStep(x: tf.Tensor, gamma: number): tf.Tensor {
  const t = x.div(gamma).clipByValue(-0.5, 0.5);
  return t.mul(t.square().mul(-2).add(1.5)).add(0.5);
}
