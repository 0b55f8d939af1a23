// mtcp grad: losses and gradients of one training step on tensors from a file. Nothing is updated.
import { MtcpError } from '../../../registry/errors.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { kindOf } from '../../../registry/kinds.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { randomStream } from '../../../registry/random.js';
import type { TrialSpec } from '../../config/index.js';
import type { TrainBatch } from '../../data/batch.js';
import { createEngine } from '../../engine/index.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { assembled } from '../../model/assemble.js';
import { tasksToCount } from '../../model/class-counts.js';
import { threadsOf } from '../../config/index.js';
import { teachersOf } from '../../model/auxiliary.js';
import { TrainingStep } from '../../training/step/step.js';
import { SafetensorsFile, writeSafetensors } from '../../support/safetensors.js';
import { fill, readImage, readMap, type WeightsOptions } from './model.js';

export interface GradOptions extends WeightsOptions {
  /**
   * A safetensors file with `image` [batch, 3, height, width] and a label of the same height and width for each task,
   * under the task's name (or `label.TASK`): [batch, 1, height, width] of class indices, metres or 0 and 1,
   * [batch, 3, height, width] of unit normals; 255 is unknown.
   */
  input: string;
  /** The safetensors file to write: `loss.*`, and each gradient under its parameter's name. */
  out: string;
}

export interface Gradients {
  losses: Record<string, number>;
  /** Parameters with a gradient. */
  gradients: number;
  /** L2 norm of all gradients together. */
  norm: number;
  engine: string;
  seconds: number;
}

/** Leaves every parameter as it is, and so needs no state. */
const STILL: Optimizer = {
  rate: 0,
  slots: [],
  scalars: () => ({}),
  update: (parameter) => ({ parameter, slots: {} }),
};

/** @throws MtcpError `data` or `weights` if a file does not fit, `numeric` if a loss is not finite */
export async function grad(
  trial: TrialSpec,
  { input, out, ...weightsOptions }: GradOptions,
): Promise<Gradients> {
  const parts = assembled(trial);
  const [taught] = teachersOf(parts.criterion.auxiliary);
  if (taught)
    throw new MtcpError('usage', `row "${trial.row}" learns from what row "${taught.row}" trained`, {
      hint: 'gradients are compared without a teacher: set auxiliary.NAME=null for the terms that have one',
    });
  const [weighed] = tasksToCount(parts);
  if (weighed)
    throw new MtcpError(
      'usage',
      `the loss of "${weighed.name}" weighs classes by the training split, which is not read here`,
      { hint: `compare without: tasks.${weighed.name}.loss.class_weights=equal` },
    );
  const { batch, size } = readBatch(input, parts.tasks);
  const engine = await createEngine(trial.config.engine, threadsOf(trial.config));
  try {
    const step = await TrainingStep.compile(engine, parts.network, parts.criterion, STILL, {
      batch: batch.ids.length,
      size,
      clip: null,
    });
    fill(trial, step.weights, weightsOptions);
    const began = performance.now();
    await step.gradientsOf(batch, (name) => randomStream(trial.seed, 'noise', 0, name));
    const seconds = (performance.now() - began) / 1000;
    const losses = Object.fromEntries([...step.losses()].map(([name, value]) => [`loss.${name}`, value]));
    const scalar = (value: number): HostTensor => ({
      shape: [],
      dtype: 'float32',
      data: Float32Array.of(value),
    });
    await step.pullGradients();
    const { views, data } = step.gradients;
    writeSafetensors(
      out,
      new Map<string, HostTensor>([
        ...Object.entries(losses).map(([name, value]) => [name, scalar(value)] as const),
        ...views,
      ]),
      { row: trial.row, seed: String(trial.seed), engine: engine.description },
    );
    const norm = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
    step.close();
    return { losses, gradients: views.size, norm, engine: engine.description, seconds };
  } finally {
    engine.close();
  }
}

/** @throws MtcpError `data` if an image or a label is missing or of another size */
export function readBatch(
  path: string,
  tasks: readonly Task[],
): { batch: TrainBatch; size: [number, number] } {
  const file = new SafetensorsFile(path);
  try {
    const image = readImage(file);
    const [count, height, width] = image.shape;
    const labels = Object.fromEntries(tasks.map((task) => [task.name, readLabel(file, task, image.shape)]));
    const ids = Array.from({ length: count }, (_, i) => String(i));
    return { batch: { ids, image: image.data as Float32Array, labels }, size: [height, width] };
  } finally {
    file.close();
  }
}

function readLabel(
  file: SafetensorsFile,
  task: Task,
  [batch, height, width]: readonly number[],
): Float32Array | Int32Array {
  const { name } = task;
  const kind = kindOf(task);
  const { shape, data } = readMap(file, [name, `label.${name}`]);
  const wanted = [batch, height, width, kind.labelChannels(task)];
  if (shape.join() !== wanted.join())
    throw new MtcpError(
      'data',
      `${file.path}: the label of ${name} is ${[shape[0], shape[3], shape[1], shape[2]].join('x')}, with this image it is ${[batch, wanted[3], height, width].join('x')}`,
    );
  return kind.batch === 'indices' ? Int32Array.from(data) : Float32Array.from(data);
}
