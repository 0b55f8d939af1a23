// MT-CP's pyramid fusion (paper section 3.2, after Liang et al. 2021): each task's levels are projected to one
// width and summed from coarse to fine; a 3x3 convolution smooths the finest sum.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { zeros } from '../nn/initializers.js';
import { conv2d } from '../nn/layers.js';
import { resizeNearest } from '../nn/resize.js';

const schema = defineOptions({
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Width of the fused map; null: that of the finest level.',
  },
  weights: {
    enum: ['none', 'adaptive'],
    default: 'none',
    description:
      'adaptive: each level enters with a learnt weight (softmax over levels, equal at first), as the paper words it; none: a plain sum, as the released code has it.',
  },
});

@component({
  kind: 'fusion',
  name: 'dfpn',
  summary: 'Dynamic feature pyramid fusion: lateral 1x1, top-down sum, 3x3 on the finest level.',
  source:
    'MT-CP section 3.2; Liang et al. 2021, "Transformed Dynamic Feature Pyramid for Small Object Detection"',
  options: schema,
  file: import.meta.url,
})
export class Dfpn extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const fused = this.tasks.map(({ name }) => [name, [this.#fuse(scope.at(name), features.tasks[name])]]);
    return { ...features, tasks: Object.fromEntries(fused) };
  }

  #fuse(scope: Scope, pyramid: Pyramid): FeatureMap {
    const channels = this.options.channels ?? pyramid[0].data.shape[3];
    let levels = pyramid.map(({ data }, i) =>
      conv2d(scope.at(`lateral.${i}`), data, channels, { kernel: 1 }),
    );
    if (this.options.weights === 'adaptive') {
      const shares = tf
        .softmax(scope.param<tf.Rank.R1>('level_weights', [levels.length], zeros))
        .mul(levels.length);
      levels = levels.map((level, i) => level.mul(tf.slice(shares, i, 1)));
    }
    const finest = levels.reduceRight((coarse, level) =>
      level.add(resizeNearest(coarse, [level.shape[1], level.shape[2]])),
    );
    const output = conv2d(scope.at('output'), finest, channels, { kernel: 3, padding: 1 });
    return { data: output, stride: pyramid[0].stride };
  }
}
