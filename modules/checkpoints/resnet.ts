// ResNets of torchvision (and of timm, which uses the same names).
import type { CheckpointFormat } from '../../registry/index.js';
import { countOf, dimension, variantOf } from './shapes.js';

const STAGES = [1, 2, 3, 4];

export const resnetCheckpoint: CheckpointFormat = {
  title: 'ResNet of torchvision',
  example: "torchvision's resnet18 or resnet50, its state dict saved with safetensors",
  renames: [],
  skips: [[/^fc\./, 'classifies images']],

  infer(shapes) {
    const blocks = STAGES.map((stage) => countOf(shapes, `layer${stage}`));
    dimension(shapes, 'layer4.0.conv1.weight', 0);
    return {
      depth: shapes.has('layer1.0.conv3.weight') ? 50 : 18,
      width: dimension(shapes, 'bn1.weight', 0),
      blocks,
    };
  },

  variant: (options) =>
    variantOf(options, {
      'ResNet-18': { depth: 18, width: 64, blocks: [2, 2, 2, 2] },
      'ResNet-34': { depth: 18, width: 64, blocks: [3, 4, 6, 3] },
      'ResNet-50': { depth: 50, width: 64, blocks: [3, 4, 6, 3] },
      'ResNet-101': { depth: 50, width: 64, blocks: [3, 4, 23, 3] },
      'ResNet-152': { depth: 50, width: 64, blocks: [3, 8, 36, 3] },
    }),

  // torchvision reads no settings.
  settings: () => ({}),
};
