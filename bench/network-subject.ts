// Whole networks that mtcp's process times: training steps of MT-CP and of compared systems, evaluations of MT-CP.
import { readFileSync } from 'node:fs';
import type * as tf from '../registry/tf.js';
import { ParameterTable, Pass } from '../modules/nn/scope.js';
import type { Optimizer } from '../registry/contracts/learning.js';
import type { Task } from '../registry/contracts/tasks.js';
import { MtcpError } from '../registry/errors.js';
import { randomStream } from '../registry/random.js';
import type { TrainBatch } from '../runners/data/batch.js';
import { hostTensor, type Engine, type Program } from '../runners/engine/engine.js';
import type { Binding, HostTensor } from '../runners/engine/ort/session.js';
import type { Network } from '../runners/model/network.js';
import type { Criterion } from '../runners/model/objective.js';
import { TrainingStep } from '../runners/training/step/step.js';
import type { ModelFixture } from '../test/reference/fixtures.js';
import { referenceModel } from '../test/support/reference-model.js';
import { checksum, checksumsOf, type Checksum } from './checksum.js';
import { draw, drawMap, type Drawn } from './draw.js';
import { graphSize, type GraphSize } from './graph-size.js';
import type { Sizes } from './pieces.js';
import { rowParts, type RowChoice } from './row.js';
import type { Setup, Subject } from './subject.js';

/** What a training step is made from. */
export interface StepParts {
  network: Network;
  criterion: Criterion;
  optimizer: Optimizer;
  tasks: readonly Task[];
  clip?: number | null;
}

/** A training step by the code that trains. */
export class TrainingSubject implements Subject {
  #steps = 0;

  private constructor(
    readonly training: TrainingStep,
    readonly batch: TrainBatch,
    readonly rate: number,
  ) {}

  get flops(): number {
    return this.training.gradientProgram.stats.flops;
  }

  get graph(): GraphSize {
    return graphSize(this.training.gradientProgram);
  }

  static async create(engine: Engine, { piece, sizes, drawn }: Setup): Promise<TrainingSubject> {
    const parts = piece === 'system_step' ? rowParts(sizes.row as RowChoice) : reference(sizes);
    const { network, criterion, optimizer, tasks, clip = null } = parts;
    const { batch, height, width } = sizes as Sizes;
    const size: [number, number] = [height, width];
    const training = await TrainingStep.compile(engine, network, criterion, optimizer, { batch, size, clip });
    for (const [name, { data }] of training.weights.entries()) {
      if (!drawn[name]) throw new MtcpError('engine', `PyTorch's network has no ${name}`);
      data.set(draw(name, drawn[name]));
    }
    const labels = Object.fromEntries(tasks.map((task) => [task.name, labelData(task, drawn)]));
    const image = drawMap('image', drawn.image).data;
    return new TrainingSubject(training, { ids: [], image, labels }, optimizer.rate);
  }

  async step(): Promise<void> {
    await this.training.gradientsOf(this.batch, (name) => randomStream(name));
    await this.training.apply(++this.#steps, this.rate);
  }

  get deviceBytes(): number | undefined {
    return this.training.gradientProgram.deviceBytes;
  }

  async checksums(): Promise<Record<string, Checksum>> {
    await this.training.pullGradients();
    const tasks = new Set(this.training.criterion.tasks.map(({ name }) => name));
    const losses = [...this.training.losses()].map(([name, v]) => [
      `loss.${tasks.has(name) ? `final.${name}` : name}`,
      [v, Math.abs(v)],
    ]);
    const norms = [...this.training.gradients.views].map(([name, { data }]) => {
      const [, norm] = checksum(data);
      return [`norm.${name}`, [norm, norm]];
    });
    return Object.fromEntries([...losses, ...norms]) as Record<string, Checksum>;
  }
}

export class EvaluationSubject implements Subject {
  private constructor(
    readonly program: Program,
    readonly binding: Binding,
    readonly results: ReadonlyMap<string, HostTensor>,
  ) {}

  get flops(): number {
    return this.program.stats.flops;
  }

  get graph(): GraphSize {
    return graphSize(this.program);
  }

  static async create(engine: Engine, { sizes, drawn }: Setup): Promise<EvaluationSubject> {
    const { network } = reference(sizes);
    const { batch, height, width } = sizes as Sizes;
    const program = await engine.compile('evaluation', (tracer) => {
      const image = tracer.input('image', 'float32', [batch, height, width, 3]) as tf.Tensor4D;
      const raw = network.forward(new Pass(new ParameterTable(), tracer, false).root, image);
      return Object.fromEntries(Object.entries(raw).map(([task, y]) => [`prediction.${task}`, y]));
    });
    const results = new Map<string, HostTensor>();
    const binding = program.bind((name, spec) => {
      const tensor = hostTensor(spec);
      if (!program.inputs.has(name)) results.set(name, tensor);
      else if (name === 'image') tensor.data.set(drawMap('image', drawn.image).data);
      else {
        const key = name.slice(name.indexOf('/') + 1);
        tensor.data.set(draw(key, drawn[key]));
      }
      return tensor;
    });
    return new EvaluationSubject(program, binding, results);
  }

  step(): Promise<void> {
    return this.binding.run();
  }

  checksums(): Record<string, Checksum> {
    return checksumsOf(this.results);
  }
}

/** MT-CP as the fixtures of the reference have it. */
function reference({ config }: Record<string, unknown>): StepParts {
  const text = JSON.parse(readFileSync(config as string, 'utf8')) as Record<string, unknown>;
  return referenceModel({ config: text } as unknown as ModelFixture);
}

/** Labels as python/pieces.py makes them up. */
function labelData(
  { name, kind, channels }: { name: string; kind: string; channels: number },
  drawn: Record<string, Drawn>,
): Float32Array | Int32Array {
  const { data } = drawMap(name, drawn[name]);
  if (kind === 'classes') return Int32Array.from(data, (u) => Math.floor(Math.fround(u * channels)));
  if (kind === 'normals')
    for (let i = 0; i < data.length; i += 3) {
      const length = Math.hypot(data[i], data[i + 1], data[i + 2]);
      for (let j = i; j < i + 3; j++) data[j] /= length;
    }
  return data;
}
