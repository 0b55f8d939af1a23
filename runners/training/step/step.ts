// One training step in two halves. A program reads weights and a batch and computes losses, gradients and batch statistics.
// The update reads weights, gradients and optimizer state and computes new ones; it clips gradients, too. Between them, on
// the host, losses are checked.
import { inputName } from '../../../modules/nn/scope.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { StepInfo } from '../../../registry/contracts/scheme.js';
import type { RandomStream } from '../../../registry/random.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrainBatch } from '../../data/batch.js';
import { hostTensor, type Engine, type Program, type TensorSpec, type Tracer } from '../../engine/engine.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import { compileTeachers, type CompiledTeacher } from '../../model/auxiliary.js';
import type { Network } from '../../model/network.js';
import type { Criterion } from '../../model/objective.js';
import { NAMES, schemeInputs } from '../../model/step-inputs.js';
import type { StepShape } from '../../model/step-shape.js';
import { meanOf, type StepResult } from './step-result.js';
import type { Arena } from './arena.js';
import { compileUpdate } from './compile-update.js';
import { TaskGradientRun } from './task-gradients.js';
import { newTrace, type Traced } from './traced.js';
import { memoryOf, traceLosses, traceStages } from './trace-step.js';
import type { Update } from './update.js';
import { Weights } from './weights.js';

export interface StepOptions extends StepShape {
  /** Pieces of the batch that pass through the network one after the other; divides `batch`. Default 1. */
  accumulate?: number;
  /** Largest norm of the whole gradient; null leaves it as it is. */
  clip: number | null;
}

export class TrainingStep {
  readonly weights: Weights;
  /** Optimizer state: one vector like the trained weights' for each slot. */
  readonly slots: Record<string, Arena>;
  readonly gradients: Arena;
  readonly #hosts = new Map<string, HostTensor>();
  readonly #momenta: ReadonlyMap<string, number>;
  /** Sum of the gradients of the micro-batches before the current one; only where there are several. */
  readonly #sum: Float32Array | undefined;
  /** BatchNorm's running statistics as they will be when the step is applied. */
  readonly #statistics = new Map<string, Float32Array>();
  readonly #gradientRun: Binding;
  readonly #backboneRun?: Binding;
  readonly #lossRun?: Binding;
  readonly #teacherRuns: readonly Binding[];
  readonly #taskGradients?: TaskGradientRun;

  private constructor(
    readonly gradientProgram: Program,
    /** The second program of the gradients, where the scheme combines them half-way. */
    readonly backboneProgram: Program | undefined,
    /** Losses alone, for schemes that look again after the update. */
    readonly lossProgram: Program | undefined,
    readonly update: Update,
    /** Run before the gradients; what they see is an input there. */
    readonly teachers: readonly CompiledTeacher[],
    readonly criterion: Criterion,
    readonly options: StepOptions,
    traced: Traced,
  ) {
    const { parameter, gradient, slots } = update.vectors;
    this.weights = new Weights(traced.table, parameter);
    this.gradients = gradient;
    this.slots = slots;
    this.#momenta = traced.momenta;
    if (this.#microBatches > 1) this.#sum = new Float32Array(this.gradients.data.length);

    const gradientPrefix = NAMES.gradient('');
    const tensor = (name: string, spec: TensorSpec): HostTensor => {
      const weight = this.weights.input(name);
      if (weight) return weight;
      if (name.startsWith(gradientPrefix))
        return this.gradients.views.get(name.slice(gradientPrefix.length))!;
      return this.#taskGradients?.tensor(name) ?? this.#host(name, spec);
    };
    if (traced.plan)
      this.#taskGradients = new TaskGradientRun(
        criterion.scheme.needs!.gradients!,
        traced.plan,
        this.gradients,
      );
    this.#gradientRun = gradientProgram.bind(tensor);
    this.#backboneRun = backboneProgram?.bind(tensor);
    this.#lossRun = lossProgram?.bind(tensor);
    this.#teacherRuns = teachers.map(({ teacher, program }) =>
      program.bind((name, spec) => teacher.tensor(name, spec) ?? this.#host(name, spec)),
    );
  }

