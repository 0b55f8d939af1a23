// HRNets of timm, and of the authors' repositories for classification and segmentation, which use the same names.
import type { CheckpointFormat } from '../../registry/index.js';
import { countOf, dimension, variantOf } from './shapes.js';

export const hrnetCheckpoint: CheckpointFormat = {
  title: 'HRNet of timm',
  example: 'timm/hrnet_w18_small_v2.ms_in1k (also hrnet_w18, _w32, _w48)',
  renames: [],
  skips: [
    [/^(incre_modules|downsamp_modules|final_layer|classifier)\./, 'classifies images'],
    [/^last_layer\./, 'segments images'],
  ],

  infer(shapes) {
    return {
      width: dimension(shapes, 'stage2.0.branches.0.0.conv1.weight', 0),
      modules: [2, 3, 4].map((stage) => countOf(shapes, `stage${stage}`)),
      blocks: countOf(shapes, 'stage2.0.branches.0'),
      stem: dimension(shapes, 'conv1.weight', 0),
    };
  },

  variant: (options) =>
    variantOf(options, {
      'HRNet-W18-small-v2': { width: 18, modules: [1, 3, 2], blocks: 2 },
      'HRNet-W18': { width: 18, modules: [1, 4, 3], blocks: 4 },
      'HRNet-W32': { width: 32, modules: [1, 4, 3], blocks: 4 },
      'HRNet-W48': { width: 48, modules: [1, 4, 3], blocks: 4 },
    }),

  settings: () => ({}),
};
