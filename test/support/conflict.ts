// Two regressions through one bottleneck that cannot serve both: a single shared channel, two targets that want it in
// different directions, and a factor on the first task's loss. How the other task fares when that factor changes is
// what loss weighting is about.
import * as tf from '../../registry/tf.js';
import '../../modules/index.js';
import { conv2d } from '../../modules/nn/layers.js';
import { createTrialContainer, type ComponentFactory, type Slot } from '../../registry/container.js';
import type { Backbone, Head } from '../../registry/contracts/blocks.js';
import type { Loss } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { randomStream } from '../../registry/random.js';
import type { TrainBatch } from '../../runners/data/batch.js';
import { Network } from '../../runners/model/network.js';
import { TrainingStep } from '../../runners/training/step/step.js';
import type { StepResult } from '../../runners/training/step/step-result.js';
import { recordingEngine } from './oracle.js';

const SIZE = [8, 8] as const;
const STEPS_PER_EPOCH = 10;

export const TASKS: Task[] = ['near', 'far'].map((name) => ({ name, kind: 'depth', channels: 1 }));

const backbone: Backbone = {
  forward: (scope, { data }) => ({ shared: [{ data: conv2d(scope, data, 1, { kernel: 1 }), stride: 1 }] }),
};
const head: Head = { forward: (scope, [{ data }]) => conv2d(scope, data, 1, { kernel: 1 }) };

/** factor times the mean squared error */
const squared = (factor: number): Loss => ({
  forward: (prediction, label) => ({
    value: prediction.sub(label).square().mean().mul<tf.Scalar>(factor),
    valid: tf.scalar(label.size),
  }),
});

/** Targets: what each task wants to see of the three channels of the input. */
const WANTED: Record<string, number[]> = { near: [1, 0.6, 0], far: [-0.2, 1, 0.5] };

function batch(): TrainBatch {
  const random = randomStream('conflict');
  const cells = SIZE[0] * SIZE[1];
  const image = Float32Array.from({ length: cells * 3 }, () => random.normal());
  const target = (wanted: number[]) =>
    Float32Array.from(
      { length: cells },
      (_, i) => 2 * wanted.reduce((sum, w, c) => sum + w * image[3 * i + c], 0),
    );
  return {
    ids: ['0'],
    image,
    labels: Object.fromEntries(TASKS.map(({ name }) => [name, target(WANTED[name])])),
  };
}

export interface Course {
  /** Mean squared errors of the tasks, without the factor, at the end. */
  errors: Record<string, number>;
  steps: StepResult[];
}

/**
 * How much the other task's progress changes when the first task's loss is multiplied by 100: the mean over the steps of
 * the logarithm of its loss with the factor over its loss without. 0 is not at all; 1 is a loss 2.7 times as large.
 */
export async function disturbance(slot: Slot, epochs?: number): Promise<number> {
  const [plain, scaled] = [await train(slot, 1, epochs), await train(slot, 100, epochs)];
  const logs = scaled.steps.map(({ raw }, i) => Math.log(raw.far / plain.steps[i].raw.far));
  return logs.reduce((a, b) => a + b, 0) / logs.length;
}

/** Trains with the first task's loss times `factor`. */
export async function train(slot: Slot, factor: number, epochs = 8): Promise<Course> {
  const components = createTrialContainer(TASKS);
  const parts: Record<string, unknown> = { backbone, head };
  const factory = { create: (kind: string) => parts[kind] } as unknown as ComponentFactory;
  const toy = { type: 'toy' };
  const model = { backbone: toy, decoder: null, fusion: null, interaction: null, refinement: null };
  const network = new Network(model, { near: { head: toy }, far: { head: toy } }, TASKS, factory);
  const scheme = components.create('scheme', slot);
  const factors: Record<string, number> = { near: factor, far: 1 };
  const losses = Object.fromEntries(TASKS.map(({ name }) => [name, squared(factors[name])]));
  const criterion = {
    tasks: TASKS,
    losses,
    scheme,
    intermediate: { reduce: 'mean', scheme: true, weight: 1 },
  } as const;
  const optimizer = components.create('optimizer', { type: 'adamw', rate: 0.05, weight_decay: 0 });
  const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, {
    batch: 1,
    size: SIZE,
    clip: null,
  });
  step.weights.initialize(1);
  const data = batch();
  const steps: StepResult[] = [];
  let sums: Record<string, number> = { near: 0, far: 0 };
  for (let i = 0; i < epochs * STEPS_PER_EPOCH; i++) {
    const epoch = Math.floor(i / STEPS_PER_EPOCH);
    const info = { epoch, step: i, random: randomStream('conflict', i) };
    scheme.stepBegin?.(info);
    const result = await step.gradientsOf(data, (name) => randomStream(name), info);
    await step.apply(i + 1, optimizer.rate);
    const again = scheme.needs?.again ? await step.lossesAgain() : undefined;
    scheme.stepEnd?.({ ...info, rate: optimizer.rate, raw: result.raw, projected: result.projected, again });
    steps.push(result);
    for (const task of Object.keys(sums)) sums[task] += result.raw[task] / STEPS_PER_EPOCH;
    if ((i + 1) % STEPS_PER_EPOCH !== 0) continue;
    const projected = Object.fromEntries(
      Object.keys(sums).map((task) => [
        task,
        steps.slice(-STEPS_PER_EPOCH).reduce((sum, s) => sum + s.projected[task] / STEPS_PER_EPOCH, 0),
      ]),
    );
    scheme.epochEnd?.({ epoch, raw: sums, projected });
    scheme.evaluated?.(
      Object.fromEntries(
        Object.entries(sums).map(([task, loss]) => [
          task,
          { value: loss, unit: '', better: 'lower' as const },
        ]),
      ),
    );
    sums = { near: 0, far: 0 };
  }
  const last = await step.gradientsOf(data, (name) => randomStream(name));
  step.close();
  const errors = Object.fromEntries(
    Object.entries(last.raw).map(([task, loss]) => [task, loss / factors[task]]),
  );
  return { errors, steps };
}
