// Noise contrast between tasks, as in MTFormer: what one task sees in an image should tell this image from others by
// what another task sees in it. Each task's map becomes a unit vector by averaging and a small network; the vector
// of the same image by another task is to be told from vectors of earlier images, which a queue keeps.
//
// MTFormer keeps a vector for every training image and draws some as noise; the queue keeps the last ones, so that
// nothing depends on the size of the data set.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type BufferHandle,
  type OptionsOf,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { linear } from '../nn/layers.js';

const schema = defineOptions({
  features: {
    type: 'string',
    default: 'interaction.*',
    description: 'One map for each task: names with the task where the * is.',
  },
  channels: { type: 'integer', minimum: 1, default: 128, description: 'Length of the vectors.' },
  queue: {
    type: 'integer',
    minimum: 1,
    default: 256,
    description: 'Vectors of earlier images that are kept.',
  },
  temperature: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.07,
    description: 'What cosines are divided by.',
  },
});

@component({
  kind: 'auxiliary',
  name: 'noise_contrast',
  summary: 'Contrastive loss between what pairs of tasks see in an image, against earlier images.',
  source: 'Xu et al. 2022 (MTFormer), with the queue of He et al. 2020 (MoCo) for its memory bank',
  options: schema,
  file: import.meta.url,
})
export class NoiseContrast implements AuxiliaryLoss {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    if (tasks.length < 2)
      throw new MtcpError('component', 'noise contrast is between tasks, and there is one task');
    if (!options.features.includes('*'))
      throw new MtcpError('component', `"${options.features}" has no * for the task`, { option: 'features' });
  }

  /** Mean over ordered pairs of tasks and images of -log(exp(p/T) / (exp(p/T) + sum over the queue exp(n/T))). */
  forward({ scope, features }: AuxiliaryContext): tf.Scalar {
    const seen = this.tasks.map(({ name }) => {
      const feature = this.options.features.replace('*', name);
      const vectors = this.#embed(scope.at(name), features(feature).get(feature)!);
      return { vectors, queue: this.#queue(scope.at(name), vectors) };
    });
    const terms = seen.flatMap(({ vectors }, i) =>
      seen.flatMap((other, j) => (i === j ? [] : [this.#contrast(vectors, other.vectors, other.queue)])),
    );
    return tf.addN(terms).div(terms.length) as tf.Scalar;
  }

  /** [batch, height, width, in] -> unit vectors [batch, channels] */
  #embed(scope: Scope, map: tf.Tensor4D): tf.Tensor2D {
    const { channels } = this.options;
    const pooled = map.mean([1, 2]) as tf.Tensor2D;
    const vectors = linear(scope.at('out'), tf.relu(linear(scope.at('hidden'), pooled, channels)), channels);
    return vectors.div(vectors.square().sum(1, true).add(1e-12).sqrt());
  }

  /** Vectors of earlier steps, [queue, channels]; those of this step replace the oldest. */
  #queue(scope: Scope, vectors: tf.Tensor2D): tf.Tensor2D {
    const { queue, channels } = this.options;
    const [batch] = vectors.shape;
    if (batch > queue)
      throw new MtcpError('component', `a batch of ${batch} does not fit into a queue of ${queue}`, {
        option: 'queue',
      });
    const kept: BufferHandle<tf.Rank.R2> = scope.buffer('queue', [queue, channels], 0);
    const younger = kept.value.slice([0, 0], [queue - batch, channels]);
    kept.average(queue === batch ? vectors : tf.concat([vectors, younger], 0), 1);
    return kept.value;
  }

  #contrast(own: tf.Tensor2D, other: tf.Tensor2D, noise: tf.Tensor2D): tf.Scalar {
    const same = own.mul(other).sum(1, true);
    const different = tf.matMul(own, noise, false, true);
    const scores = tf.concat([same, different], 1).div<tf.Tensor2D>(this.options.temperature);
    return tf.logSoftmax(scores).slice([0, 0], [own.shape[0], 1]).mean().neg() as tf.Scalar;
  }
}
