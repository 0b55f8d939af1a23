// MLoRE (Yang et al. 2024): at every tap of a plain transformer, two modules in series in which all tasks share a
// bank of low-rank experts and each task's router picks from it; the taps are then mixed position by position.
//
// Experts are linear and stay so: what a task takes from them is one convolution into all ranks together, each
// rank's channels times its expert's share, one convolution back.
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
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { expertBank, experts, lowRank } from '../nn/experts.js';
import { gelu } from '../nn/ops/activations.js';
import { detach } from '../nn/ops/detach.js';
import { route, squaredVariation } from '../nn/router.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 4, default: 768, description: 'Width of all modules.' },
  ranks: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 2,
    default: [16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240],
    description: 'Rank of each expert.',
  },
  top: { type: 'integer', minimum: 1, default: 9, description: 'Experts that each router keeps.' },
  own_rank: { type: 'integer', minimum: 1, default: 16, description: "Rank of each task's own branch." },
  select: {
    enum: ['before_softmax', 'after_softmax'],
    default: 'before_softmax',
    description:
      'Drop the other experts before the softmax (NYUD), or after it without renormalising (Pascal).',
  },
  balance: {
    type: 'number',
    minimum: 0,
    default: 5e-4,
    description: "Weight of the squared coefficient of variation of the experts' shares, as an extra loss.",
  },
  noise: {
    type: 'boolean',
    default: true,
    description: "Add noise of learnt strength to the routers' scores in training.",
  },
});

@component({
  kind: 'decoder',
  name: 'mlore',
  summary: 'Two mixtures of shared low-rank experts per tap and task; taps mixed by a softmax.',
  source: 'Yang et al. 2024 (MLoRE); YuqiYang213/MLoRE models/transformers/MLoRE.py',
  options: schema,
  file: import.meta.url,
})
export class Mlore extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const maps: Record<string, tf.Tensor4D[]> = byTask(this.tasks, () => []);
    features.shared.forEach(({ data }, tap) => {
      const at = scope.at(`taps.${tap}`);
      const shared = conv2d(at.at('reduce'), data, this.options.channels, { kernel: 1 });
      const first = this.#module(
        at.at('0'),
        byTask(this.tasks, () => shared),
      );
      const second = this.#module(at.at('1'), first);
      for (const { name } of this.tasks) maps[name].push(second[name]);
    });
    const { stride } = features.shared[0];
    const pyramids = byTask(this.tasks, (name): Pyramid => [
      { data: this.#mix(scope.at(`mix.${name}`), maps[name]), stride },
    ]);
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  /** One mixture-of-experts module for all tasks; adds the balance of its routers to the losses. */
  #module(scope: Scope, inputs: Record<string, tf.Tensor4D>): Record<string, tf.Tensor4D> {
    const { ranks, channels, own_rank: ownRank, balance, ...routing } = this.options;
    const shares: tf.Tensor2D[] = [];
    const bank = experts(scope.at('experts'), channels, ranks);
    const outputs = byTask(this.tasks, (name) => {
      const own = scope.at(name);
      const x = conv2d(own.at('in'), inputs[name], channels, { kernel: 1 });
      const { share, gain } = route(own.at('router'), x, ranks.length, routing);
      shares.push(share);
      const general = batchNorm(own.at('expert_norm'), expertBank(bank, x, share));
      const special = lowRank(own.at('own'), x, ownRank).mul(gain);
      // The convolution that all tasks share learns for itself only: nothing flows back through it.
      const generic = conv2d(scope.shared('generic'), detach(x), channels, { kernel: 3, padding: 1 });
      const mixed = batchNorm(own.at('norm'), general.add(special).add(generic) as tf.Tensor4D);
      return conv2d(own.at('out'), gelu(mixed), channels, { kernel: 1 });
    });
    scope.penalty('balance', squaredVariation(tf.concat(shares, 0).mean(0)), balance);
    return outputs;
  }

  /** A softmax over the taps at each position. */
  #mix(scope: Scope, maps: tf.Tensor4D[]): tf.Tensor4D {
    const all = tf.concat(maps, 3) as tf.Tensor4D;
    const hidden = batchNorm(
      scope.at('norm'),
      conv2d(scope.at('conv1'), all, this.options.channels, { kernel: 1 }),
    );
    const scores = conv2d(scope.at('conv2'), gelu(hidden), maps.length, { kernel: 3, padding: 1 });
    const shares = tf.split(tf.softmax(scores), maps.length, 3);
    return tf.addN(maps.map((map, i) => map.mul(shares[i]))) as tf.Tensor4D;
  }
}
