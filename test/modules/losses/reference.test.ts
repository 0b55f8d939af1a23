// Losses against PyTorch, with unknown pixels and with nothing but unknown pixels.
import '../../../modules/index.js';
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import type { ClassCounts } from '../../../registry/contracts/tasks.js';
import { createTrialContainer } from '../../../registry/container.js';
import { evaluate, noise, recordingEngine } from '../../support/oracle.js';
import { countClasses } from '../../../runners/data/statistics.js';
import type { EvaluationBatch } from '../../../runners/data/batch.js';
import { readJson } from '../../reference/fixtures.js';
import { expectPart } from '../../support/parts.js';

const CLASS_WEIGHTS = readJson('class_weights.json') as {
  classes: number;
  images: number[][][];
  median_frequency: number[];
  inverse_log: number[];
};

const TASK = { name: 't', kind: 'depth', channels: 1 } as const;

/** Of the images in class_weights.json, which weights are of. */
const COUNTS = await countsOf(CLASS_WEIGHTS.images, CLASS_WEIGHTS.classes);

const EMPTY = ['', '_no_positive', '_no_negative', '_none'];
/** Cases of losses.safetensors: fixture, its variants, component, options. */
const MORE: [fixture: string, suffixes: string[], type: string, options: object][] = [
  ['balanced_bce', EMPTY, 'balanced_bce', {}],
  ['balanced_bce_95', EMPTY, 'balanced_bce', { positive_weight: 0.95 }],
  ['balanced_bce_literal', ['', '_unknown'], 'balanced_bce', { unknown: 'positive' }],
  ['balanced_cross_entropy', EMPTY, 'balanced_cross_entropy', {}],
  ['berhu', ['', '_none'], 'berhu_depth', {}],
  ['depth_bins', ['', '_none'], 'depth_bins', { bins: 6 }],
  ['normal_directions', ['', '_none'], 'normal_directions', { directions: 5 }],
  ['normals_l1_pixel', ['', '_none'], 'normals', { per: 'pixel' }],
  ['normals_cosine', ['', '_none'], 'normals', { distance: 'cosine' }],
  ['focal', ['', '_none'], 'focal', {}],
  ['focal_half', ['', '_none'], 'focal', { gamma: 0.5 }],
  ['focal_binary', EMPTY, 'focal', {}],
  ['focal_binary_alpha', EMPTY, 'focal', { gamma: 1.5, alpha: 0.25 }],
  ['dice', ['', '_none'], 'dice', {}],
  ['dice_sharp', ['', '_none'], 'dice', { smooth: 1e-3 }],
  ['dice_binary', EMPTY, 'dice', {}],
  ['lovasz', ['', '_none'], 'lovasz', {}],
  ['lovasz_all', ['', '_none'], 'lovasz', { classes: 'all' }],
  ['lovasz_tied', ['', '_none'], 'lovasz', {}],
  ['lovasz_binary', EMPTY, 'lovasz', {}],
  ['lovasz_binary_tied', EMPTY, 'lovasz', {}],
  ['cross_entropy_median', ['', '_none'], 'cross_entropy', { class_weights: 'median_frequency' }],
  ['cross_entropy_log', ['', '_none'], 'cross_entropy', { class_weights: 'inverse_log' }],
  ['ohem_median', ['', '_none'], 'ohem_cross_entropy', { class_weights: 'median_frequency' }],
  ['focal_log', ['', '_none'], 'focal', { class_weights: 'inverse_log' }],
  ['ohem', ['', '_none'], 'ohem_cross_entropy', {}],
  ['ohem_hardest', ['', '_none'], 'ohem_cross_entropy', { threshold: 1e-6, share: 0.3 }],
  ['silog', ['', '_none'], 'silog_depth', {}],
  ['silog_root', ['', '_none'], 'silog_depth', { share: 0.85, root: 10 }],
];

