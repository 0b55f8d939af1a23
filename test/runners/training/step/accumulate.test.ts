// Gradient accumulation and clipping. A batch of two in two micro-batches must give what they give by hand; the
// numbers of each micro-batch are checked against PyTorch elsewhere.
import { expect } from 'chai';
import type { TrainBatch } from '../../../../runners/data/batch.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { randomStream } from '../../../../registry/random.js';
import { readModel, readTensors, type ModelFixture } from '../../../reference/fixtures.js';
import { expectClose, recordingEngine } from '../../../support/oracle.js';
import { channelsLast } from '../../../reference/fixtures.js';
import { referenceModel } from '../../../support/reference-model.js';

const SIZE = [44, 60] as const;
const MOMENTUM = 0.1;

function readBatch(): TrainBatch {
  const tensors = readTensors('batch.safetensors');
  const map = (name: string) => channelsLast(tensors.get(name)!).data;
  return { ids: ['0', '1'], image: map('image'), labels: { depth: map('depth') } };
}

const half = (batch: TrainBatch, i: number): TrainBatch => ({
  ids: [batch.ids[i]],
  image: batch.image.subarray((i * batch.image.length) / 2, ((i + 1) * batch.image.length) / 2),
  labels: {
    depth: batch.labels.depth.subarray(
      (i * batch.labels.depth.length) / 2,
      ((i + 1) * batch.labels.depth.length) / 2,
    ),
  },
});

async function compile(
  fixture: ModelFixture,
  options: { batch: number; accumulate?: number; clip?: number },
) {
  const { network, criterion, optimizer } = referenceModel(fixture);
  const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, {
    size: SIZE,
    clip: null,
    ...options,
  });
  for (const { name, initial } of fixture.parameters) step.weights.parameter(name).data.set(initial);
  for (const { name, initial } of fixture.buffers) step.weights.buffers.get(name)!.data.set(initial);
  return { step, optimizer };
}

describe('accumulation and clipping', function () {
  this.timeout(60_000);
  const fixture = readModel('single-depth');
  const noise = (name: string) => randomStream(name);

  it('averages the gradients and losses of the pieces, and takes in their statistics one after the other', async () => {
    const batch = readBatch();
    const single = await compile(fixture, { batch: 1 });
    const results = [];
    const gradients: Float32Array[] = [];
    for (const i of [0, 1]) {
      results.push(await single.step.gradientsOf(half(batch, i), noise));
      gradients.push(single.step.gradients.data.slice());
    }
    const { step, optimizer } = await compile(fixture, { batch: 2, accumulate: 2 });
    const result = await step.gradientsOf(batch, noise);
    expect(result.raw.depth).to.be.closeTo((results[0].raw.depth + results[1].raw.depth) / 2, 1e-6);
    expect(result.raw.depth).not.to.be.closeTo(results[1].raw.depth, 1e-6);
    const mean = gradients[0].map((value, i) => (value + gradients[1][i]) / 2);
    expectClose(step.gradients.data, mean, 1e-6, 'gradients');

    // The statistics of the first micro-batch, from a separate step, then those of the second.
    await step.apply(1, optimizer.rate);
    const first = await compile(fixture, { batch: 1 });
    await first.step.gradientsOf(half(batch, 0), noise);
    await first.step.apply(1, 0);
    const second = await compile(fixture, { batch: 1 });
    await second.step.gradientsOf(half(batch, 1), noise);
    await second.step.apply(1, 0);
    for (const { name, initial } of fixture.buffers) {
      const [one, two] = [first, second].map(({ step: { weights } }) => weights.buffers.get(name)!.data);
      // two = (1 - m) initial + m observed, so its observed part is two - (1 - m) initial.
      const expected = one.map((value, i) => (1 - MOMENTUM) * value + two[i] - (1 - MOMENTUM) * initial[i]);
      expectClose(step.weights.buffers.get(name)!.data, expected, 1e-5, name);
    }
    for (const each of [single, { step }, first, second]) each.step.close();
  });

  it('scales a gradient that is too long, as torch.nn.utils.clip_grad_norm_ does, and no other', async () => {
    const batch = readBatch();
    const { step, optimizer } = await compile(fixture, { batch: 2, clip: 1e-3 });
    await step.gradientsOf(batch, noise);
    const gradient = step.gradients.data.slice();
    const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
    expect(norm).to.be.greaterThan(1e-3);
    expect(await step.apply(1, optimizer.rate)).to.be.closeTo(norm, 1e-4 * norm);
    // AdamW's first moment after one step is (1 - 0.9) of the gradient it was given.
    const [slot] = Object.keys(step.slots);
    const given = step.slots[slot].data.map((x) => x / 0.1);
    expectClose(
      given,
      gradient.map((x) => (x * 1e-3) / (norm + 1e-6)),
      1e-5,
      'clipped gradient',
    );
    step.close();

    const wide = await compile(fixture, { batch: 2, clip: 1e6 });
    await wide.step.gradientsOf(batch, noise);
    await wide.step.apply(1, optimizer.rate);
    expectClose(
      wide.step.slots[slot].data.map((x) => x / 0.1),
      gradient,
      1e-5,
      'gradient',
    );
    wide.step.close();
  });
});
