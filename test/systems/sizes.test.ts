// Parameters of every system in its published configuration, against counts of the authors' modules. Where the
// authors build layers that nothing uses, these are taken off their count.
import '../../modules/index.js';
import { expect } from 'chai';
import type * as tf from '../../registry/tf.js';
import { ParameterTable, Pass } from '../../modules/nn/scope.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { ModelConfig } from '../../runners/config/trial.js';
import { sizeOf } from '../../runners/engine/graph/ir.js';
import { record } from '../../runners/engine/recording.js';
import { Network } from '../../runners/model/network.js';

const NYUD: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 40 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];
const PASCAL: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 21 },
  { name: 'human_parts', kind: 'classes', channels: 7 },
  { name: 'saliency', kind: 'binary', channels: 1 },
];

const R18 = { type: 'resnet', depth: 18 };
const R50 = { type: 'resnet', depth: 50 };
const HRNET = { type: 'hrnet' };
const FUSED = { type: 'concat', reduce: 'conv-norm-relu' };
const VIT_L = { type: 'vit', variant: 'l', grid: [28, 36] };

/** Numbers in the parameters of the sections (a section's name may go on: decoder.1). */
async function count(
  tasks: readonly Task[],
  model: Partial<ModelConfig>,
  head: Slot,
  sections: readonly string[] = [''],
  size: [number, number] = [64, 64],
): Promise<number> {
  const table = new ParameterTable();
  const heads = Object.fromEntries(tasks.map(({ name }) => [name, { head }]));
  const network = new Network(model as ModelConfig, heads, tasks, createTrialContainer(tasks));
  await record((tracer) => {
    const image = tracer.input('image', 'float32', [2, ...size, 3]) as tf.Tensor4D;
    return network.forward(new Pass(table, tracer, true).root, image);
  });
  return [...table.parameters]
    .filter(([name]) => sections.some((section) => name.startsWith(section)))
    .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
}

const perTask = (encoder: Slot, unit: Slot, after?: string[]) => ({
  backbone: { type: 'per_task', encoder, unit, ...(after && { after }) },
});
const stages = ['layer1', 'layer2', 'layer3', 'layer4'];
const deeplab = { type: 'deeplab' };
const pad = (head: number) => ({
  backbone: HRNET,
  decoder: { type: 'sequence', blocks: [FUSED, { type: 'initial', channels: head }] },
  interaction: { type: 'distill' },
});