  static async compile(
    engine: Engine,
    network: Network,
    criterion: Criterion,
    optimizer: Optimizer,
    options: StepOptions,
  ): Promise<TrainingStep> {
    const traced = newTrace();
    const microBatch = { ...options, batch: microBatchOf(options) };
    const teachers = await compileTeachers(engine, criterion.auxiliary, microBatch);
    const { gradients, again } = criterion.scheme.needs ?? {};
    const trace = (tracer: Tracer) => traceStages(tracer, network, criterion, microBatch, traced);
    const [gradientProgram, backboneProgram] =
      gradients?.shared === 'representation'
        ? await engine.compilePair('gradient', trace, memoryOf(network))
        : [await engine.compile('gradient', (tracer) => trace(tracer)[0], memoryOf(network))];
    const lossProgram = again
      ? await engine.compile('loss', (tracer) => traceLosses(tracer, network, criterion, microBatch, traced))
      : undefined;
    const shapes = traced.trained.map((name) => [name, traced.table.parameters.get(name)!.shape] as const);
    const update = await compileUpdate(engine, optimizer, new Map(shapes), options.clip !== null);
    return new TrainingStep(
      gradientProgram,
      backboneProgram,
      lossProgram,
      update,
      teachers,
      criterion,
      options,
      traced,
    );
  }

