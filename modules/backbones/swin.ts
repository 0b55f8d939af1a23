// The Swin transformer (Liu et al. 2021) as a backbone.
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
import { swinCheckpoint } from '../checkpoints/swin.js';
import { swinEncoder } from '../nn/swin-encoder.js';
import { swinSize, swinSizeOptions } from '../nn/swin-variants.js';
import { dropPathOption, mlpRatioOption, windowOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  ...swinSizeOptions('Swin', 't'),
  window: { ...windowOption, description: 'Window size in cells: 7, or 12 for checkpoints at 384x384.' },
  mlp_ratio: mlpRatioOption,
  drop_path: dropPathOption(0.3),
});

@component({
  kind: 'backbone',
  name: 'swin',
  summary: 'Swin transformer; four maps at strides 4 to 32, each through a norm of its own.',
  source: "Liu et al. 2021; names and arithmetic of transformers' SwinBackbone",
  options: schema,
  checkpoint: swinCheckpoint,
  file: import.meta.url,
})
export class Swin extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\blayers\.\d+\.blocks\.\d+\./, after: /\bhidden_states_norms\./ };

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const encoder = { ...this.options, ...swinSize(this.options) };
    return { shared: swinEncoder(scope, image, encoder) };
  }
}
