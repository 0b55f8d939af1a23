// my-block: sharpens each task's features with what its decoder stages still know.
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
import { batchNorm, conv2d, relu, resizeBilinear } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  intermediate: {
    type: 'boolean',
    default: false,
    description: 'Also predict from the features before refinement and supervise that.',
  },
});

@component({
  kind: 'refinement',
  name: 'my-block',
  summary: 'Adds the finest decoder stage to the features of each task.',
  options: schema,
})
export class MyBlock implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

  /** `features.tasks` are the features so far, `features.stages` what the decoder gave, both fine to coarse. */
  forward(scope: Scope, features: Features): Features {
    const refined = this.tasks.map((task) => {
      const { name } = task;
      const [{ data }] = features.tasks[name];
      const [finest] = features.stages[name];
      const own = scope.at(name);
      if (this.options.intermediate)
        scope.predict(name, conv2d(own.at('predict'), data, task.channels, { kernel: 1 }));
      const [, height, width] = finest.data.shape;
      const both = tf.concat([resizeBilinear(data, [height, width]), finest.data], 3);
      const mixed = conv2d(own.at('mix'), both, data.shape[3], { kernel: 3, padding: 1, bias: false });
      return [name, [{ data: relu(batchNorm(own.at('norm'), mixed)), stride: finest.stride }]];
    });
    return { ...features, tasks: Object.fromEntries(refined) };
  }
}
