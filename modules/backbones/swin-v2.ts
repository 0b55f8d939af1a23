// Swin V2 (Liu et al. 2022) as a backbone.
import {
  component,
  Configured,
  defineOptions,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { swinV2Checkpoint } from '../checkpoints/swin-v2.js';
import { conv2d, layerNorm } from '../nn/layers.js';
import { padToMultiple } from '../nn/pad.js';
import { patchMergingV2, swinV2Block, swinV2Init } from '../nn/swin-v2.js';
import { swinSize, swinSizeOptions } from '../nn/swin-variants.js';
import { dropPathOption, mlpRatioOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  ...swinSizeOptions('Swin V2', 't'),
  window: {
    type: 'integer',
    minimum: 1,
    default: 8,
    description:
      'Window size in cells: 8 or 16 for checkpoints at 256x256, 12 at 192x192, 24 at 384x384. Maps that are smaller have smaller windows, not shifted.',
  },
  pretrained_windows: {
    type: 'array',
    items: { type: 'integer', minimum: 0 },
    minItems: 4,
    maxItems: 4,
    default: [0, 0, 0, 0],
    description:
      "Windows in which each stage's position bias was trained before it was finetuned with this one, such as 12, 12, 12, 6 of a checkpoint 12to16; 0: this one.",
  },
  mlp_ratio: mlpRatioOption,
  drop_path: dropPathOption(0.2),
});

const PATCH = 4;

@component({
  kind: 'backbone',
  name: 'swin_v2',
  summary: 'Swin transformer V2; four maps at strides 4 to 32, as the stages give them.',
  source: "Liu et al. 2022 (Swin Transformer V2); names and arithmetic of transformers' Swinv2Backbone",
  options: schema,
  checkpoint: swinV2Checkpoint,
  file: import.meta.url,
})
export class SwinV2 extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\blayers\.\d+\.blocks\.\d+\./ };

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { window, pretrained_windows: pretrained, mlp_ratio: mlpRatio, drop_path: dropPath } = this.options;
    const { embed, depths, heads } = swinSize(this.options);
    const blocks = depths.reduce((sum, depth) => sum + depth, 0);
    const embeddings = scope.at('embeddings');
    const patches = conv2d(
      embeddings.at('patch_embeddings.projection'),
      padToMultiple(image.data, PATCH),
      embed,
      { kernel: PATCH, stride: PATCH, ...swinV2Init },
    );
    let x = layerNorm(embeddings.at('norm'), patches);
    let before = 0;
    const maps = depths.map((depth, i): FeatureMap => {
      const stage = scope.at(`encoder.layers.${i}`);
      const smaller = Math.min(x.shape[1], x.shape[2]);
      const own = Math.min(window, smaller);
      const half = smaller <= window ? 0 : Math.floor(window / 2);
      for (let j = 0; j < depth; j++, before++)
        x = swinV2Block(stage.at(`blocks.${j}`), x, {
          heads: heads[i],
          window: own,
          shift: j % 2 === 0 ? 0 : half,
          pretrainedWindow: pretrained[i],
          mlpRatio,
          dropPath: (dropPath * before) / Math.max(1, blocks - 1),
        });
      const map = { data: x, stride: PATCH * 2 ** i * image.stride };
      if (i < depths.length - 1) x = patchMergingV2(stage.at('downsample'), x);
      return map;
    });
    return { shared: maps };
  }
}
