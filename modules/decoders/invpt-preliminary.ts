// InvPT's preliminary decoder (Ye and Xu 2022): from the deepest map, coarsened once more, features and a supervised
// prediction for each task; both together go on.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { convNorm } from '../nn/residual.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 1, default: 512, description: "Width of each task's features." },
  out: {
    type: 'integer',
    minimum: 4,
    default: 576,
    description: 'Width after features and prediction are merged.',
  },
  coarsen: {
    type: 'integer',
    minimum: 1,
    default: 2,
    description: 'By how much the deepest map is made coarser first.',
  },
});

@component({
  kind: 'decoder',
  name: 'invpt_preliminary',
  summary: 'Features and a supervised prediction for each task from the deepest map, merged.',
  source:
    'Ye and Xu 2022 (InvPT); prismformore/Multi-Task-Transformer InvPT/models/transformers/transformer_decoder.py',
  options: schema,
  file: import.meta.url,
})
export class InvPtPreliminary extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { channels, out, coarsen } = this.options;
    const deepest = features.shared[features.shared.length - 1];
    const [, height, width, inputs] = deepest.data.shape;
    const coarse = resizeBilinear(deepest.data, [Math.floor(height / coarsen), Math.floor(width / coarsen)]);
    const pyramids = byTask(this.tasks, (name, task): Pyramid => {
      const own = scope.at(name);
      const block = (i: number, x: tf.Tensor4D, wide: number) =>
        relu(convNorm(own, [`blocks.${i}.conv`, `blocks.${i}.norm`], x, wide, { kernel: 3, padding: 1 }));
      const map = block(1, block(0, coarse, inputs), channels);
      const prediction = conv2d(own.at('classify'), map, task.channels, { kernel: 1 });
      scope.predict(name, prediction);
      const both = tf.concat([map, prediction], 3) as tf.Tensor4D;
      return [{ data: conv2d(own.at('mix'), both, out, { kernel: 1 }), stride: deepest.stride * coarsen }];
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }
}
