// MT-CP's task decoders (paper section 3.2, "Hierarchical Feature Processing"): one small Swin pyramid for each
// task, run directly on the shared map, without patch embedding. Parameter names are those of transformers' Swin.
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { layerNorm } from '../nn/layers.js';
import { checkWindow, patchMerging, swinStage } from '../nn/swin.js';
import { mlpRatioOption, windowOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  depths: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
    default: [1, 2, 1],
    description: 'Blocks of each stage; stages halve the resolution and double the channels.',
  },
  heads: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
    default: [2, 2, 2],
    description: 'Attention heads of each stage.',
  },
  window: windowOption,
  mlp_ratio: mlpRatioOption,
});

@component({
  kind: 'decoder',
  name: 'hfp',
  summary: 'A hierarchical Swin decoder for each task: a pyramid from the finest shared map.',
  source: 'MT-CP section 3.2; depths and heads from the released code',
  options: schema,
  file: import.meta.url,
})
export class Hfp implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    const { depths, heads } = options;
    if (depths.length !== heads.length)
      throw new MtcpError(
        'component',
        `hfp: depths are of ${depths.length} stages, heads of ${heads.length}`,
        {
          option: 'heads',
          hint: 'write one number of blocks and one number of heads for each stage',
        },
      );
  }

  forward(scope: Scope, features: Features): Features {
    const pyramids = Object.fromEntries(
      this.tasks.map(({ name }) => [name, this.#pyramid(scope.at(name), features.tasks[name][0])]),
    );
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #pyramid(scope: Scope, { data, stride }: FeatureMap): Pyramid {
    const { depths, heads, window, mlp_ratio: mlpRatio } = this.options;
    checkWindow(window, data, 'window');
    let x = data;
    return depths.map((depth, i) => {
      const stage = scope.at(`layers.${i}`);
      if (i > 0) x = patchMerging(scope.at(`layers.${i - 1}.downsample`), x);
      x = swinStage(stage, x, { depth, heads: heads[i], window, mlpRatio });
      return { data: layerNorm(scope.at(`norms.${i}`), x), stride: stride * 2 ** i };
    });
  }
}
