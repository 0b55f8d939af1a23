// Feature distillation: intermediate maps are trained to equal those of a trained network, up to scale.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  features: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description:
      'Which maps, by the names that `mtcp forward --list` shows, * standing for any characters; the teacher has the same.',
  },
  compare: {
    enum: ['features', 'attention'],
    default: 'features',
    description:
      'features: every channel of every place, so widths must be equal. attention: where the map is strong, the mean of squares over channels.',
  },
});

/** Of a vector's squared length, so that a map of zeros has a gradient. */
const EPSILON = 1e-12;

@component({
  kind: 'auxiliary',
  name: 'feature_distillation',
  summary: 'Squared distance between normalised maps of the network and of its teacher.',
  source:
    'Bi-MTDP (Shang et al. 2024) as described; the form of FitNets (Romero et al. 2015) and attention transfer (Zagoruyko & Komodakis 2017)',
  options: schema,
  file: import.meta.url,
})
export class FeatureDistillation implements AuxiliaryLoss {
  readonly taught: readonly string[];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.taught = options.features;
  }

  /** Mean over maps and images of |s/|s| - t/|t||^2, the norms taken over the whole map of an image. */
  forward({ features, teacher }: AuxiliaryContext): tf.Scalar {
    const terms = this.options.features.flatMap((pattern) =>
      [...features(pattern)].map(([name, own]) => this.#distance(name, own, teacher(name))),
    );
    return tf.addN(terms).div(terms.length) as tf.Scalar;
  }

  #distance(name: string, own: tf.Tensor4D, other: tf.Tensor4D): tf.Scalar {
    const [a, b] = [this.#vectors(own), this.#vectors(other)];
    if (a.shape[1] !== b.shape[1])
      throw new MtcpError(
        'component',
        `"${name}" is ${own.shape.slice(1).join('x')} here and ${other.shape.slice(1).join('x')} in the teacher`,
        { option: 'features', hint: '`compare: attention` compares maps of different widths' },
      );
    // |a - b|^2 of two unit vectors.
    return unit(a).sub(unit(b)).square().sum(1).mean() as tf.Scalar;
  }

  /** [batch, numbers of an image] */
  #vectors(map: tf.Tensor4D): tf.Tensor2D {
    const compared = this.options.compare === 'attention' ? map.square().mean(3) : map;
    return compared.reshape([map.shape[0], compared.size / map.shape[0]]) as tf.Tensor2D;
  }
}

const unit = (vectors: tf.Tensor2D): tf.Tensor2D =>
  vectors.div(vectors.square().sum(1, true).add(EPSILON).sqrt());
