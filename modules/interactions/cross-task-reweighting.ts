// TaskPrompter's exchange between tasks (Ye and Xu 2023): at every level each task's map becomes a sum of all tasks'
// maps, with weights made of how strongly its prompt asks for the others' prompts.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  MtcpError,
  type Block,
  type FeatureMap,
  type Features,
  type Scope,
} from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { gelu } from '../nn/ops/activations.js';

@component({
  kind: 'interaction',
  name: 'cross_task_reweighting',
  summary: "Sums of all tasks' maps with weights from the scores between the tasks' prompts.",
  source:
    'Ye and Xu 2023 (TaskPrompter); prismformore/Multi-Task-Transformer TaskPrompter/models/transformers/taskprompter.py',
  file: import.meta.url,
})
export class CrossTaskReweighting extends Configured implements Block {
  forward(scope: Scope, features: Features): Features {
    const relations = features.taps.get('relations');
    if (!relations)
      throw new MtcpError(
        'component',
        'interaction cross_task_reweighting: the backbone does not tell how tasks relate',
        { hint: 'backbone prompted_vit does' },
      );
    const pyramids = byTask(this.tasks, (target) =>
      features.tasks[target].map(({ stride }, level): FeatureMap => {
        const weights = this.#weights(scope.at(`${level}.${target}`), relations[level], target);
        const terms = this.tasks.map(({ name }, i) =>
          features.tasks[name][level].data.mul(tf.slice(weights, [0, 0, i, 0], [-1, 1, 1, 1])),
        );
        return { data: tf.addN(terms) as tf.Tensor4D, stride };
      }),
    );
    return { ...features, tasks: pyramids };
  }

  /** @param scores [batch, heads, tasks, tasks] @returns weight of each task for the target, [batch, 1, tasks, 1] */
  #weights(scope: Scope, scores: tf.Tensor4D, target: string): tf.Tensor4D {
    const t = this.tasks.findIndex(({ name }) => name === target);
    const heads = scores.shape[1];
    const row = tf.slice(scores, [0, 0, t, 0], [-1, -1, 1, -1]).transpose([0, 2, 3, 1]) as tf.Tensor4D;
    const hidden = gelu(conv2d(scope.at('conv1'), row, heads, { kernel: 1 }));
    return conv2d(scope.at('conv2'), hidden, 1, { kernel: 1 });
  }
}
