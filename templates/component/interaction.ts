// my-block: lets tasks exchange information. Here every task adds a gated projection of what the others have.
import * as tf from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  tasks,
  type Block,
  type Features,
  type OptionsOf,
  type Scope,
  type Task,
} from 'mtcp/registry';
import { batchNorm, conv2d, relu } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  strength: {
    type: 'number',
    minimum: 0,
    default: 1,
    description: 'How much of the other tasks is added; 0 leaves the features as they are.',
  },
});

@component({
  kind: 'interaction',
  name: 'my-block',
  summary: 'Adds to each task a gated projection of the other tasks.',
  options: schema,
})
export class MyBlock implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

  /** @param features of each task a pyramid, fine to coarse; maps are [batch, height, width, channels] */
  forward(scope: Scope, features: Features): Features {
    const changed = this.tasks.map(({ name }) => {
      const [{ data, stride }, ...coarser] = features.tasks[name];
      const others = this.tasks
        .filter((other) => other.name !== name)
        .map((other) => features.tasks[other.name][0].data);
      if (others.length === 0) return [name, features.tasks[name]];
      const mixed = this.#mix(scope.at(name), data, tf.concat(others, 3));
      return [name, [{ data: mixed, stride }, ...coarser]];
    });
    return { ...features, tasks: Object.fromEntries(changed) };
  }

  /** Parameters are named after the scope: `interaction.<task>.project.weight` and so on. */
  #mix(scope: Scope, own: tf.Tensor4D, others: tf.Tensor4D): tf.Tensor4D {
    const channels = own.shape[3];
    const projected = conv2d(scope.at('project'), others, channels, { kernel: 1, bias: false });
    const gate = conv2d(scope.at('gate'), own, channels, { kernel: 1 }).sigmoid();
    const added = relu(batchNorm(scope.at('norm'), projected))
      .mul(gate)
      .mul(this.options.strength);
    return own.add(added);
  }
}
