// Pattern-affinitive propagation (Zhang et al. 2019). Each task learns how alike any two positions are; a task's
// features are then diffused along a mixture of all tasks' affinities:
//
//   S_j = softmax(X_j X_j^T / sqrt(C)),  S^_t = sum_j a_tj S_j with a_t a softmax,  h <- b S^_t h + (1 - b) h_0
//
// There is no released code. The paper says: affinities of each task, adaptive combination, diffusion towards the
// features themselves. Ours: the softmax over rows (rows sum to one, so diffusion neither grows nor shrinks
// anything), the scale, and working at a coarse stride, since the matrix has (cells)^2 entries. Affinities are
// applied, never stored; the paper's pairwise loss takes those of some positions (auxiliary `pairwise_affinity`).
import * as tf from '../../registry/tf.js';
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
import { zeros } from '../nn/initializers.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { softmaxAffinity } from '../nn/ops/affinity.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: "Width of the affinities' features; null: half of what comes in.",
  },
  stride: {
    type: 'integer',
    minimum: 1,
    default: 8,
    description: 'Input pixels per cell of the affinities.',
  },
  strength: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: 'How much of each diffusion step comes from the neighbours (beta).',
  },
  steps: { type: 'integer', minimum: 1, default: 3, description: 'Diffusion steps.' },
});

@component({
  kind: 'interaction',
  name: 'pap',
  summary: "Diffuses each task's features along a learnt mixture of all tasks' affinities.",
  source:
    'Zhang et al. 2019, "Pattern-Affinitive Propagation across Depth, Surface Normal and Semantic Segmentation"',
  options: schema,
  file: import.meta.url,
})
export class PatternAffinity extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { strength, steps } = this.options;
    const maps = byTask(this.tasks, (name) => this.#reduce(scope.at(`reduce.${name}`), features, name));
    // What the pairwise loss makes affinities of.
    for (const { name } of this.tasks) scope.expose(`affinity.${name}`, () => maps[name].data);
    const [batch, rows, columns, channels] = maps[this.tasks[0].name].data.shape;
    const start = byTask(
      this.tasks,
      (name) => maps[name].data.reshape([batch, rows * columns, channels]) as tf.Tensor3D,
    );
    const count = this.tasks.length;
    const shares = byTask(this.tasks, (name) =>
      tf.softmax(scope.at(`mix.${name}`).param<tf.Rank.R1>('weight', [count], zeros)),
    );
    let current = start;
    for (let step = 0; step < steps; step++) {
      // Every affinity is applied to the features of all tasks at once: [batch, cells, tasks * channels].
      const all = tf.concat(
        this.tasks.map(({ name }) => current[name]),
        2,
      ) as tf.Tensor3D;
      const spread = this.tasks.map(({ name }) => {
        const x = start[name];
        return tf.split(softmaxAffinity(x.div(Math.sqrt(channels)), x, all), count, 2);
      });
      current = byTask(this.tasks, (name) => {
        const t = this.tasks.findIndex((task) => task.name === name);
        const mixed = tf.addN(spread.map((parts, j) => parts[t].mul(tf.slice(shares[name], j, 1))));
        return mixed.mul(strength).add(start[name].mul(1 - strength)) as tf.Tensor3D;
      });
    }
    const pyramids = byTask(this.tasks, (name): FeatureMap[] => [
      { data: current[name].reshape([batch, rows, columns, channels]), stride: maps[name].stride },
    ]);
    return { ...features, tasks: pyramids };
  }

  #reduce(scope: Scope, features: Features, name: string): FeatureMap {
    const [{ data, stride }] = features.tasks[name];
    const [, height, width, channels] = data.shape;
    const out = this.options.channels ?? Math.max(1, Math.floor(channels / 2));
    const narrow = conv2d(scope, data, out, { kernel: 1 });
    const factor = Math.max(1, this.options.stride / stride);
    const size = [Math.ceil(height / factor), Math.ceil(width / factor)] as const;
    return { data: resizeBilinear(narrow, size), stride: stride * factor };
  }
}