describe('sizes of systems', () => {
  const single = NYUD.slice(0, 1);
  const exact: [string, number, () => Promise<number>][] = [
    ['STL, ResNet-18', 15_908_968, () => count(single, { backbone: R18 }, deeplab)],
    ['MTL, ResNet-18, NYUD', 25_354_348, () => count(NYUD, { backbone: R18 }, deeplab)],
    ['MTL, ResNet-18, PASCAL', 25_350_493, () => count(PASCAL, { backbone: R18 }, deeplab)],
    ['STL, ResNet-50', 39_643_752, () => count(single, { backbone: R50 }, deeplab)],
    ['MTL, ResNet-50, NYUD', 71_895_660, () => count(NYUD, { backbone: R50 }, deeplab)],
    ['MTL, ResNet-50, PASCAL', 71_891_805, () => count(PASCAL, { backbone: R50 }, deeplab)],
    ['STL, HRNet', 3_945_270, () => count(single, { backbone: HRNET }, { type: 'hrnet' })],
    ['MTL, HRNet, NYUD', 4_093_774, () => count(NYUD, { backbone: HRNET }, { type: 'hrnet' })],
    ['MTL, HRNet, PASCAL', 4_089_709, () => count(PASCAL, { backbone: HRNET }, { type: 'hrnet' })],
    [
      'Cross-Stitch, ResNet-18, units',
      8_640,
      () => count(NYUD, perTask(R18, { type: 'cross_stitch' }, stages), deeplab, ['backbone.units']),
    ],
    [
      'Cross-Stitch, ResNet-50, units',
      34_560,
      () => count(NYUD, perTask(R50, { type: 'cross_stitch' }, stages), deeplab, ['backbone.units']),
    ],
    [
      'NDDR-CNN, ResNet-18, units',
      3_176_448,
      () => count(NYUD, perTask(R18, { type: 'nddr' }), deeplab, ['backbone.units']),
    ],
    [
      'NDDR-CNN, ResNet-50, units',
      50_195_328,
      () => count(NYUD, perTask(R50, { type: 'nddr' }), deeplab, ['backbone.units']),
    ],
    [
      // 4 matrices of 6x6; 3 times 4 weights and projections of 64, 128 and 256 to 512 channels.
      'Sluice, ResNet-18, units and mixtures',
      4 * 36 + 3 * (4 + (64 + 128 + 256 + 3) * 512),
      () =>
        count(
          NYUD,
          { ...perTask(R18, { type: 'subspace_stitch' }, stages), decoder: { type: 'layer_mix' } },
          deeplab,
          ['backbone.units', 'decoder'],
        ),
    ],
    [
      'MTAN, ResNet-18',
      26_644_508,
      () => count(NYUD, { backbone: { ...R18, inner: true }, decoder: { type: 'mtan' } }, deeplab),
    ],
    [
      'MTAN, ResNet-50',
      92_354_860,
      () => count(NYUD, { backbone: { ...R50, inner: true }, decoder: { type: 'mtan' } }, deeplab),
    ],
    // LibMTL's, with a gate on all pixels of 64x64; less the scores of branches and the stage that nothing uses.
    ['MMoE, ResNet-18', 33_640_137, () => sharing({ type: 'mmoe', encoder: R18 })],
    ['MMoE, ResNet-50', 70_634_697, () => sharing({ type: 'mmoe', encoder: R50 })],
    ['CGC, ResNet-18', 55_993_161, () => sharing({ type: 'cgc', encoder: R18, shared: 2 })],
    ['CGC, ResNet-50', 117_650_761, () => sharing({ type: 'cgc', encoder: R50, shared: 2 })],
    ['PLE, ResNet-18', 45_123_870, () => sharing({ type: 'ple', encoder: R18 })],
    ['PLE, ResNet-50', 95_187_230, () => sharing({ type: 'ple', encoder: R50 })],
    ['DSelect-k, ResNet-18', 44_927_250, () => sharing({ type: 'dselect_k', encoder: R18 })],
    ['DSelect-k, ResNet-50', 94_253_330, () => sharing({ type: 'dselect_k', encoder: R50 })],
    ['LTB, ResNet-18', 33_529_590 - 2 * 9, () => sharing(branching(R18))],
    ['LTB, ResNet-50', 70_524_150 - 2 * 9, () => sharing(branching(R50))],
    ['PAD-Net, NYUD', 12_091_318, () => count(NYUD, pad(256), { type: 'bottlenecks' })],
    ['PAD-Net, PASCAL', 12_083_608, () => count(PASCAL, pad(256), { type: 'bottlenecks' })],
    ['MTI-Net, NYUD', 12_653_616, () => count(NYUD, MTI, { type: 'hrnet' })],
    ['MTI-Net, PASCAL', 12_645_441, () => count(PASCAL, MTI, { type: 'hrnet' })],
    [
      // Less the third skip, the first widening, a norm and the first stage's mixing of scores.
      'InvPT, ViT-L, NYUD, without backbone',
      77_093_850 + 25_388 - 5_308_992 - 997_056 - 864 - 10,
      () => count(NYUD, INVPT, { type: 'linear' }, ['decoder', 'interaction', 'heads'], [128, 128]),
    ],
    ['DeMT, HRNet, without backbone', 2_265_812, () => demt(HRNET, 33)],
    ['DeMT, Swin-T, without backbone', 3_588_746, () => demt({ type: 'swin', variant: 't' }, 180)],
    ['DeMT, Swin-B, without backbone', 4_129_346, () => demt({ type: 'swin', variant: 'b' }, 240)],
    ['EMA-Net, HRNet, NYUD at 288x384, without backbone and fusion of levels', 2_133_208, () => emaNet()],
    ['MTMamba, NYUD, without backbone', 84_936_428, () => mtmamba(NYUD, {}, { type: 'linear' })],
    ['MTMamba, PASCAL, without backbone', 84_933_533, () => mtmamba(PASCAL, {}, { type: 'linear' })],
    ['MTMamba++, NYUD, without backbone', 91_608_524, () => mtmamba(NYUD, PLUS, WIDE)],
    ['MTMamba++, PASCAL, without backbone', 91_607_069, () => mtmamba(PASCAL, PLUS, WIDE)],
    ['MTFormer, own blocks', 1_581_384, () => mtformer(NYUD, 'decoder.1.semseg')],
    [
      'MTFormer, cross-task blocks, two tasks',
      3_421_000,
      () => mtformer(NYUD.slice(0, 2), 'interaction.semseg'),
    ],
    ['MTFormer, cross-task blocks, three tasks', 4_734_792, () => mtformer(PASCAL, 'interaction.semseg')],
    [
      // 1x1 convolutions of 256 to 128, to 32, to 1, each with a bias.
      'MTFormer, depth head',
      257 * 128 + 129 * 32 + 33,
      () => mtformer(NYUD.slice(1, 2), 'heads', { type: 'depth', positive: true }),
    ],
    ['ATRC, HRNet, its baseline without exchange', 491_824, () => atrc('none', 'fcn')],
    ['ATRC, HRNet, global context', 621_730, () => atrc('global')],
    ['ATRC, HRNet, label context', 874_570, () => atrc('target_label')],
  ];
  for (const [name, parameters, measure] of exact)
    it(`${name}: ${parameters.toLocaleString('en')}`, async () => {
      expect(await measure()).to.equal(parameters);
    });

  // Less what goes back to the prompts in the last block, which nothing reads.
  const prompted: [string, number, () => Promise<number>][] = [
    [
      'TaskPrompter, ViT-L, NYUD, before the heads',
      457_602_688 - 1_033_216,
      () => taskprompter(NYUD, 'l', [448, 576], { channels: 768, out: 768 }, null),
    ],
    [
      'TaskPrompter, ViT-B, PASCAL, before the heads',
      264_789_516 - 787_200,
      () =>
        taskprompter(
          PASCAL,
          'b',
          [512, 512],
          { channels: 780, out: 1024 },
          { type: 'cross_task_reweighting' },
        ),
    ],
  ];
  for (const [name, parameters, measure] of prompted)
    it(`${name}: ${parameters.toLocaleString('en')}`, async () => {
      expect(await measure()).to.equal(parameters);
    });

  it('MLoRE, ViT-L, NYUD: 514.7 million before the heads', async () => {
    const decoder = { type: 'mlore' };
    const backbone = { ...VIT_L, class_token: false };
    const parameters = await count(
      NYUD,
      { backbone, decoder },
      { type: 'linear' },
      ['backbone', 'decoder'],
      [448, 576],
    );
    expect((parameters / 1e6).toFixed(1)).to.equal('514.7');
  });
});

