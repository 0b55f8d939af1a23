// What `npm run bench` can run: parts of a network, and whole networks at several sizes.
import { join } from 'node:path';
import { rowSizes } from './row.js';

const CONFIGS = join(import.meta.dirname, '../../bench/configs');

/** The tables that the cases are rows of, in the order of printing, with their titles. */
export const GROUPS = {
  embedded: 'Training step of the embedded MT-CP',
  systems: 'Training steps of compared systems, embedded',
  parts: 'Parts of networks',
  steps: 'Training steps of the full MT-CP',
  evaluation: 'Evaluation of the full MT-CP',
} as const;
export type Group = keyof typeof GROUPS;

export interface Case {
  title: string;
  group: Group;
  piece: string;
  /** A function where they take work to find out. */
  sizes: Record<string, unknown> | (() => Record<string, unknown>);
  /** Left out unless it is asked for: both programs together take too much memory or time. */
  large?: boolean;
  /** What PyTorch needs, in GB, where it is much. */
  memory?: number;
}

const network = (config: string, batch: number, height: number, width: number) => ({
  config: join(CONFIGS, `${config}.json`),
  batch,
  height,
  width,
});

/** The embedded training step of a row of table 1. */
const system = (name: string, row: string, notes = '', overrides: readonly string[] = []): Case => ({
  title: `training step of the embedded ${row}${notes}, 64x96 batch 4`,
  piece: 'system_step',
  group: 'systems',
  sizes: () => rowSizes(name, { experiment: 'table1.yaml', profile: 'embedded', row, overrides }),
});

export const CASES: Record<string, Case> = {
  embedded: {
    title: 'training step of the embedded MT-CP, 64x96 batch 4',
    piece: 'training_step',
    group: 'embedded',
    sizes: network('embedded', 4, 64, 96),
  },
  'cross-stitch': system('cross-stitch', 'Cross-Stitch'),
  'mti-net': system('mti-net', 'MTI-Net'),
  invpt: system('invpt', 'InvPT'),
  demt: system('demt', 'DeMT'),
  // Two programs do not draw the same noise.
  mlore: system('mlore', 'MLoRE', ' without routing noise', ['model.decoder.noise=false']),
  swin2: {
    title: 'Swin stage, 256 channels 60x80 batch 2, 2 heads',
    piece: 'swin_stage',
    sizes: { heads: 2 },
    group: 'parts',
  },
  swin8: { title: 'the same, 8 heads', piece: 'swin_stage', group: 'parts', sizes: { heads: 8 } },
  conv: {
    title: '3x3 convolution 256 to 256, BatchNorm, ReLU, 120x160 batch 2',
    piece: 'conv',
    sizes: {},
    group: 'parts',
  },
  cbam: {
    title: '1x1 convolution, BatchNorm, CBAM, 120x160 batch 2',
    piece: 'cbam',
    sizes: {},
    group: 'parts',
  },
  affinity: {
    title: 'softmax affinity of 60x80 positions, batch 2',
    piece: 'affinity',
    sizes: {},
    group: 'parts',
  },
  loss: {
    title: 'x2 resize and cross entropy, 40 classes 480x640 batch 2',
    piece: 'cross_entropy',
    sizes: {},
    group: 'parts',
  },
  deformable: {
    title: 'multi-scale deformable attention, 6300 positions batch 2',
    piece: 'deformable_attention',
    sizes: {},
    group: 'parts',
  },
  adamw: { title: 'AdamW over 50 million parameters', piece: 'adamw', group: 'parts', sizes: {} },
  // The paper's own step, for GPUs.
  'step-480x640-2': {
    title: 'training step of the full MT-CP, 480x640 batch 2',
    piece: 'training_step',
    sizes: network('nyud', 2, 480, 640),
    group: 'steps',
    large: true,
    memory: 40,
  },
  ...Object.fromEntries(
    (
      [
        [96, 128, undefined],
        [192, 256, undefined],
        [256, 320, 7],
        [480, 640, 20],
      ] as const
    ).flatMap(([height, width, memory]) =>
      (['training_step', 'evaluation'] as const).map((piece): [string, Case] => [
        `${piece === 'evaluation' ? 'eval' : 'step'}-${height}x${width}`,
        {
          title: `${piece === 'evaluation' ? 'evaluation forward' : 'training step'} of the full MT-CP, ${height}x${width} batch 1`,
          piece,
          sizes: network('nyud', 1, height, width),
          group: piece === 'evaluation' ? 'evaluation' : 'steps',
          large: height === 480,
          memory,
        },
      ]),
    ),
  ),
};
