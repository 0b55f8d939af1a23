// my-block: merges the levels of each task's pyramid into one map. Here all are enlarged to the finest and added.
import * as tf from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  tasks,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from 'mtcp/registry';
import { conv2d, resizeBilinear } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Channels of the merged map; null: those of the finest level.',
  },
});

@component({
  kind: 'fusion',
  name: 'my-block',
  summary: 'The sum of all levels, projected to one width and enlarged to the finest.',
  options: schema,
})
export class MyBlock implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

  forward(scope: Scope, features: Features): Features {
    const merged = this.tasks.map(({ name }) => [name, this.#merge(scope.at(name), features.tasks[name])]);
    return { ...features, tasks: Object.fromEntries(merged) };
  }

  /** @param pyramid fine to coarse */
  #merge(scope: Scope, pyramid: Pyramid): Pyramid {
    const [finest] = pyramid;
    const [, height, width, own] = finest.data.shape;
    const levels = pyramid.map(({ data }, i) =>
      resizeBilinear(conv2d(scope.at(`level.${i}`), data, this.options.channels ?? own, { kernel: 1 }), [
        height,
        width,
      ]),
    );
    return [{ data: tf.addN(levels), stride: finest.stride }];
  }
}
