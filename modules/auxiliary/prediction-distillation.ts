// Distillation of predictions (Hinton et al. 2015): the predictions of a trained network are a second label.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  kindOf,
  MtcpError,
  options,
  tasks,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';
import { didYouMean } from '../../registry/support/near.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  tasks: {
    type: ['array', 'null'],
    items: { type: 'string' },
    default: null,
    description: 'Tasks that are taught; null: all.',
  },
  temperature: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 2,
    description: 'Logits of classes are divided by it; the loss is multiplied by its square.',
  },
});

@component({
  kind: 'auxiliary',
  name: 'prediction_distillation',
  summary:
    "Distance to the teacher's raw predictions: divergence of soft classes, absolute difference of depths, angle of normals.",
  source:
    'Hinton et al. 2015; for regression as in Li & Bilen 2020 (knowledge distillation for multi-task learning)',
  options: schema,
  file: import.meta.url,
})
export class PredictionDistillation implements AuxiliaryLoss {
  readonly taught: readonly string[];
  readonly #tasks: readonly Task[];

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() all: readonly Task[],
  ) {
    const names = all.map(({ name }) => name);
    const unknown = options.tasks?.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new MtcpError('component', `there is no task "${unknown}"`, {
        option: 'tasks',
        hint: didYouMean(unknown, names),
      });
    this.#tasks = all.filter(({ name }) => options.tasks === null || options.tasks.includes(name));
    this.taught = this.#tasks.map(({ name }) => `prediction.${name}`);
  }

  /** Mean over tasks; each the mean over positions, at the resolution of the network's own prediction. */
  forward({ features, teacher }: AuxiliaryContext): tf.Scalar {
    const terms = this.#tasks.map((task) => {
      const name = `prediction.${task.name}`;
      const own = features(name).get(name)!;
      const [, height, width] = own.shape;
      return this.#distance(own, resizeBilinear(teacher(name), [height, width]), task);
    });
    return tf.addN(terms).div(terms.length) as tf.Scalar;
  }

  #distance(own: tf.Tensor4D, taught: tf.Tensor4D, task: Task): tf.Scalar {
    const { name, kind } = task;
    const { distance } = kindOf(task);
    if (!distance)
      throw new MtcpError(
        'component',
        `task "${name}" is of kind ${kind}, which says no distance of two predictions`,
        {
          option: 'tasks',
          hint: 'list the tasks that are taught without it',
        },
      );
    if (own.shape[3] !== taught.shape[3])
      throw new MtcpError(
        'component',
        `"${name}" has ${own.shape[3]} channels here and ${taught.shape[3]} in the teacher`,
      );
    return distance(own, taught, this.options.temperature) as tf.Scalar;
  }
}
