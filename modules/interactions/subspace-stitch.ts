// The exchange of sluice networks (Ruder et al. 2017): each task's channels are cut into subspaces, and each subspace
// becomes a learnt mixture of all subspaces of all tasks. With one subspace that is a cross-stitch unit of scalars.
//
// The original is a recurrent network for text; one matrix for each layer is one matrix for each stage here. Its uneven
// start repeats one pattern in all rows; ours gives every subspace most of itself, in rows that sum to one.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Block,
  type Features,
  type Initializer,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { byTask } from '../nn/levels.js';

const schema = defineOptions({
  subspaces: {
    type: 'integer',
    minimum: 1,
    default: 2,
    description: "Equal parts of each task's channels.",
  },
  own: {
    type: ['number', 'null'],
    default: 0.9,
    description:
      'First weight of a subspace in itself; the others share what is missing to one. null: all start with the same weight.',
  },
});

@component({
  kind: 'interaction',
  name: 'subspace_stitch',
  summary: "Each part of a task's channels becomes a learnt mixture of all parts of all tasks.",
  source:
    'Ruder et al. 2017 (sluice networks); sebastianruder/sluice-networks predictors.py, CrossStitchLayer',
  options: schema,
  file: import.meta.url,
})
export class SubspaceStitch extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const levels = features.tasks[this.tasks[0].name].map(({ stride }, level) => ({
      stride,
      maps: this.#stitch(
        scope.at(`${level}`),
        this.tasks.map(({ name }) => features.tasks[name][level].data),
      ),
    }));
    const pyramids = byTask(this.tasks, (name): Pyramid => {
      const t = this.tasks.findIndex((task) => task.name === name);
      return levels.map(({ stride, maps }) => ({ data: maps[t], stride }));
    });
    return { ...features, tasks: pyramids };
  }

  #stitch(scope: Scope, maps: tf.Tensor4D[]): tf.Tensor4D[] {
    const { subspaces } = this.options;
    const { shape } = maps[0];
    const channels = shape[3];
    if (channels % subspaces !== 0)
      throw new MtcpError(
        'component',
        `interaction subspace_stitch: ${channels} channels are not ${subspaces} equal parts`,
        { option: 'subspaces' },
      );
    const parts = this.tasks.length * subspaces;
    const alpha = scope.param<tf.Rank.R2>('alpha', [parts, parts], this.#start);
    // All subspaces side by side in the last axis: what belongs together is mixed by one product.
    const cells = maps.map((x) => x.reshape([-1, subspaces, channels / subspaces]).transpose([0, 2, 1]));
    const mixed = tf.matMul(tf.concat(cells, 2).reshape([-1, parts]), alpha, false, true);
    return tf
      .split(mixed.reshape([-1, channels / subspaces, parts]), this.tasks.length, 2)
      .map((x) => x.transpose([0, 2, 1]).reshape(shape));
  }

  readonly #start: Initializer = (values, [parts]) => {
    const own = this.options.own ?? 1 / parts;
    values.fill((1 - own) / Math.max(1, parts - 1));
    for (let i = 0; i < parts; i++) values[i * parts + i] = own;
  };
}