const branching = (encoder: Slot) =>
  perTask(encoder, { type: 'ltb' }, ['stem', 'layer1', 'layer2', 'layer3']).backbone;

/** Encoders and gates. */
function sharing(backbone: Slot): Promise<number> {
  return count(NYUD, { backbone }, { type: 'linear' }, ['backbone']);
}

const MTI = { backbone: HRNET, decoder: { type: 'mti' }, interaction: { type: 'distill' } };
const INVPT = {
  backbone: VIT_L,
  decoder: { type: 'invpt_preliminary' },
  interaction: { type: 'invpt' },
};

function demt(backbone: Slot, channels: number): Promise<number> {
  const reduce = { type: 'concat', reduce: 'linear-norm', channels: 256 };
  const decoder = { type: 'sequence', blocks: [reduce, { type: 'deform_mixer' }] };
  const model = { backbone, decoder, interaction: { type: 'pixel_attention' } };
  return count(NYUD, model, { type: 'conv', channels }, ['decoder', 'interaction', 'heads']);
}

function emaNet(): Promise<number> {
  const decoder = { type: 'sequence', blocks: [FUSED, { type: 'initial' }] };
  const model = { backbone: HRNET, decoder, interaction: { type: 'ctal' } };
  return count(NYUD, model, { type: 'bottlenecks' }, ['decoder.1', 'interaction', 'heads'], [288, 384]);
}

const PLUS = { exchange: 'guided', expand: 1 };
const WIDE = { type: 'conv', channels: 96, bias: true };

function mtmamba(tasks: readonly Task[], options: object, head: Slot): Promise<number> {
  const backbone = { type: 'swin', variant: 'l', window: 12 };
  return count(tasks, { backbone, decoder: { type: 'mtmamba', ...options } }, head, ['decoder', 'heads']);
}

function taskprompter(
  tasks: readonly Task[],
  variant: string,
  size: [number, number],
  widths: object,
  interaction: Slot | null,
): Promise<number> {
  const backbone = { type: 'prompted_vit', variant, grid: size.map((n) => n / 16) };
  const model = { backbone, decoder: { type: 'prompted_maps', ...widths }, interaction };
  const sections = ['backbone', 'decoder', 'interaction'];
  return count(tasks, model, { type: 'conv', levels: 'sum' }, sections, size);
}

/** What comes after the backbone. */
function atrc(otherwise: string, head?: 'fcn'): Promise<number> {
  const decoder = { type: 'sequence', blocks: [{ type: 'concat' }, { type: 'conv_tasks' }] };
  const model = head
    ? { backbone: HRNET }
    : { backbone: HRNET, decoder, interaction: { type: 'relational_context', otherwise } };
  const slot = head ? { type: 'conv', reduction: 4 } : { type: 'linear' };
  return count(NYUD, model, slot, ['decoder', 'interaction', 'heads']);
}

function mtformer(tasks: readonly Task[], section: string, head: Slot = { type: 'linear' }): Promise<number> {
  const reduce = { type: 'concat', skip: 1, reduce: 'conv', channels: 256 };
  const decoder = { type: 'sequence', blocks: [reduce, { type: 'swin_tasks' }] };
  const model = { backbone: { type: 'swin' }, decoder, interaction: { type: 'cross_task_attention' } };
  return count(tasks, model, head, [section]);
}
