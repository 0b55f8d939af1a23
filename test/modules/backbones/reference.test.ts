// Backbones against torchvision, timm and transformers: outputs, gradients, statistics; and their sizes.
import '../../../modules/index.js';
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { CONVNEXT_VARIANTS } from '../../../modules/nn/convnext-variants.js';
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
    'dinov2',
    'dinov2-grown',
    'dinov2-registers',
    'dinov3',
    'convnext',
    'convnext-v2',
    'mit',
    'swin-v2',
    'swin-v2-finetuned',
    'simple-pyramid',
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

type Published = [name: string, slot: Slot, parameters: number, strides: number[], channels: number[]];

/** @param sizes parameters and channels of each variant */
const tokens = (name: string, slot: Slot, patch: number, sizes: Record<string, [number, number]>) =>
  Object.entries(sizes).map(([variant, [count, width]]): Published => {
    const maps = [1, 2, 3, 4];
    return [`${name}-${variant}`, { ...slot, variant }, count, maps.map(() => patch), maps.map(() => width)];
  });

/** The published counts lack the norms of single maps. */
const convnexts = (version: 1 | 2, counts: Partial<Record<keyof typeof CONVNEXT_VARIANTS, number>>) =>
  Object.entries(counts).map(([variant, count]): Published => {
    const channels = [...CONVNEXT_VARIANTS[variant as keyof typeof CONVNEXT_VARIANTS].channels];
    const norms = 2 * channels.reduce((sum, n) => sum + n, 0);
    const slot = { type: 'convnext', version, variant };
    return [`ConvNeXt V${version}-${variant}`, slot, count + norms, [4, 8, 16, 32], channels];
  });

describe('sizes of backbones', () => {
  const four = [4, 8, 16, 32];
  const doubling = (first: number) => [1, 2, 4, 8].map((n) => n * first);
  // The published counts of Swin have a final norm (2 * 8 * embed) where dense prediction has one for each level.
  const swinNorms = (embed: number) => 2 * 15 * embed - 2 * 8 * embed;
  const published: Published[] = [
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
    ...tokens('DINOv2 ViT', { type: 'dinov2' }, 14, {
      s: [22_056_192, 384],
      b: [86_579_712, 768],
      l: [304_367_616, 1024],
      g: [1_136_479_232, 1536],
    }),
    // timm's, whose position table has no class token.
    ...tokens('DINOv2 with registers ViT', { type: 'dinov2', registers: 4, class_position: false }, 14, {
      s: [22_057_344, 384],
      b: [86_582_016, 768],
      l: [304_370_688, 1024],
      g: [1_136_483_840, 1536],
    }),
    ...tokens('DINOv3 ViT', { type: 'dinov3' }, 16, {
      s: [21_596_160, 384],
      's+': [28_692_480, 384],
      b: [85_659_648, 768],
      l: [303_128_576, 1024],
      'h+': [840_591_360, 1280],
      '7b': [6_716_030_976, 4096],
    }),
    ...convnexts(1, { t: 27_818_592, s: 49_453_152, b: 87_564_416, l: 196_227_264, xl: 348_143_872 }),
    ...convnexts(2, {
      atto: 3_386_760,
      femto: 4_847_472,
      pico: 8_552_256,
      nano: 14_981_520,
      t: 27_864_960,
      b: 87_690_752,
      l: 196_416_768,
      h: 657_467_008,
    }),
    ...Object.entries({
      b0: 3_319_392,
      b1: 13_151_424,
      b2: 24_196_288,
      b3: 44_072_128,
      b4: 60_842_688,
      b5: 81_443_008,
    }).map(([variant, count]): Published => {
      const channels = variant === 'b0' ? [32, 64, 160, 256] : [64, 128, 320, 512];
      return [`MiT-${variant}`, { type: 'mit', variant }, count, four, channels];
    }),
    // The published counts have a final norm, through which no map goes.
    ...Object.entries({
      t: [27_578_154, 96],
      s: [48_959_418, 96],
      b: [86_893_816, 128],
      l: [195_202_932, 192],
    }).map(([variant, [count, embed]]): Published => [
      `Swin V2-${variant}`,
      { type: 'swin_v2', variant },
      count - 2 * 8 * embed,
      four,
      doubling(embed),
    ]),
  ];
  for (const [name, slot, parameters, strides, channels] of published)
    it(`${name}: ${parameters.toLocaleString('en')}`, async () => {
      const measured = await measure(slot, slot.type === 'dinov2' ? [84, 112] : [96, 128]);
      expect(measured).to.deep.equal({ parameters, strides, channels });
    });
});
