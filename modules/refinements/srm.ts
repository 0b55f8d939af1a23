// Spatial Refinement Modules (paper section 3.4): what the interaction found is traced back through each task's
// decoder stages, from the coarsest to the finest. Every stage gives refined prediction features, whose
// predictions are supervised, and features that go on to the next stage.
import * as tf from '../../registry/tf.js';
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
  type Scope,
  type Task,
} from '../../registry/index.js';
import { didYouMean } from '../../registry/support/near.js';
import { cbam } from '../nn/cbam.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { relu } from '../nn/ops/activations.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  carry: {
    enum: ['feature', 'prediction'],
    default: 'feature',
    description:
      'What a stage hands to the next one: its feature branch (as in the released code) or its prediction branch.',
  },
  intermediate: {
    type: 'boolean',
    default: true,
    description: 'Predict from every stage but the last and supervise these predictions.',
  },
  intermediate_convolutions: {
    type: 'object',
    additionalProperties: { enum: [1, 2] },
    default: {},
    description:
      "1x1 convolutions before the norm of a task's intermediate heads, by task; 2 where nothing is said. On PASCAL-Context the released code has 1 for human parts and saliency: {human_parts: 1, saliency: 1}.",
  },
  skip: {
    type: 'boolean',
    default: false,
    description:
      "Adds the map that refinement starts from to what its last stage gives. Neither the paper's nor the code's.",
  },
  reduction: {
    type: 'integer',
    minimum: 1,
    default: 16,
    description: 'Channel reduction inside the CBAMs.',
  },
});

@component({
  kind: 'refinement',
  name: 'srm',
  summary:
    'Spatial Refinement Modules: trace-back through the decoder stages, with intermediate predictions.',
  source: 'MT-CP section 3.4; released code: SPF, TraceBack',
  options: schema,
  file: import.meta.url,
})
export class Srm implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    const names = tasks.map(({ name }) => name);
    for (const name of Object.keys(options.intermediate_convolutions))
      if (!names.includes(name))
        throw new MtcpError('component', `srm: there is no task "${name}" with intermediate heads`, {
          option: 'intermediate_convolutions',
          hint: didYouMean(name, names),
        });
  }

  forward(scope: Scope, features: Features): Features {
    const refined = this.tasks.map((task) => [
      task.name,
      [this.#traceBack(scope.at(task.name), task, features)],
    ]);
    return { ...features, tasks: Object.fromEntries(refined) };
  }

  #traceBack(scope: Scope, task: Task, features: Features): FeatureMap {
    const [start] = features.tasks[task.name];
    const channels = start.data.shape[3];
    const stages = [...features.stages[task.name]].reverse();
    let carried = start.data;
    let prediction = start.data;
    stages.forEach(({ data }, i) => {
      const last = i === stages.length - 1;
      const stage = scope.at(`stages.${i}`);
      const { reduction } = this.options;
      const size = [data.shape[1], data.shape[2]] as const;
      const above = resizeBilinear(cbam(stage.at('cbam_prediction'), carried, { reduction }), size);
      const both = tf.concat([above, cbam(stage.at('cbam_feature'), data, { reduction })], 3);
      const branch = (name: string, out: number) =>
        relu(batchNorm(stage.at(`${name}_norm`), conv2d(stage.at(name), both, out, { kernel: 1 })));
      const refined = branch('prediction', channels);
      prediction = refined;
      scope.expose(String(i), () => refined);
      if (last) return;
      if (this.options.intermediate && scope.training)
        scope.predict(task.name, this.#predict(scope.at(`predict.${i}`), prediction, task));
      // The last stage has no feature branch: nothing would use it.
      carried = this.options.carry === 'feature' ? branch('feature', data.shape[3]) : prediction;
    });
    if (this.options.skip) prediction = prediction.add(start.data);
    return { data: prediction, stride: stages[stages.length - 1].stride };
  }

  #predict(scope: Scope, x: tf.Tensor4D, task: Task): tf.Tensor4D {
    const channels = x.shape[3];
    let y = x;
    for (let i = 1; i <= (this.options.intermediate_convolutions[task.name] ?? 2); i++)
      y = conv2d(scope.at(`conv${i}`), y, channels, { kernel: 1, bias: false });
    return conv2d(scope.at('classify'), relu(batchNorm(scope.at('norm'), y)), task.channels, { kernel: 1 });
  }
}