const CASES: [fixture: string, type: string, options: object][] = [
  ['cross_entropy', 'cross_entropy', {}],
  ['depth_l1', 'l1_depth', {}],
  ['depth_l1_truncated', 'l1_depth', { max_depth: 6.5535 }],
  ['normals_l1', 'normals', {}],
  ['normals_mse', 'normals', { distance: 'mse', normalize: false }],
];

describe('losses against PyTorch', () => {
  for (const [fixture, type, options] of CASES)
    for (const suffix of ['', '_none_valid'])
      it(`${fixture}${suffix}`, () => {
        const loss = createTrialContainer([]).create('loss', { type, ...options });
        return expectPart(
          fixture + suffix,
          ['prediction'],
          (_, { prediction, label }) => loss.forward(prediction as tf.Tensor4D, label, TASK).value,
          { labels: ['label'] },
        );
      });

  for (const [fixture, suffixes, type, options] of MORE)
    for (const suffix of suffixes)
      it(`${fixture}${suffix}`, () => {
        const loss = createTrialContainer([]).create('loss', { type, ...options });
        return expectPart(
          fixture + suffix,
          ['prediction'],
          (_, { prediction, label }) =>
            loss.forward(prediction as tf.Tensor4D, label, {
              ...TASK,
              kind: fixture.includes('binary') ? 'binary' : 'classes',
              counts: COUNTS,
            }).value,
          { labels: ['label'], file: 'losses' },
        );
      });

  for (const rule of ['median_frequency', 'inverse_log'] as const)
    it(`weights of classes by ${rule} are NumPy's`, () => {
      const loss = createTrialContainer([]).create('loss', { type: 'cross_entropy', class_weights: rule });
      const weights = loss.classWeights!({ ...TASK, kind: 'classes', counts: COUNTS })!;
      // A class without a pixel, and one that an image lacks, are among them.
      expect(weights).to.have.length(CLASS_WEIGHTS.classes);
      weights.forEach((weight, c) =>
        expect(weight, `class ${c}`).to.be.closeTo(CLASS_WEIGHTS[rule][c], 1e-14),
      );
    });

  it('classes weigh the same without counts only if nothing else was asked for', () => {
    const make = (class_weights: string) =>
      createTrialContainer([]).create('loss', { type: 'cross_entropy', class_weights });
    expect(make('equal').classWeights!(TASK)).to.equal(undefined);
    expect(() => make('inverse_log').classWeights!(TASK)).to.throw('have not been counted');
  });

  it('focal: a mask has no classes to weigh', () => {
    const loss = createTrialContainer([]).create('loss', { type: 'focal', class_weights: 'inverse_log' });
    const task = { ...TASK, kind: 'binary' };
    expect(() => loss.forward(tf.zeros([1, 1, 2, 1]), tf.zeros([1, 1, 2, 1]), task)).to.throw('no classes');
  });

  it('count the pixels that are valid', async () => {
    const label = { shape: [1, 1, 4, 1], data: [0, 1, 255, 0] };
    for (const [type, channels] of [
      ['balanced_bce', 1],
      ['balanced_cross_entropy', 2],
      ['berhu_depth', 1],
    ] as const) {
      const loss = createTrialContainer([]).create('loss', { type });
      const prediction = noise([1, 1, 4, channels]);
      const { valid } = await evaluate(recordingEngine, { prediction, label }, (inputs) => ({
        valid: loss.forward(inputs.prediction as tf.Tensor4D, inputs.label, TASK).valid,
      }));
      expect(valid.data[0], type).to.equal(3);
    }
  });
});

/** As an evaluation pass over images of these labels has it, two in a batch. */
async function countsOf(images: readonly number[][][], classes: number): Promise<ClassCounts> {
  const samples = images.map((rows) => ({
    labels: { semseg: { kind: 'classes', channels: 1, data: Uint8Array.from(rows.flat()) } },
  }));
  async function* batches() {
    for (let i = 0; i < samples.length; i += 2)
      yield { raw: samples.slice(i, i + 2) } as unknown as EvaluationBatch;
  }
  const counts = await countClasses(batches(), [{ name: 'semseg', kind: 'classes', channels: classes }]);
  return counts.semseg;
}
