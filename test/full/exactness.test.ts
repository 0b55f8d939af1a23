// At full size, against torch and transformers themselves: Mask2Former with Swin-S at sizes that are and are not
// multiples of 7 and 32, and one training step of the paper's network. Small cases of the same run in `npm test`.
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../registry/random.js';
import { forward } from '../../runners/app/compare/forward.js';
import { readBatch } from '../../runners/app/compare/grad.js';
import { fill } from '../../runners/app/compare/model.js';
import type { Engine } from '../../runners/engine/engine.js';
import { createEngine } from '../../runners/engine/index.js';
import { openExperiment } from '../../runners/config/open.js';
import { assembled } from '../../runners/model/assemble.js';
import { threadsOf } from '../../runners/config/index.js';
import { TrainingStep } from '../../runners/training/step/step.js';
import { importWeights } from '../../runners/app/weights/import.js';
import { readSafetensors, SafetensorsFile } from '../../runners/support/safetensors.js';
import { runPython } from './support/python.js';
import { TABLE3 } from '../support/rooms.js';

const SIZES = ['96x128', '83x117', '224x224'];
/** Largest distance over the tensor's largest value. */
const FEATURES = 1e-4;
/** Norm of the distance over the norm of a parameter's gradient: of the median parameter, and of each. */
const MEDIAN = 1e-4;
const GRADIENTS = 1e-3;
/** A distance no longer than this is rounding: gates with a single weight sum many terms that nearly cancel. */
const ROUNDING = 1e-7;
/** Norm of the distance over the norm of a parameter's first AdamW update. */
const UPDATES = 1e-2;
/**
 * That update is nearly the gradient's sign, which rounding decides where an element is close to 0: elements below
 * this part of the gradient's root mean square are left out.
 */
const SIGNED = 0.05;
/** Of running means and variances, over the largest. */
const STATISTICS = 1e-4;
/** A gradient no longer than this is rounding: the loss does not depend on the parameter. */
const NOISE = 1e-6;

const fullTrial = (overrides: string[] = []) =>
  openExperiment(TABLE3, {
    profile: 'full',
    rows: ['MT-CP'],
    overrides: ['weights.backbone=null', ...overrides],
  }).trials[0];

function distance(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  let [largest, difference, norm, squares] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    largest = Math.max(largest, Math.abs(expected[i]));
    // NaN must not pass.
    difference = error <= difference ? difference : error;
    norm += expected[i] ** 2;
    squares += error ** 2;
  }
  return { ofLargest: difference / largest, error: Math.sqrt(squares), norm: Math.sqrt(norm) };
}

