// The test that an engine has to pass: two training steps of a small network, each with its own batch. A single
// matrix product would say little; training reads weights and batches that change between runs.
import '../../../modules/index.js';
import { fileURLToPath } from 'node:url';
import type { Task } from '../../../registry/contracts/tasks.js';
import { kindOf } from '../../../registry/kinds.js';
import { randomStream } from '../../../registry/random.js';
import { loadExperiment, type TrialSpec } from '../../config/index.js';
import type { TrainBatch } from '../../data/batch.js';
import type { Engine } from '../../engine/engine.js';
import { assembled } from '../../model/assemble.js';
import { TrainingStep } from '../../training/step/step.js';

const EXPERIMENT = fileURLToPath(new URL('../../../../experiments/table3.yaml', import.meta.url));
const SIZE = [32, 32] as const;
const STEPS = 2;

export interface TrialSteps {
  /** Of each step: the objective, then each task's loss. */
  losses: number[][];
  /** Trained weights and running statistics afterwards. */
  weights: Map<string, Float32Array>;
}

/** @param row of Table 3, at the size of its smoke profile */
export function trialSteps(engine: Engine, row = 'MT-CP'): Promise<TrialSteps> {
  const [trial] = loadExperiment(EXPERIMENT, { profile: 'smoke', rows: [row] }).trials;
  return stepsOf(trial, engine, { batch: 1, size: SIZE });
}

/** The first steps of a trial from the weights of seed 0, without what it starts from. */
async function stepsOf(
  trial: TrialSpec,
  engine: Engine,
  shape?: { batch: number; size: readonly [number, number] },
): Promise<TrialSteps> {
  const { network, criterion, optimizer, tasks, transform } = assembled(trial);
  const { batch, size } = shape ?? { batch: trial.config.train.batch, size: transform.size };
  const options = { batch, size, clip: 1 };
  const step = await TrainingStep.compile(engine, network, criterion, optimizer, options);
  try {
    step.weights.initialize(0);
    const losses: number[][] = [];
    for (let i = 1; i <= STEPS; i++) {
      const noise = (name: string) => randomStream('noise', i, name);
      const { total, raw } = await step.gradientsOf(batchOf(tasks, batch, size, i), noise);
      losses.push([total, ...Object.values(raw)]);
      await step.apply(i, 1e-3);
    }
    await step.pull();
    const weights = [...step.weights.buffers].map(
      ([name, { data }]) => [name, Float32Array.from(data)] as const,
    );
    return { losses, weights: new Map(weights) };
  } finally {
    step.close();
  }
}

/** Noise in the shape of an image and its labels. */
export function batchOf(
  tasks: readonly Task[],
  batch: number,
  [height, width]: readonly [number, number],
  index: number,
): TrainBatch {
  const random = randomStream('trial steps', index);
  const pixels = batch * height * width;
  return {
    ids: [String(index)],
    image: Float32Array.from({ length: 3 * pixels }, () => random.normal()),
    labels: Object.fromEntries(
      tasks.map((task) => {
        const kind = kindOf(task);
        return [
          task.name,
          kind.batch === 'indices'
            ? Int32Array.from({ length: pixels }, () => random.integer(task.channels))
            : Float32Array.from({ length: pixels * kind.labelChannels(task) }, () => random.uniform()),
        ];
      }),
    ),
  };
}

/** The largest difference of two engines' losses, relative to the loss. */
export function differenceOf(a: TrialSteps, b: TrialSteps): number {
  const pairs = a.losses.flatMap((step, i) => step.map((loss, j) => [loss, b.losses[i][j]] as const));
  return Math.max(...pairs.map(([x, y]) => Math.abs(x - y) / Math.max(Math.abs(x), 1e-6)));
}
