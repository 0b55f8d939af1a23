// Swin blocks that all tasks share, then Swin blocks for each task (MTFormer's first stages, Xu et al. 2022).
import type { Tensor4D } from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { layerNorm } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { swinStage } from '../nn/swin.js';
import { mlpRatioOption, windowOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  shared: { type: 'integer', minimum: 0, default: 2, description: 'Blocks that all tasks share.' },
  own: { type: 'integer', minimum: 0, default: 2, description: 'Blocks of each task.' },
  heads: { type: 'integer', minimum: 1, default: 4, description: 'Attention heads.' },
  window: windowOption,
  mlp_ratio: mlpRatioOption,
});

@component({
  kind: 'decoder',
  name: 'swin_tasks',
  summary: 'Swin blocks shared by the tasks, then Swin blocks of each task, on one map.',
  source: 'Xu et al. 2022 (MTFormer); xiaogang00/MTFormer models/swim_transformer2.py',
  options: schema,
  file: import.meta.url,
})
export class SwinTasks extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { shared, own } = this.options;
    const [{ data, stride }] = features.tasks[this.tasks[0].name];
    const common = shared > 0 ? this.#stage(scope.at('shared'), data, shared) : data;
    const pyramids = byTask(this.tasks, (name): FeatureMap[] => [
      { data: own > 0 ? this.#stage(scope.at(name), common, own) : common, stride },
    ]);
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #stage(scope: Scope, x: Tensor4D, depth: number): Tensor4D {
    const { heads, window, mlp_ratio: mlpRatio } = this.options;
    return layerNorm(scope.at('norm'), swinStage(scope, x, { depth, heads, window, mlpRatio }));
  }
}