describe('full size against PyTorch', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-full-'))));
  after(() => rmSync(folder, { recursive: true }));

  describe("transformers' Mask2Former with Swin-S", () => {
    const own = () => join(folder, 'mask2former');
    before(() => runPython('mask2former.py', [own(), '--variant', 'swin-s', '--sizes', SIZES.join(',')]));

    it('is imported whole from its folder and from what it calls its weights in memory', async () => {
      for (const source of ['hub', 'memory.safetensors']) {
        const { variant, parameters, fit } = await importWeights(
          join(own(), source),
          join(own(), 'ours.safetensors'),
        );
        expect(variant).to.equal('Swin-S');
        expect(parameters).to.equal(48_838_602 + 5_421_504 + 14_458_624);
        expect([...fit.missing, ...fit.unexpected, ...fit.misshapen]).to.deep.equal([]);
      }
    });

    for (const size of SIZES)
      it(`gives the same encoder maps, pixel decoder, masks and R at ${size}`, async () => {
        const expected = readSafetensors(join(own(), `${size}.output.safetensors`)).tensors;
        const out = join(own(), 'out.safetensors');
        const input = join(own(), `${size}.input.safetensors`);
        const outputs = [...expected.keys()];
        await forward(fullTrial(), {
          weights: join(own(), 'hub'),
          partial: ['backbone'],
          input,
          outputs,
          out,
        });
        const { tensors } = readSafetensors(out);
        for (const [name, { data, shape }] of expected) {
          expect(tensors.get(name)!.shape, name).to.deep.equal(shape);
          expect(distance(tensors.get(name)!.data, data).ofLargest, name).to.be.below(FEATURES);
        }
      });
  });

  describe('a training step of the paper network', () => {
    const own = () => join(folder, 'step');
    const file = (name: string) => new SafetensorsFile(join(own(), `${name}.safetensors`));
    const engines: Engine[] = [];
    let step: TrainingStep;
    let rate: number;
    const close = () => engines.splice(0).forEach((engine) => engine.close());

    before(async () => {
      runPython('step.py', [own(), '--size', '32x64']);
      const trial = fullTrial(['model.backbone.encoder.drop_path=0', 'scheme={ type: log, epsilon: 1e-6 }']);
      const { network, criterion, optimizer, tasks } = assembled(trial);
      const { batch, size } = readBatch(join(own(), 'batch.safetensors'), tasks);
      engines.push(await createEngine(trial.config.engine, threadsOf(trial.config)));
      step = await TrainingStep.compile(engines[0], network, criterion, optimizer, {
        batch: 1,
        size,
        clip: null,
      });
      fill(trial, step.weights, { weights: join(own(), 'weights.safetensors') });
      rate = optimizer.rate;
      await step.gradientsOf(batch, (name) => randomStream(trial.seed, name));
    });
    after(close);

    it('has no ReLU so near 0 that float32 could take its other side', () => {
      expect(file('gradients').read('margin').data[0]).to.be.above(1e-5);
    });

    it('has the same losses', () => {
      const expected = file('gradients');
      const losses = [...expected.tensors.keys()].filter((name) => name.startsWith('loss.'));
      const actual = step.losses();
      // Our coherence losses are one for each task.
      for (const name of losses.filter((name) => name !== 'loss.coherence')) {
        const [loss] = expected.read(name).data;
        expect(actual.get(name.slice('loss.'.length)), name).to.be.closeTo(loss, 1e-5 * Math.abs(loss));
      }
      expect(losses).to.have.lengthOf(11);
    });

    it('has the same gradient of every parameter', () => {
      const expected = file('gradients');
      const names = [...expected.tensors.keys()].filter((name) => step.gradients.views.has(name));
      expect(names).to.have.lengthOf(1356);
      const errors = names.flatMap((name) => {
        const { error, norm } = distance(step.gradients.views.get(name)!.data, expected.read(name).data);
        return norm < NOISE ? [] : [{ name, error: error / norm, norm }];
      });
      const faults = errors
        .filter(({ error, norm }) => !(error < GRADIENTS + ROUNDING / norm))
        .map(({ name, error, norm }) => `${name}: ${error} of ${norm}`);
      expect(faults, faults.join('\n')).to.deep.equal([]);
      errors.sort((a, b) => a.error - b.error);
      expect(errors[errors.length >> 1].error).to.be.below(MEDIAN);
    });

    it('leaves the same running statistics, and weights after AdamW', async () => {
      const [before, updated, gradients] = ['weights', 'updated', 'gradients'].map(file);
      await step.apply(1, rate);
      const faults: string[] = [];
      for (const [name, { data }] of step.weights.entries()) {
        const expected = updated.read(name).data;
        const { ofLargest } = distance(data, expected);
        if (step.weights.buffers.has(name)) {
          if (!(ofLargest < STATISTICS)) faults.push(`${name}: ${ofLargest}`);
          continue;
        }
        if (!gradients.tensors.has(name)) continue;
        const gradient = gradients.read(name).data;
        const { norm } = distance([], gradient);
        if (norm < NOISE) continue;
        const least = (SIGNED * norm) / Math.sqrt(gradient.length);
        const signed = (values: Float32Array) => values.filter((_, i) => Math.abs(gradient[i]) > least);
        const [from, to] = [before.read(name).data, expected].map((values) => signed(values as Float32Array));
        const { error } = distance(signed(data as Float32Array), to);
        const { error: length } = distance(from, to);
        if (!(error < UPDATES * length)) faults.push(`${name}: ${error / length} of ${length}`);
      }
      expect(faults, faults.join('\n')).to.deep.equal([]);
    });
  });
});
