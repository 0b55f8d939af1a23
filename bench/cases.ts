// What `npm run bench` can run: parts of a network, and whole networks at several sizes.
import { join } from 'node:path';
import { rowSizes } from './row.js';

const CONFIGS = join(import.meta.dirname, '../../bench/configs');

export interface Case {
  title: string;
  piece: string;
  /** A function where they take work to find out. */
  sizes: Record<string, unknown> | (() => Record<string, unknown>);
  /** Run when no case is asked for by name. */
  standard: boolean;
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
  sizes: () => rowSizes(name, { experiment: 'table1.yaml', profile: 'embedded', row, overrides }),
  standard: true,
});

export const CASES: Record<string, Case> = {
  embedded: {
    title: 'training step of the embedded MT-CP, 64x96 batch 4',
    piece: 'training_step',
    sizes: network('embedded', 4, 64, 96),
    standard: true,
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
    standard: true,
  },
  swin8: { title: 'the same, 8 heads', piece: 'swin_stage', sizes: { heads: 8 }, standard: true },
  conv: {
    title: '3x3 convolution 256 to 256, BatchNorm, ReLU, 120x160 batch 2',
    piece: 'conv',
    sizes: {},
    standard: true,
  },
  cbam: {
    title: '1x1 convolution, BatchNorm, CBAM, 120x160 batch 2',
    piece: 'cbam',
    sizes: {},
    standard: true,
  },
  affinity: {
    title: 'softmax affinity of 60x80 positions, batch 2',
    piece: 'affinity',
    sizes: {},
    standard: true,
  },
  loss: {
    title: 'x2 resize and cross entropy, 40 classes 480x640 batch 2',
    piece: 'cross_entropy',
    sizes: {},
    standard: true,
  },
  deformable: {
    title: 'multi-scale deformable attention, 6300 positions batch 2',
    piece: 'deformable_attention',
    sizes: {},
    standard: true,
  },
  adamw: { title: 'AdamW over 50 million parameters', piece: 'adamw', sizes: {}, standard: true },
  ...Object.fromEntries(
    (
      [
        [96, 128, undefined],
        [192, 256, undefined],
        [256, 320, 7],
        [480, 640, 20],
      ] as const
    ).flatMap(([height, width, memory]) =>
      (['training_step', 'evaluation'] as const).map((piece) => [
        `${piece === 'evaluation' ? 'eval' : 'step'}-${height}x${width}`,
        {
          title: `${piece === 'evaluation' ? 'evaluation forward' : 'training step'} of the full MT-CP, ${height}x${width} batch 1`,
          piece,
          sizes: network('nyud', 1, height, width),
          standard: false,
          memory,
        },
      ]),
    ),
  ),
};
