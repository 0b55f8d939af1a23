// One training step in two halves. A program reads weights and a batch and computes losses, gradients and batch statistics.
// The update reads weights, gradients and optimizer state and computes new ones; it clips gradients, too. Between them, on
// the host, losses are checked. With an engine that has a device's memory, everything but the batch and the losses stays
// there.
import { inputName } from '../../../modules/nn/scope.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { PerTask, StepInfo } from '../../../registry/contracts/scheme.js';
import type { RandomStream } from '../../../registry/random.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrainBatch } from '../../data/batch.js';
import { DeviceError } from '../../engine/device-error.js';
import {
  hostTensor,
  type CompileOptions,
  type Engine,
  type Program,
  type TensorSpec,
  type Tracer,
} from '../../engine/engine.js';
import type { Binding, HostArray, HostTensor } from '../../engine/ort/session.js';
import { compileTeachers, type CompiledTeacher } from '../../model/auxiliary.js';
import type { Network } from '../../model/network.js';
import type { Criterion } from '../../model/objective.js';
import { NAMES, schemeInputs } from '../../model/step-inputs.js';
import { isBatchedBy } from '../../model/step-shape.js';
import type { Applier } from './applier.js';
import { packingOf } from './packing.js';
import { StepDevice } from './step-device.js';
import {
  deviceArrays,
  deviceParts,
  hostParts,
  type DeviceArrays,
  type StepOptions,
  type StepParts,
} from './step-parts.js';
import { meanOf, type StepResult } from './step-result.js';
import type { Arena } from './arena.js';
import { DeviceTaskGradients, partVectors } from './device-task-gradients.js';
import type { TaskGradientCombiner } from './task-factors.js';
import { TaskGradientRun } from './task-gradients.js';
import { newTrace } from './traced.js';
import { memoryOf, traceLosses, traceStages } from './trace-step.js';
import type { Update } from './update.js';
import { termsAhead } from './virtual-steps.js';
import { VECTORS, type Weights } from './weights.js';

export class TrainingStep {
  readonly weights: Weights;
  readonly gradients: Arena;
  readonly #slots: Record<string, Arena>;
  readonly #hosts = new Map<string, HostTensor>();
  readonly #scalars?: Arena;
  readonly #gradientRun: Binding;
  readonly #backboneRun?: Binding;
  readonly #lossRun?: Binding;
  readonly #teacherRuns: readonly Binding[];
  readonly #applier: Applier;
  readonly #taskGradients?: TaskGradientCombiner;
  /** Only where a device keeps the arrays. */
  readonly #device?: StepDevice;

