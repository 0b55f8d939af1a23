// ATRC (Bruggemann et al. 2021): each task looks at every task, itself included, through an attention whose kind of
// context was chosen for the pair. Label contexts need to know where things are: that is told by auxiliary
// predictions, all of them over classes (depth and normals are cut into classes), which learn from the backbone's
// features but never change them.
import * as tf from '../../registry/tf.js';
import {
  component,
  components,
  defineOptions,
  kindOf,
  MtcpError,
  options,
  tasks,
  type Block,
  type ComponentFactory,
  type FeatureMap,
  type Features,
  type Loss,
  type OptionsOf,
  type Scope,
  type Slot,
  type Task,
} from '../../registry/index.js';
import { own } from '../../registry/own.js';
import { didYouMean } from '../../registry/support/near.js';
import { CONTEXTS, contextAttention, regionsOf, type Context } from '../nn/context-attention.js';
import { normal, torchWeight, zeros } from '../nn/initializers.js';
import { batchNorm, conv2d, dropChannels } from '../nn/layers.js';
import { byTask, concatLevels } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { detach } from '../nn/ops/detach.js';
import { convNorm } from '../nn/residual.js';

const schema = defineOptions({
  contexts: {
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: { enum: CONTEXTS } },
    default: {},
    description:
      "For a target task the context through which it looks at each source task: global (linear attention over all positions), local (a window of 9x9), target_label and source_label (one vector for each class of the target's or the source's auxiliary prediction), or none.",
  },
  otherwise: {
    enum: CONTEXTS,
    default: 'target_label',
    description: 'The context of pairs that `contexts` does not name.',
  },
  auxiliary: {
    type: 'object',
    description: 'Losses of the auxiliary predictions, by kind of task.',
    properties: {
      classes: { $ref: '#/definitions/loss', default: { type: 'cross_entropy' }, description: 'Classes.' },
      depth: { $ref: '#/definitions/loss', default: { type: 'depth_bins' }, description: 'Depth.' },
      normals: {
        $ref: '#/definitions/loss',
        default: { type: 'normal_directions' },
        description: 'Normals.',
      },
      binary: {
        $ref: '#/definitions/loss',
        default: { type: 'balanced_cross_entropy' },
        description: 'Binary tasks.',
      },
    },
    default: {},
  },
  dropout: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.05,
    description: 'Dropout of whole channels at the end.',
  },
});

@component({
  kind: 'interaction',
  name: 'relational_context',
  summary: 'Each task attends to every task through a context chosen for the pair.',
  source: 'Bruggemann et al. 2021 (ATRC); brdav/atrc src/model/heads/relationalcontext.py, attention.py',
  options: schema,
  file: import.meta.url,
})
export class RelationalContext implements Block {
  readonly #auxiliary: Readonly<Record<string, Loss>>;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
    @components() factory: ComponentFactory,
  ) {
    const names = tasks.map(({ name }) => name);
    for (const [target, sources] of Object.entries(options.contexts))
      for (const name of [target, ...Object.keys(sources)])
        if (!names.includes(name))
          throw new MtcpError('component', `interaction relational_context: there is no task "${name}"`, {
            option: 'contexts',
            hint: didYouMean(name, names),
          });
    const losses: Readonly<Record<string, Slot>> = options.auxiliary;
    this.#auxiliary = byTask(tasks, (name, task) => {
      const loss = own(losses, task.kind) ?? kindOf(task).regions;
      if (loss) return factory.create('loss', loss);
      throw new MtcpError(
        'component',
        `interaction relational_context: task "${name}" is of kind ${task.kind}, which has no regions`,
      );
    });
  }

  forward(scope: Scope, features: Features): Features {
    const regions = this.#regions(scope, features);
    const pyramids = byTask(this.tasks, (target): FeatureMap[] => {
      const [own] = features.tasks[target];
      const channels = own.data.shape[3];
      const found = this.tasks.flatMap(({ name: source }) => {
        const context = this.#context(target, source);
        if (context === 'none') return [];
        const at = scope.at(`pairs.${target}.${source}`);
        const inputs = {
          target: own.data,
          source: features.tasks[source][0].data,
          regions: regions[context === 'target_label' ? target : source],
        };
        return [contextAttention(at, context, inputs, Math.max(1, Math.floor(channels / 2)))];
      });
      const distilled =
        found.length === 0 ? own.data : tf.concat([own.data, this.#merge(scope, target, found, channels)], 3);
      const mixed = relu(this.#layer(scope.at(`out.${target}`), distilled as tf.Tensor4D, channels));
      return [
        { data: dropChannels(scope.at(`out.${target}`), mixed, this.options.dropout), stride: own.stride },
      ];
    });
    return { ...features, tasks: pyramids };
  }

  #context(target: string, source: string): Context {
    return this.options.contexts[target]?.[source] ?? this.options.otherwise;
  }

  /** Starts at zero: in the beginning each task has its own features alone. */
  #merge(scope: Scope, target: string, found: tf.Tensor4D[], channels: number): tf.Tensor4D {
    const at = scope.at(`merge.${target}`);
    const all = conv2d(at.at('conv'), tf.concat(found, 3) as tf.Tensor4D, channels, {
      kernel: 1,
      bias: false,
    });
    return batchNorm(at.at('norm'), all, { weightInit: zeros });
  }

  /** Soft regions of those tasks whose classes some pair asks for; predicts them on the way. */
  #regions(scope: Scope, { shared }: Features): Record<string, tf.Tensor3D | undefined> {
    const asked = this.tasks.filter(({ name }) =>
      this.tasks.some(
        ({ name: other }) =>
          this.#context(name, other) === 'target_label' || this.#context(other, name) === 'source_label',
      ),
    );
    if (asked.length === 0) return {};
    if (shared.length === 0)
      throw new MtcpError(
        'component',
        'interaction relational_context: label contexts need shared features',
        {
          hint: 'the backbone has an encoder for each task; use global or local contexts',
        },
      );
    const all = detach(concatLevels(shared).data);
    return byTask(asked, (name, task) => {
      const at = scope.at(`auxiliary.${name}`);
      const loss = this.#auxiliary[name];
      const scores = conv2d(
        at.at('classify'),
        relu(this.#layer(at, all, all.shape[3])),
        loss.channels?.(task) ?? task.channels,
        { kernel: 1, weightInit: normal(0.01), biasInit: zeros },
      );
      scope.predict(name, scores, loss);
      return regionsOf(scores);
    });
  }

  #layer(scope: Scope, x: tf.Tensor4D, channels: number): tf.Tensor4D {
    return convNorm(scope, ['conv', 'norm'], x, channels, { kernel: 1, weightInit: torchWeight });
  }
}
