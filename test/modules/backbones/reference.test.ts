// Backbones against torchvision, timm and transformers: outputs, gradients, statistics; and their sizes.
import '../../../modules/index.js';
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import { sizeOf } from '../../../runners/engine/graph/ir.js';
import { record } from '../../../runners/engine/recording.js';
import { expectFixture, readFixture } from '../../support/systems.js';

describe('backbones against torchvision, timm and transformers', () => {
  for (const name of [
    'resnet18-dilated',
    'resnet18',
    'resnet50-dilated',
    'hrnet',
    'vit',
    'vit-grown',
    'vit-shrunk',
    'swin',
  ])
    it(name, () => {
      const backbone = createTrialContainer([]).create('backbone', readFixture(name).model as Slot);
      return expectFixture(name, (scope, data) => {
        const encoded = backbone.forward(scope, { data, stride: 1 });
        if (!('shared' in encoded)) throw new Error('a shared pyramid was expected');
        return Object.fromEntries(encoded.shared.map((map, i) => [`level${i}`, map.data]));
      });
    });
});

/** Parameters and strides of a backbone, recorded on shapes alone. */
async function measure(slot: Slot, size: [number, number]) {
  const backbone = createTrialContainer([]).create('backbone', slot);
  const table = new ParameterTable();
  let levels: { stride: number; channels: number }[] = [];
  await record((tracer) => {
    const data = tracer.input('image', 'float32', [1, ...size, 3]) as tf.Tensor4D;
    const encoded = backbone.forward(new Pass(table, tracer, false).root, { data, stride: 1 });
    if (!('shared' in encoded)) throw new Error('a shared pyramid was expected');
    levels = encoded.shared.map((map) => {
      expect(map.data.shape.slice(1, 3), 'stride').to.deep.equal(size.map((n) => Math.ceil(n / map.stride)));
      return { stride: map.stride, channels: map.data.shape[3] };
    });
    return { output: encoded.shared[0].data };
  });
  const parameters = [...table.parameters.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return {
    parameters,
    strides: levels.map(({ stride }) => stride),
    channels: levels.map(({ channels }) => channels),
  };
}

describe('sizes of backbones', () => {
  const four = [4, 8, 16, 32];
  const doubling = (first: number) => [1, 2, 4, 8].map((n) => n * first);
  // The published counts of Swin have a final norm (2 * 8 * embed) where dense prediction has one for each level.
  const swinNorms = (embed: number) => 2 * 15 * embed - 2 * 8 * embed;
  const published: [string, Slot, number, number[], number[]][] = [
    ['ResNet-18, dilated', { type: 'resnet' }, 11_176_512, [4, 8, 8, 8], doubling(64)],
    ['ResNet-50, dilated', { type: 'resnet', depth: 50 }, 23_508_032, [4, 8, 8, 8], [256, 512, 1024, 2048]],
    ['ResNet-18', { type: 'resnet', dilated: false }, 11_176_512, four, doubling(64)],
    ['HRNet-W18-small-v2', { type: 'hrnet' }, 3_860_720, four, doubling(18)],
    ['HRNet-W18', { type: 'hrnet', variant: 'w18' }, 9_562_260, four, doubling(18)],
    ['HRNet-W32', { type: 'hrnet', variant: 'w32' }, 29_305_536, four, doubling(32)],
    ['HRNet-W48', { type: 'hrnet', variant: 'w48' }, 65_325_120, four, doubling(48)],
    ['ViT-S', { type: 'vit', variant: 's' }, 21_811_584, [16, 16, 16, 16], [384, 384, 384, 384]],
    ['ViT-B', { type: 'vit', variant: 'b' }, 86_090_496, [16, 16, 16, 16], [768, 768, 768, 768]],
    ['ViT-L', { type: 'vit', variant: 'l' }, 303_690_752, [16, 16, 16, 16], [1024, 1024, 1024, 1024]],
    ['Swin-T', { type: 'swin', variant: 't' }, 27_519_354 + swinNorms(96), four, doubling(96)],
    ['Swin-S', { type: 'swin', variant: 's' }, 48_837_258 + swinNorms(96), four, doubling(96)],
    ['Swin-B', { type: 'swin', variant: 'b' }, 86_743_224 + swinNorms(128), four, doubling(128)],
    [
      'Swin-B, window 12',
      { type: 'swin', variant: 'b', window: 12 },
      86_878_584 + swinNorms(128),
      four,
      doubling(128),
    ],
    [
      'Swin-L, window 12',
      { type: 'swin', variant: 'l', window: 12 },
      195_198_516 + swinNorms(192),
      four,
      doubling(192),
    ],
  ];
  for (const [name, slot, parameters, strides, channels] of published)
    it(`${name}: ${parameters.toLocaleString('en')}`, async () => {
      const measured = await measure(slot, [96, 128]);
      expect(measured).to.deep.equal({ parameters, strides, channels });
    });
});