  private constructor(
    readonly gradientProgram: Program,
    /** The second program of the gradients, where the scheme combines them half-way. */
    readonly backboneProgram: Program | undefined,
    /** Losses alone, for schemes that look again after the update. */
    readonly lossProgram: Program | undefined,
    /** Run before the gradients; what they see is an input there. */
    readonly teachers: readonly CompiledTeacher[],
    readonly criterion: Criterion,
    readonly options: StepOptions,
    { arrays, memory, applier }: StepParts,
    taskGradients: TaskGradientCombiner | undefined,
  ) {
    const { weights, gradients, slots, observed, scalars } = arrays;
    this.weights = weights;
    this.gradients = gradients;
    this.#slots = slots;
    this.#scalars = scalars;
    this.#taskGradients = taskGradients;

    const own = new Map<string, HostTensor>([
      [VECTORS.gradient, gradients.tensor],
      ...(observed ? [[VECTORS.observed, observed.tensor] as const] : []),
      ...(scalars ? [[VECTORS.scalar, scalars.tensor] as const] : []),
    ]);
    const gradientPrefix = NAMES.gradient('');
    const tensor = (name: string, spec: TensorSpec): HostTensor => {
      const known = weights.input(name) ?? own.get(name);
      if (known) return known;
      if (name.startsWith(gradientPrefix)) return gradients.views.get(name.slice(gradientPrefix.length))!;
      return this.#taskGradients?.tensor(name) ?? this.#host(name, spec);
    };
    this.#gradientRun = gradientProgram.bind(tensor);
    this.#backboneRun = backboneProgram?.bind(tensor);
    this.#lossRun = lossProgram?.bind(tensor);
    const taught: HostTensor[] = [];
    this.#teacherRuns = teachers.map(({ teacher, program }) =>
      program.bind((name, spec) => {
        const weight = teacher.tensor(name, spec);
        if (weight) taught.push(weight);
        return weight ?? this.#host(name, spec);
      }),
    );
    this.#applier = applier((buffer) => this.#hosts.get(NAMES.observed(buffer))!);
    if (memory)
      this.#device = new StepDevice(memory, {
        trained: [...weights.tensors, ...Object.values(slots).map((slot) => slot.tensor)],
        between: [
          ...(this.#isCombinedHere ? [] : [gradients.tensor]),
          ...(taskGradients?.kept ?? []),
          ...(observed ? [observed.tensor] : []),
          ...taught,
          ...this.#between(),
        ],
        batch: this.#batchTensors(),
      });
    weights.residence = this.#device?.residence;
  }

  static async compile(
    engine: Engine,
    network: Network,
    criterion: Criterion,
    optimizer: Optimizer,
    options: StepOptions,
  ): Promise<TrainingStep> {
    const traced = newTrace(network.layers);
    const { memory } = engine;
    const { gradients, again } = criterion.scheme.needs ?? {};
    const onlyProducts = gradients?.onlyProducts ?? false;
    let arrays: DeviceArrays | undefined;
    const packing: CompileOptions['packing'] =
      memory &&
      ((outputs) => {
        arrays ??= deviceArrays(traced, optimizer, outputs);
        const { gradients, ...kept } = arrays;
        const { plan } = traced;
        if (!plan) return packingOf({ ...kept, gradient: gradients });
        return packingOf({ ...kept, others: onlyProducts ? partVectors(plan, gradients) : [] });
      });
    const microBatch = { ...options, batch: microBatchOf(options) };
    const isBatched = isBatchedBy(microBatch.batch);
    const compileOptions = { ...memoryOf(network), packing, isBatched };
    const teachers = await compileTeachers(engine, criterion.auxiliary, microBatch);
    if (gradients?.ahead && memory)
      throw new MtcpError(
        'engine',
        'the scheme takes virtual steps, and this engine keeps weights on a device',
        {
          hint: 'use `engine: { type: onnx }`',
        },
      );
    const trace = (tracer: Tracer) => traceStages(tracer, network, criterion, microBatch, traced);
    const [gradientProgram, backboneProgram] =
      gradients?.shared === 'representation'
        ? await engine.compilePair('gradient', trace, compileOptions)
        : [await engine.compile('gradient', (tracer) => trace(tracer)[0], compileOptions)];
    const lossProgram = again
      ? await engine.compile(
          'loss',
          (tracer) => traceLosses(tracer, network, criterion, microBatch, traced),
          { packing, isBatched },
        )
      : undefined;
    const parts =
      memory && arrays
        ? await deviceParts(engine, memory, traced, arrays, optimizer, options)
        : await hostParts(engine, traced, optimizer, options);
    const { plan } = traced;
    const combined = parts.arrays.gradients;
    const written = new Set(
      [gradientProgram, backboneProgram].flatMap((each) => [...(each?.outputs.keys() ?? [])]),
    );
    const taskGradients =
      plan &&
      (memory && onlyProducts
        ? await DeviceTaskGradients.compile(engine, gradients!, plan, combined, written, isBatched)
        : new TaskGradientRun(gradients!, plan, combined));
    return new TrainingStep(
      gradientProgram,
      backboneProgram,
      lossProgram,
      teachers,
      criterion,
      options,
      parts,
      taskGradients,
    );
  }

  get update(): Pick<Update, 'stats' | 'isProgram'> {
    return this.#applier.update;
  }

  /**
   * Optimizer state: one vector like the trained weights' for each slot.
   * Where a device keeps them, `pull` comes before reading; they are written to only along with `weights.load`.
   */
  get slots(): Readonly<Record<string, Arena>> {
    this.#device?.residence.read();
    return this.#slots;
  }

  /** Brings weights and optimizer state to the host, if a device keeps them. */
  async pull(): Promise<void> {
    await this.#device?.residence.pull();
  }

  /** Brings the gradients of the last `gradientsOf` to the host, if a device keeps them. What a scheme combines on the host is there. */
  async pullGradients(): Promise<void> {
    if (!this.#isCombinedHere) await this.#device?.pull([this.gradients.tensor]);
  }

  /** Whether the host writes the gradient. */
  get #isCombinedHere(): boolean {
    return this.#taskGradients?.isOnDevice === false;
  }

  /** Copies a batch to the device, if there is one, while the step before it runs. */
  async stage(batch: TrainBatch): Promise<void> {
    await this.#device?.stage(batch, this.#parts(batch));
  }

  /** Arrays between programs that the host does not look at. */
  #between(): HostTensor[] {
    return [...this.#hosts]
      .filter(([name]) => name.startsWith('teacher/') || name.startsWith('carried/'))
      .map(([, tensor]) => tensor);
  }

  /** The arrays of a micro-batch, by name. */
  #batchTensors(): Map<string, HostTensor> {
    const isBatch = (name: string) => name === NAMES.image || name.startsWith(NAMES.label(''));
    return new Map([...this.#hosts].filter(([name]) => isBatch(name)));
  }

  /** What a batch puts into the arrays of each micro-batch. */
  #parts(batch: TrainBatch): Map<string, HostArray>[] {
    const all = new Map<string, HostArray>([[NAMES.image, batch.image]]);
    for (const [task, label] of Object.entries(batch.labels))
      if (this.#hosts.has(NAMES.label(task))) all.set(NAMES.label(task), label);
    return Array.from({ length: this.#microBatches }, (_, i) => {
      const part = (whole: HostArray) => {
        const length = whole.length / this.#microBatches;
        return whole.subarray(i * length, (i + 1) * length);
      };
      return new Map([...all].map(([name, whole]) => [name, part(whole)]));
    });
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
    const results: StepResult[] = [];
    for (let microBatch = 0; microBatch < this.#microBatches; microBatch++) {
      await this.#feed(batch, microBatch, noise);
      const ahead = await this.#lookAhead();
      await this.#run();
      results.push(await this.#check(info, ahead));
      await this.#applier.fold(microBatch);
    }
    return meanOf(results);
  }

  get #microBatches(): number {
    return this.options.accumulate ?? 1;
  }

  async #feed(batch: TrainBatch, microBatch: number, noise: (name: string) => RandomStream): Promise<void> {
    if (this.#device) await this.#device.feed(batch, microBatch, () => this.#parts(batch));
    else for (const [name, part] of this.#parts(batch)[microBatch]) this.#hosts.get(name)!.data.set(part);
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
      if (error instanceof DeviceError) throw error;
      // NaN that becomes an index makes operators fail before there is a loss to look at.
      const first = await this.#firstNonFinite();
      throw first === undefined ? error : notFinite('the objective is NaN', first);
    }
  }

  /** Every task's term after the virtual steps that the scheme wants on this micro-batch; weights are as before then. */
  async #lookAhead(): Promise<PerTask<number> | undefined> {
    const rule = this.criterion.scheme.needs?.gradients?.ahead;
    if (!rule?.wanted()) return undefined;
    const { data, views } = this.weights.trained;
    return termsAhead(rule, {
      weights: data,
      run: () => this.#run(),
      terms: () =>
        Object.fromEntries(this.criterion.tasks.map(({ name }) => [name, this.#scalar(NAMES.term(name))])),
      descend: (factors, rate) => (this.#taskGradients as TaskGradientRun).descend(factors, rate, views),
    });
  }

  /** The losses of a micro-batch, and what the scheme makes of its gradients. */
  async #check(info: StepInfo, ahead?: PerTask<number>): Promise<StepResult> {
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
      const { coefficients, cosines } = await this.#taskGradients.combine(result.raw, terms, info, ahead);
      for (const [task, factor] of Object.entries(coefficients)) result.weights[task] *= factor;
      result.cosines = cosines;
      await this.#backboneRun?.run();
      await this.#taskGradients.finish();
    }
    return result;
  }

  /**
   * Every loss of the last micro-batch of a batch: `total`, each task's own, `intermediate.<task>.<i>`, and
   * `penalty.<component>`.
   */
  losses(): Map<string, number> {
    const kinds = ['raw/', 'intermediate/', 'penalty/'];
    const names = this.#numbers().filter(
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
    const added = this.#numbers().filter((name) => name.startsWith(prefix));
    if (added.length > 0)
      result.penalties = Object.fromEntries(
        added.map((name) => [name.slice(prefix.length), this.#scalar(name)]),
      );
    return result;
  }

  /** Names of the single numbers that the gradients come with. */
  #numbers(): string[] {
    return [...(this.#scalars?.views ?? this.gradientProgram.outputs).keys()];
  }

  #scalar(name: string): number {
    return (this.#scalars?.views.get(name) ?? this.#hosts.get(name)!).data[0];
  }

  async #firstNonFinite(): Promise<string | undefined> {
    await this.#device?.pullAll();
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
    const norm = await this.#applier.apply(step, rate, this.options.clip);
    this.#device?.residence.advance();
    return norm;
  }

  close(): void {
    const teachers = this.teachers.map(({ program }) => program);
    const runs = [this.#gradientRun, this.#backboneRun, this.#lossRun, ...this.#teacherRuns];
    const programs = [this.gradientProgram, this.backboneProgram, this.lossProgram, ...teachers];
    for (const each of [...runs, ...programs]) each?.close();
    this.#applier.close();
    this.#taskGradients?.close();
    this.#device?.close();
  }
}

const microBatchOf = ({ batch, accumulate = 1 }: StepOptions): number => batch / accumulate;

function notFinite(what: string, first: string | undefined): MtcpError {
  return new MtcpError('numeric', what, {
    where: first && `first in ${first}`,
    hint: 'a lower optimizer.rate, train.clip, or another scheme may help',
  });
}
