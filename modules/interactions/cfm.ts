// Coherence Fusion Module (paper section 3.3): each task's map is mixed by its affinity to the other tasks'
// gated maps, and in the paper's form pulled into their direction by a cosine loss.
//
// paper: aux = ReLU BN CBAM of the reduced gated concatenation, main = ReLU BN CBAM of the task's own map; cosine
//        loss between the two; main mixed by softmax(main aux^T); CBAM with a 1x1 spatial gate, BN.
// code:  two branches of the mixed concatenation give the affinity, main = BN CBAM without ReLU is what is
//        mixed; no loss; ordinary CBAM, BN.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type Block,
  type Features,
  type OptionsOf,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { cbam } from '../nn/cbam.js';
import { zeros } from '../nn/initializers.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { relu } from '../nn/ops/activations.js';
import { softmaxAffinity } from '../nn/ops/affinity.js';

const schema = defineOptions({
  variant: {
    enum: ['paper', 'code'],
    default: 'paper',
    description: 'The module as the paper describes it or as the released code has it.',
  },
  merge: {
    enum: ['affinity', 'channel'],
    default: 'affinity',
    description:
      'How main and auxiliary features are multiplied: positions by positions (softmax), or channels by channels (paper variant only).',
  },
  coherence: {
    enum: ['cosine', 'none', null],
    default: null,
    description:
      'Cosine distance between main and auxiliary features as an extra loss (paper variant only); null: as the variant says.',
  },
  coherence_weight: {
    type: 'number',
    minimum: 0,
    default: 1,
    description: 'Weight of that loss; it stays outside the loss-weighting scheme.',
  },
  residual: {
    enum: ['none', 'gamma'],
    default: 'none',
    description:
      "gamma: x + gamma * CFM(x) with a learnt gamma for each channel that starts at 0, so that training starts from the network without the module. Neither the paper's nor the code's.",
  },
  reduction: {
    type: 'integer',
    minimum: 1,
    default: 16,
    description: 'Channel reduction inside the CBAMs.',
  },
});

@component({
  kind: 'interaction',
  name: 'cfm',
  summary:
    'Coherence Fusion Module: mixes each task by its affinity to the others, with a cosine coherence loss.',
  source: 'MT-CP section 3.3; released code: GAAF_module2',
  options: schema,
  file: import.meta.url,
})
export class Cfm implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    const { variant, merge, coherence } = options;
    if (variant === 'code' && (merge === 'channel' || coherence === 'cosine'))
      throw new MtcpError(
        'component',
        'cfm: the released code has neither a channel merge nor a coherence loss',
        {
          option: merge === 'channel' ? 'merge' : 'coherence',
          hint: 'use `variant: paper` with this option',
        },
      );
  }

  forward(scope: Scope, features: Features): Features {
    if (this.tasks.length < 2)
      throw new MtcpError('component', 'cfm needs at least two tasks to exchange anything', {
        hint: 'set `model: {interaction: null}` for a single-task row',
      });
    const maps = this.tasks.map(({ name }) => {
      const [{ data, stride }] = features.tasks[name];
      const others = this.tasks.filter((other) => other.name !== name);
      const gated = this.#gatedOthers(
        scope.at(name),
        others.map((other) => [other.name, features.tasks[other.name][0].data]),
      );
      const merge = this.options.variant === 'paper' ? this.#paper : this.#code;
      const mixed = merge.call(this, scope.at(name), data, gated);
      return [name, [{ data: this.#besides(scope.at(name), data, mixed), stride }]];
    });
    return { ...features, tasks: Object.fromEntries(maps) };
  }

  #besides(scope: Scope, x: tf.Tensor4D, mixed: tf.Tensor4D): tf.Tensor4D {
    if (this.options.residual === 'none') return mixed;
    return x.add(mixed.mul(scope.param<tf.Rank.R1>('gamma', [x.shape[3]], zeros)));
  }

  /** Every other task's map times a gate of its own, side by side. */
  #gatedOthers(scope: Scope, others: [string, tf.Tensor4D][]): tf.Tensor4D {
    const gated = others.map(([name, x]) => {
      const gate = conv2d(scope.at(`gates.${name}`), x, x.shape[3], { kernel: 1 }).sigmoid();
      return x.mul(gate) as tf.Tensor4D;
    });
    return tf.concat(gated, 3);
  }

  #paper(scope: Scope, x: tf.Tensor4D, gated: tf.Tensor4D): tf.Tensor4D {
    const channels = x.shape[3];
    const main = relu(this.#attend(scope, 'main', x));
    const aux = relu(this.#attend(scope, 'aux', conv2d(scope.at('reduce'), gated, channels, { kernel: 1 })));
    if ((this.options.coherence ?? 'cosine') === 'cosine')
      scope.penalty('coherence', cosineDistance(main, aux), this.options.coherence_weight);
    const merged =
      this.options.merge === 'affinity'
        ? softmaxAffinity(positions(main), positions(aux), positions(main), tileElements(scope))
        : mixChannels(positions(main), positions(aux));
    return this.#attend(scope, 'out', merged.reshape(x.shape), 1);
  }

  #code(scope: Scope, x: tf.Tensor4D, gated: tf.Tensor4D): tf.Tensor4D {
    const mixed = relu(conv2d(scope.at('mix'), gated, gated.shape[3], { kernel: 1 }));
    const main = this.#attend(scope, 'main', x);
    const [query, key] = ['query', 'key'].map((branch) => relu(this.#attend(scope, branch, mixed)));
    const merged = softmaxAffinity(positions(query), positions(key), positions(main), tileElements(scope));
    return this.#attend(scope, 'out', merged.reshape(x.shape));
  }

  /** BN(CBAM(x)) */
  #attend(scope: Scope, branch: string, x: tf.Tensor4D, kernel = 7): tf.Tensor4D {
    const gated = cbam(scope.at(`cbam_${branch}`), x, { reduction: this.options.reduction, kernel });
    return batchNorm(scope.at(`norm_${branch}`), gated);
  }
}

/** Affinities to hold at a time; undefined leaves it to the operation. */
const tileElements = ({ memory }: Scope) => (memory.affinity === 'full' ? Infinity : undefined);

function positions(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, height, width, channels] = x.shape;
  return x.reshape([batch, height * width, channels]);
}

/** (m^T a / positions) applied to m's channels: out = m (m^T a / n)^T. */
function mixChannels(main: tf.Tensor3D, aux: tf.Tensor3D): tf.Tensor3D {
  const affinity = tf.matMul(main, aux, true, false).div(main.shape[1]);
  return tf.matMul(main, affinity as tf.Tensor3D, false, true);
}

/** Mean over batch and positions of 1 - cos over channels; norms below 1e-8 count as 1e-8, as in torch. */
function cosineDistance(a: tf.Tensor4D, b: tf.Tensor4D): tf.Scalar {
  const norm = (x: tf.Tensor4D) =>
    tf.sqrt(tf.maximum(x.square().sum(3), tf.fill(x.shape.slice(0, 3), 1e-16)));
  const cosine = a
    .mul(b)
    .sum(3)
    .div(norm(a).mul(norm(b)));
  return tf.sub(1, cosine.mean());
}
