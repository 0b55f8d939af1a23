// Deep supervision (Lee et al. 2015): an additional head predicts a task from an intermediate map, and the task's own
// loss is applied. The head exists only in training.
import type { Scalar } from '../../registry/tf.js';
import {
  component,
  components,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type ComponentFactory,
  type Head,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';
import { didYouMean } from '../../registry/support/near.js';

const schema = defineOptions({
  task: { type: 'string', description: 'The task that is predicted.' },
  feature: {
    type: 'string',
    description:
      'Where from, by the name that `mtcp forward --list` shows, such as backbone.shared.2; with *, a pyramid of all that fit.',
  },
  head: { $ref: '#/definitions/head', description: 'What predicts.' },
});

@component({
  kind: 'auxiliary',
  name: 'supervision',
  summary: "The task's own loss on what a further head predicts from inside the network.",
  source: 'Lee et al. 2015; auxiliary heads as in PSPNet (Zhao et al. 2017)',
  options: schema,
  file: import.meta.url,
})
export class Supervision implements AuxiliaryLoss {
  readonly #head: Head;
  readonly #task: Task;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
    @tasks() all: readonly Task[],
  ) {
    const task = all.find(({ name }) => name === options.task);
    if (!task)
      throw new MtcpError('component', `there is no task "${options.task}"`, {
        option: 'task',
        hint: didYouMean(
          options.task,
          all.map(({ name }) => name),
        ),
      });
    this.#task = task;
    this.#head = factory.create('head', options.head);
  }

  forward({ scope, size, features, loss }: AuxiliaryContext): Scalar {
    const pyramid = [...features(this.options.feature).values()].map((data) => ({
      data,
      stride: Math.round(size[0] / data.shape[1]),
    }));
    return loss(this.#task.name, this.#head.forward(scope, pyramid, this.#task));
  }
}
