// HRNet (Wang et al. 2020): parallel branches at strides 4, 8, 16 and 32 that exchange features after every module.
// "HRNet-18" in papers on multi-task prediction means the second small version, which is the default here.
import type { Tensor4D } from '../../registry/tf.js';
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
import { hrnetCheckpoint } from '../checkpoints/hrnet.js';
import { relu } from '../nn/ops/activations.js';
import { basicBlock, bottleneck, convNorm } from '../nn/residual.js';
import { resizeBilinear, resizeNearest } from '../nn/resize.js';

const schema = defineOptions({
  variant: {
    enum: ['w18-small-v2', 'w18', 'w32', 'w48'],
    default: 'w18-small-v2',
    description: 'Sets the defaults of width, modules and blocks.',
  },
  width: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Channels at stride 4; each coarser branch has twice as many. null: of the variant.',
  },
  modules: {
    type: ['array', 'null'],
    items: { type: 'integer', minimum: 1 },
    minItems: 3,
    maxItems: 3,
    default: null,
    description: 'Modules with 2, 3 and 4 branches. null: of the variant.',
  },
  blocks: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Blocks of each branch of a module, and of the first stage. null: of the variant.',
  },
  stem: { type: 'integer', minimum: 1, default: 64, description: 'Channels of the stem.' },
  upsample: {
    enum: ['bilinear', 'nearest'],
    default: 'bilinear',
    description:
      'How coarse branches reach finer ones: bilinear in the networks for dense prediction, nearest in those for classification (timm).',
  },
});

const VARIANTS = {
  'w18-small-v2': { width: 18, modules: [1, 3, 2], blocks: 2 },
  w18: { width: 18, modules: [1, 4, 3], blocks: 4 },
  w32: { width: 32, modules: [1, 4, 3], blocks: 4 },
  w48: { width: 48, modules: [1, 4, 3], blocks: 4 },
} as const;

const sizeOf = (x: Tensor4D) => [x.shape[1], x.shape[2]] as const;

@component({
  kind: 'backbone',
  name: 'hrnet',
  summary: 'High-resolution network; four maps at strides 4 to 32.',
  source:
    'Wang et al. 2020; names of HRNet/HRNet-Semantic-Segmentation and timm; configuration as in SimonVandenhende/Multi-Task-Learning-PyTorch models/seg_hrnet.py',
  options: schema,
  checkpoint: hrnetCheckpoint,
  file: import.meta.url,
})
export class HrNet extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\b(?:layer1|stage\d)\.\d+\./ };

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { variant, stem } = this.options;
    const width = this.options.width ?? VARIANTS[variant].width;
    const modules = this.options.modules ?? VARIANTS[variant].modules;
    const blocks = this.options.blocks ?? VARIANTS[variant].blocks;

    let x = image.data;
    for (const i of [1, 2])
      x = relu(convNorm(scope, [`conv${i}`, `bn${i}`], x, stem, { kernel: 3, stride: 2, padding: 1 }));
    for (let j = 0; j < blocks; j++) x = bottleneck(scope.at(`layer1.${j}`), x, stem);

    let branches = [x];
    modules.forEach((count, i) => {
      const channels = Array.from({ length: i + 2 }, (_, b) => width * 2 ** b);
      branches = this.#transition(scope.at(`transition${i + 1}`), branches, channels);
      for (let m = 0; m < count; m++)
        branches = this.#module(scope.at(`stage${i + 2}.${m}`), branches, channels, blocks);
    });
    return {
      shared: branches.map((data, b): FeatureMap => ({ data, stride: image.stride * 4 * 2 ** b })),
    };
  }

  /** Adapts widths and starts one more branch from the coarsest. */
  #transition(scope: Scope, branches: Tensor4D[], channels: number[]): Tensor4D[] {
    return channels.map((out, b) => {
      if (b < branches.length) {
        if (branches[b].shape[3] === out) return branches[b];
        const at = scope.at(`${b}`);
        return relu(convNorm(at, ['0', '1'], branches[b], out, { kernel: 3, padding: 1 }));
      }
      const at = scope.at(`${b}.0`);
      return relu(
        convNorm(at, ['0', '1'], branches[branches.length - 1], out, { kernel: 3, stride: 2, padding: 1 }),
      );
    });
  }

  /** Blocks in every branch, then each branch becomes the sum of all, brought to its size. */
  #module(scope: Scope, inputs: Tensor4D[], channels: number[], blocks: number): Tensor4D[] {
    const branches = inputs.map((input, b) => {
      let x = input;
      for (let j = 0; j < blocks; j++) x = basicBlock(scope.at(`branches.${b}.${j}`), x, channels[b]);
      return x;
    });
    return branches.map((own, to) => {
      const parts = branches.map((x, from) => {
        const at = scope.at(`fuse_layers.${to}.${from}`);
        if (from === to) return own;
        return from > to ? this.#lift(at, x, channels[to], own) : this.#lower(at, x, channels, from, to);
      });
      return relu(parts.reduce((sum, part) => sum.add(part)));
    });
  }

  #lift(scope: Scope, x: Tensor4D, out: number, like: Tensor4D): Tensor4D {
    const narrow = convNorm(scope, ['0', '1'], x, out, { kernel: 1 });
    const resize = this.options.upsample === 'bilinear' ? resizeBilinear : resizeNearest;
    return resize(narrow, sizeOf(like));
  }

  /** Strided 3x3 convolutions; only the last one changes the width and has no ReLU. */
  #lower(scope: Scope, x: Tensor4D, channels: number[], from: number, to: number): Tensor4D {
    for (let step = from; step < to; step++) {
      const last = step === to - 1;
      const out = last ? channels[to] : channels[from];
      const names = [`${step - from}.0`, `${step - from}.1`] as const;
      const y = convNorm(scope, names, x, out, { kernel: 3, stride: 2, padding: 1 });
      x = last ? y : relu(y);
    }
    return x;
  }
}
