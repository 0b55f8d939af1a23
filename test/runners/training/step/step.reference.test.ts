// A whole training step of MT-CP against PyTorch: losses, every gradient, BatchNorm statistics, weights after
// AdamW, for the paper's model, the released code's, and every ablation.
import { expect } from 'chai';
import type { TrainBatch } from '../../../../runners/data/batch.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { randomStream } from '../../../../registry/random.js';
import { channelsLast, readModel, readTensors } from '../../../reference/fixtures.js';
import { expectClose, recordingEngine } from '../../../support/oracle.js';
import { referenceModel } from '../../../support/reference-model.js';

const SIZE = [44, 60] as const;

function readBatch(): TrainBatch {
  const tensors = readTensors('batch.safetensors');
  const map = (name: string) => channelsLast(tensors.get(name)!).data;
  return {
    ids: ['0', '1'],
    image: map('image'),
    labels: { semseg: Int32Array.from(map('semseg')), depth: map('depth'), normals: map('normals') },
  };
}

const MODELS = [
  'paper',
  'code',
  'paper-channel',
  'paper-carry-prediction',
  'options',
  'paper-no-cfm',
  'paper-no-srm',
  'paper-no-cfm-no-srm',
  'single-depth',
];

describe('training step against PyTorch', () => {
  for (const name of MODELS)
    it(name, async () => {
      const fixture = readModel(name);
      const { network, criterion, optimizer, tasks } = referenceModel(fixture);
      const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, {
        batch: 2,
        size: SIZE,
        clip: null,
      });

      expect([...step.weights.table.parameters.keys()].sort()).to.deep.equal(
        fixture.parameters.map((p) => p.name).sort(),
      );
      for (const { name: key, shape, initial } of fixture.parameters) {
        const { data, shape: own } = step.weights.parameter(key);
        expect(own, key).to.deep.equal([...shape]);
        data.set(initial);
      }
      for (const { name: key, initial } of fixture.buffers) step.weights.buffers.get(key)!.data.set(initial);

      const batch = readBatch();
      const result = await step.gradientsOf(batch, (key) => randomStream(key));
      const expected = fixture.losses[0];
      expect(result.total).to.be.closeTo(expected.total, 1e-5 * expected.total);
      for (const task of tasks)
        expect(result.raw[task.name], task.name).to.be.closeTo(
          expected[`final.${task.name}`],
          1e-5 * expected[`final.${task.name}`],
        );

      for (const { name: key, cells, gradient, gradientNorm } of fixture.parameters) {
        const own = step.gradients.views.get(key);
        if (gradientNorm === 0) continue;
        expect(own, `gradient of ${key}`).to.not.equal(undefined);
        const sampled = cells.map((cell) => own!.data[cell]);
        const norm = Math.hypot(...own!.data);
        const tolerance = Math.max(1e-3, 1.5 * fixture.float32.gradient);
        expect(norm / gradientNorm, `norm of the gradient of ${key}`).to.be.closeTo(1, tolerance);
        // Against the size of a typical cell: what is sampled may all be small.
        expectClose(
          sampled,
          gradient,
          tolerance,
          `gradient of ${key}`,
          gradientNorm / Math.sqrt(own!.data.length),
        );
      }

      await step.apply(1, optimizer.rate);
      for (const { name: key, after } of fixture.buffers)
        expectClose(step.weights.buffers.get(key)!.data, after, 2e-5, key, 0.1);
      for (const { name: key, cells, after, gradient, gradientNorm } of fixture.parameters) {
        if (!after || gradientNorm === 0) continue;
        const { data } = step.weights.parameter(key);
        const typical = gradientNorm / Math.sqrt(data.length);
        cells.forEach((cell, i) => {
          // Where the gradient is next to nothing AdamW's first step is a coin toss.
          if (Math.abs(gradient[i]) > 0.02 * typical)
            expect(data[cell], `${key}[${cell}]`).to.be.closeTo(after[i], 2e-6);
        });
      }
      step.close();
    });
});