  #host(name: string, spec: TensorSpec): HostTensor {
    let tensor = this.#hosts.get(name);
    if (!tensor) this.#hosts.set(name, (tensor = hostTensor(spec)));
    return tensor;
  }

  /**
   * Losses and gradients for a batch; weights stay as they are.
   * @param noise the stream of a random input of this step
   * @param info where training is, for schemes that combine gradients
   * @throws MtcpError `numeric` if a loss is not finite, naming the first tensor that is not
   */
  async gradientsOf(
    batch: TrainBatch,
    noise: (name: string) => RandomStream,
    info: StepInfo = { epoch: 0, step: 0, random: noise('scheme') },
  ): Promise<StepResult> {
    for (const name of this.#momenta.keys())
      this.#statistics.set(name, Float32Array.from(this.weights.buffers.get(name)!.data));
    const results: StepResult[] = [];
    for (let microBatch = 0; microBatch < this.#microBatches; microBatch++) {
      this.#feed(batch, microBatch, noise);
      await this.#run();
      results.push(await this.#check(info));
      this.#fold(microBatch);
    }
    return meanOf(results);
  }

  get #microBatches(): number {
    return this.options.accumulate ?? 1;
  }

  #feed(batch: TrainBatch, microBatch: number, noise: (name: string) => RandomStream): void {
    const part = <T extends HostTensor['data']>(all: T): T => {
      const length = all.length / this.#microBatches;
      return all.subarray(microBatch * length, (microBatch + 1) * length) as T;
    };
    this.#hosts.get(NAMES.image)!.data.set(part(batch.image));
    for (const [task, label] of Object.entries(batch.labels))
      this.#hosts.get(NAMES.label(task))?.data.set(part(label));
    for (const [name, value] of schemeInputs(this.criterion.scheme)) this.#hosts.get(name)?.data.fill(value);
    const prefix = inputName.noise('');
    for (const [name, { data }] of this.#hosts) {
      if (!name.startsWith(prefix)) continue;
      const key = name.slice(prefix.length);
      const stream = noise(microBatch === 0 ? key : `${key}#${microBatch}`);
      for (let i = 0; i < data.length; i++) data[i] = stream.uniform();
    }
  }

  async #run(): Promise<void> {
    for (const run of this.#teacherRuns) await run.run();
    try {
      await this.#gradientRun.run();
    } catch (error) {
      // NaN that becomes an index makes operators fail before there is a loss to look at.
      const first = await this.#firstNonFinite();
      throw first === undefined ? error : notFinite('the objective is NaN', first);
    }
  }

  /** The losses of a micro-batch, and what the scheme makes of its gradients. */
  async #check(info: StepInfo): Promise<StepResult> {
    const { scheme } = this.criterion;
    const result = this.#losses();
    const numbers = [result.total, ...Object.values(result.raw)];
    if (!numbers.every(Number.isFinite)) {
      const culprit = Object.entries(result.raw).find(([, loss]) => !Number.isFinite(loss));
      const what = culprit
        ? `the loss of ${culprit[0]} is ${culprit[1]}`
        : `the objective is ${result.total}`;
      throw notFinite(what, await this.#firstNonFinite());
    }
    if (scheme.effective) Object.assign(result.weights, scheme.effective(result.raw));
    if (this.#taskGradients) {
      const terms = Object.keys(result.raw).map((task) => this.#scalar(NAMES.term(task)));
      const { coefficients, cosines } = this.#taskGradients.combine(result.raw, terms, info);
      for (const [task, factor] of Object.entries(coefficients)) result.weights[task] *= factor;
      result.cosines = cosines;
      await this.#backboneRun?.run();
    }
    return result;
  }

  /**
   * Every loss of the last micro-batch of a batch: `total`, each task's own, `intermediate.<task>.<i>`, and
   * `penalty.<component>`.
   */
  losses(): Map<string, number> {
    const kinds = ['raw/', 'intermediate/', 'penalty/'];
    const names = [...this.gradientProgram.outputs.keys()].filter(
      (name) => name === 'total' || kinds.some((kind) => name.startsWith(kind)),
    );
    return new Map(names.map((name) => [name.replace(/^raw\//, '').replace('/', '.'), this.#scalar(name)]));
  }

  /** Raw losses of the last batch, with the weights as they are now; for schemes that look again. */
  async lossesAgain(): Promise<Record<string, number>> {
    await this.#lossRun!.run();
    return this.#losses().raw;
  }

  #losses(): StepResult {
    const weights = { ...this.criterion.scheme.weights() };
    const result: StepResult = {
      total: this.#scalar('total'),
      raw: {},
      projected: {},
      weights,
      cosines: {},
    };
    for (const { name } of this.criterion.tasks) {
      if (this.#scalar(NAMES.valid(name)) === 0) continue;
      result.raw[name] = this.#scalar(NAMES.raw(name));
      result.projected[name] = this.#scalar(NAMES.projected(name));
    }
    const prefix = NAMES.penalty('');
    const added = [...this.gradientProgram.outputs.keys()].filter((name) => name.startsWith(prefix));
    if (added.length > 0)
      result.penalties = Object.fromEntries(
        added.map((name) => [name.slice(prefix.length), this.#scalar(name)]),
      );
    return result;
  }

  /** Takes in what the network left behind for one micro-batch: statistics, and its share of the gradient. */
  #fold(microBatch: number): void {
    for (const [name, momentum] of this.#momenta) {
      const running = this.#statistics.get(name)!;
      const { data } = this.#hosts.get(NAMES.observed(name))!;
      for (let i = 0; i < running.length; i++) running[i] = (1 - momentum) * running[i] + momentum * data[i];
    }
    const sum = this.#sum;
    if (!sum) return;
    const { data } = this.gradients;
    if (microBatch === 0) sum.set(data);
    else if (microBatch < this.#microBatches - 1) for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    else for (let i = 0; i < sum.length; i++) data[i] = (sum[i] + data[i]) / this.#microBatches;
  }

  #scalar(name: string): number {
    return this.#hosts.get(name)!.data[0];
  }

  #firstNonFinite(): Promise<string | undefined> {
    return this.gradientProgram.firstNonFinite(
      (name, spec) => this.weights.input(name) ?? this.#host(name, spec),
    );
  }

  /**
   * Applies the gradients of the last `gradientsOf`, and its batch statistics to the running ones.
   * @param step counts from 1
   * @returns the norm of the gradient before clipping, if it was needed
   */
  async apply(step: number, rate: number): Promise<number | undefined> {
    const norm = await this.update.run(step, rate, this.options.clip);
    for (const [name, values] of this.#statistics) this.weights.buffers.get(name)!.data.set(values);
    return norm;
  }

  close(): void {
    const teachers = this.teachers.map(({ program }) => program);
    const runs = [this.#gradientRun, this.#backboneRun, this.#lossRun, ...this.#teacherRuns];
    const programs = [this.gradientProgram, this.backboneProgram, this.lossProgram, ...teachers];
    for (const each of [...runs, ...programs]) each?.close();
    this.update.close();
  }
}

const microBatchOf = ({ batch, accumulate = 1 }: StepOptions): number => batch / accumulate;

function notFinite(what: string, first: string | undefined): MtcpError {
  return new MtcpError('numeric', what, {
    where: first && `first in ${first}`,
    hint: 'a lower optimizer.rate, train.clip, or another scheme may help',
  });
}
