// The skip connections of sluice networks (Ruder et al. 2017): what a task predicts from is a learnt mixture of all its
// layers, not of the last one alone. Stages of a convolutional network differ in width and size, so all but those that
// already fit are projected and resized first.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type Features,
  type Initializer,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';
import { byTask, extentOf, levelOf } from '../nn/levels.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  level: {
    type: 'integer',
    default: -1,
    description: 'The level whose size and width the result has; -1 is the last one.',
  },
  own: {
    type: ['number', 'null'],
    default: 0.9,
    description:
      'First weight of the last level; the others share what is missing to one. null: all start with the same weight.',
  },
});

@component({
  kind: 'decoder',
  name: 'layer_mix',
  summary: "A learnt weighted sum of the levels of each task's pyramid.",
  source:
    'Ruder et al. 2017 (sluice networks); sebastianruder/sluice-networks predictors.py, LayerStitchLayer',
  options: schema,
  file: import.meta.url,
})
export class LayerMix extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (name): Pyramid => this.#mix(scope.at(name), features.tasks[name]));
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #mix(scope: Scope, pyramid: Pyramid): Pyramid {
    const { data: like, stride } = levelOf(pyramid, this.options.level, 'decoder layer_mix');
    const channels = like.shape[3];
    const beta = scope.param<tf.Rank.R1>('beta', [pyramid.length], this.#start);
    const terms = pyramid.map(({ data }, i) => {
      const wide =
        data.shape[3] === channels ? data : conv2d(scope.at(`project.${i}`), data, channels, { kernel: 1 });
      return resizeBilinear(wide, extentOf(like)).mul(tf.slice(beta, i, 1));
    });
    return [{ data: tf.addN(terms) as tf.Tensor4D, stride }];
  }

  readonly #start: Initializer = (values, [levels]) => {
    const own = this.options.own ?? 1 / levels;
    values.fill((1 - own) / Math.max(1, levels - 1));
    values[levels - 1] = own;
  };
}
