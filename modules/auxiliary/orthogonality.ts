// Orthogonality of weights: penalises filters, or halves of a layer, that repeat each other.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  parameters: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description: 'Names of weights with two axes or more, * standing for any characters.',
  },
  between: {
    enum: ['filters', 'halves'],
    default: 'filters',
    description:
      'filters: all pairs of filters, and each of length 1. halves: filters of the first half of the output channels with those of the second.',
  },
});

@component({
  kind: 'auxiliary',
  name: 'orthogonality',
  summary: 'Squared inner products between the filters of a layer, summed over the layers.',
  source:
    'filters: soft orthogonality of Bansal et al. 2018; halves: the constraint on subspaces of sluice networks, Ruder et al. 2017',
  options: schema,
  file: import.meta.url,
})
export class Orthogonality extends Configured<OptionsOf<typeof schema>> implements AuxiliaryLoss {
  /** Sum over layers of |W W^T - I|^2 (of the smaller of the two products), or of |A B^T|^2, W [out, rest] = [A; B]. */
  forward({ parameters }: AuxiliaryContext): tf.Scalar {
    const terms = this.options.parameters.flatMap((pattern) => {
      const weights = [...parameters(pattern)].filter(([, { rank }]) => rank >= 2);
      if (weights.length === 0)
        throw new MtcpError('component', `what "${pattern}" names has no weight of two axes or more`, {
          option: 'parameters',
        });
      return weights.map(([name, weight]) => this.#penalty(name, weight));
    });
    return terms.length === 1 ? terms[0] : tf.addN(terms);
  }

  #penalty(name: string, weight: tf.Tensor): tf.Scalar {
    const out = weight.shape[0];
    const rest = weight.size / out;
    const matrix = weight.reshape([out, rest]) as tf.Tensor2D;
    if (this.options.between === 'halves') {
      if (out % 2 !== 0)
        throw new MtcpError('component', `"${name}" has ${out} output channels, which have no halves`, {
          option: 'between',
        });
      const [first, second] = tf.split(matrix, 2, 0);
      return tf.matMul(first, second, false, true).square().sum() as tf.Scalar;
    }
    const wide = out <= rest;
    const gram = tf.matMul(matrix, matrix, !wide, wide);
    return gram
      .sub(tf.eye(wide ? out : rest))
      .square()
      .sum() as tf.Scalar;
  }
}
