// Two training steps of a small network on an engine, each with a batch of its own: what an engine is tried with. A
// product of matrices says little about one; training reads weights and batches that change between its runs.
import '../../../modules/index.js';
import { fileURLToPath } from 'node:url';
import { labelChannels } from '../../../registry/contracts/tasks.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { randomStream } from '../../../registry/random.js';
import { loadExperiment } from '../../config/index.js';
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
export async function trialSteps(engine: Engine, row = 'MT-CP'): Promise<TrialSteps> {
  const [trial] = loadExperiment(EXPERIMENT, { profile: 'smoke', rows: [row] }).trials;
  const { network, criterion, optimizer, tasks } = assembled(trial);
  const options = { batch: 1, size: SIZE, clip: 1 };
  const step = await TrainingStep.compile(engine, network, criterion, optimizer, options);
  try {
    step.weights.initialize(0);
    const losses: number[][] = [];
    for (let i = 1; i <= STEPS; i++) {
      const noise = (name: string) => randomStream('noise', i, name);
      const { total, raw } = await step.gradientsOf(batchOf(tasks, i), noise);
      losses.push([total, ...Object.values(raw)]);
      await step.apply(i, 1e-3);
    }
    const weights = [...step.weights.buffers].map(
      ([name, { data }]) => [name, Float32Array.from(data)] as const,
    );
    return { losses, weights: new Map(weights) };
  } finally {
    step.close();
  }
}

/** Noise in the shape of an image and its labels. */
function batchOf(tasks: readonly Task[], index: number): TrainBatch {
  const random = randomStream('trial steps', index);
  const pixels = SIZE[0] * SIZE[1];
  return {
    ids: [String(index)],
    image: Float32Array.from({ length: 3 * pixels }, () => random.normal()),
    labels: Object.fromEntries(
      tasks.map(({ name, kind, channels }) => [
        name,
        kind === 'classes'
          ? Int32Array.from({ length: pixels }, () => random.integer(channels))
          : Float32Array.from({ length: pixels * labelChannels(kind) }, () => random.uniform()),
      ]),
    ),
  };
}

/** The largest difference of two engines' losses, relative to the loss. */
export function differenceOf(a: TrialSteps, b: TrialSteps): number {
  const pairs = a.losses.flatMap((step, i) => step.map((loss, j) => [loss, b.losses[i][j]] as const));
  return Math.max(...pairs.map(([x, y]) => Math.abs(x - y) / Math.max(Math.abs(x), 1e-6)));
}
