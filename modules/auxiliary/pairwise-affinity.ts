// PAP's pairwise loss (Zhang et al. 2019): how alike two positions are to a task should follow how alike their labels are.
//
//   S = softmax(X X^T / sqrt(C)),  T_ij = a_ij^p / sum_k a_ik^p,  loss = mean over positions i of sum_j |S_ij - T_ij|
//
// The paper compares each task's affinities with those of the ground truth, and measures likeness of labels by the
// relative error of depth, the distance of normals and equality of classes. Ours, since there is no released code: the
// exact form of a_ij, the power that sharpens it, the absolute difference of rows that sum to one, and comparing the
// rows of some positions only, for the matrix has (cells)^2 entries.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  IGNORE,
  kindOf,
  MtcpError,
  options,
  tasks,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type OptionsOf,
  type Task,
  type TaskKind,
} from '../../registry/index.js';
import { averageOverValid } from '../losses/machinery/average.js';

const schema = defineOptions({
  features: {
    type: 'string',
    default: 'interaction.affinity.*',
    description: 'What affinities are made of, one map for each task: names with the task where the * is.',
  },
  sharpness: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 10,
    description:
      "The power p of the labels' likeness: at 10, depths that differ by a tenth are a third as alike as equal ones.",
  },
  rows: {
    type: 'integer',
    minimum: 1,
    default: 256,
    description: 'Positions of an image whose affinities to all positions are compared, evenly spread.',
  },
});

/** Taken off the scores of positions whose label is not known: they get no share. */
const BLOCKED = 1e4;

type Likeness = NonNullable<TaskKind['likeness']>;

@component({
  kind: 'auxiliary',
  name: 'pairwise_affinity',
  summary: 'Difference between the affinities of positions to a task and the likeness of their labels.',
  source:
    'Zhang et al. 2019, "Pattern-Affinitive Propagation across Depth, Surface Normal and Semantic Segmentation"',
  options: schema,
  file: import.meta.url,
})
export class PairwiseAffinity implements AuxiliaryLoss {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    if (!options.features.includes('*'))
      throw new MtcpError('component', `"${options.features}" has no * for the task`, { option: 'features' });
  }

  /** Sum over the tasks; a task's is between 0 and 2, and 0 where no label is known. */
  forward({ features, label }: AuxiliaryContext): tf.Scalar {
    const terms = this.tasks.map((task) => {
      const { name, kind } = task;
      const { likeness } = kindOf(task);
      if (!likeness)
        throw new MtcpError(
          'component',
          `task "${name}" is of kind ${kind}, which does not say how alike two labels are`,
        );
      const feature = this.options.features.replace('*', name);
      const map = features(feature).get(feature)!;
      const [, height, width] = map.shape;
      return this.#difference(map, label(name, [height, width]), likeness);
    });
    return terms.length === 1 ? terms[0] : tf.addN(terms);
  }

  #difference(map: tf.Tensor4D, label: tf.Tensor4D, likeness: Likeness): tf.Scalar {
    const [batch, height, width, channels] = map.shape;
    const cells = height * width;
    const x = map.reshape([batch, cells, channels]) as tf.Tensor3D;
    const stored = label.reshape([batch, cells, label.shape[3]]) as tf.Tensor3D;
    const known = tf.notEqual(stored, IGNORE).cast('float32').max(2) as tf.Tensor2D;
    const labels = stored.mul(known.expandDims<tf.Tensor3D>(2));
    const index = spread(cells, this.options.rows);
    const rows = <T extends tf.Tensor>(all: T): T => (index ? tf.gather(all, index, 1) : all);

    const blocked = known.sub(1).mul(BLOCKED).expandDims(1);
    const scores = tf.matMul(rows(x).div<tf.Tensor3D>(Math.sqrt(channels)), x, false, true);
    const affinities = tf.softmax(scores.add(blocked));
    const alike = likeness(rows(labels).expandDims(2), labels.expandDims(1))
      .pow(this.options.sharpness)
      .mul(known.expandDims(1));
    // A known position is similar to itself. The row of an unknown position may be empty and does not count.
    const targets = alike.div(alike.sum(2, true).maximum(1e-6));
    const errors = affinities.sub(targets).abs().sum(2);
    return averageOverValid(errors, rows(known)).value;
  }
}

/** `count` of `cells` positions, at the middles of equal stretches; undefined for all of them. */
function spread(cells: number, count: number): tf.Tensor1D | undefined {
  if (count >= cells) return undefined;
  return tf.tensor1d(
    Int32Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * cells) / count)),
    'int32',
  );
}
