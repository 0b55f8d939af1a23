// One training step in two halves. A program reads weights and a batch and computes losses, gradients and batch statistics.
// The update reads weights, gradients and optimizer state and computes new ones; it clips gradients, too. Between them, on
// the host, losses are checked. With an engine that has a device's memory, everything but the batch and the losses stays
// there. Several processes may share a step (exchange.ts): each computes some of its micro-batches, and all of them
// apply the same update.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { PerTask, StepInfo, TaskGradients } from '../../../registry/contracts/scheme.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrainBatch } from '../../data/batch.js';
import { DeviceError } from '../../engine/device-error.js';
import type { Engine, Program, TensorSpec } from '../../engine/engine.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import type { CompiledTeacher } from '../../model/auxiliary.js';
import type { Network } from '../../model/network.js';
import type { Criterion } from '../../model/objective.js';
import { NAMES, schemeInputs } from '../../model/step-inputs.js';
import type { Applier, Observed } from './applier.js';
import type { Arena } from './arena.js';
import { BatchArrays, type Noise } from './batch-arrays.js';
import { compileParts, type CompiledStep } from './compile-step.js';
import { ALONE, type Exchange } from './exchange.js';
import { Losses } from './losses.js';
import { StepDevice } from './step-device.js';
import type { StepOptions } from './step-parts.js';
import { meanOf, type StepResult } from './step-result.js';
import { factorsOf, type TaskGradientCombiner } from './task-factors.js';
import type { TaskGradientRun } from './task-gradients.js';
import type { Update } from './update.js';
import { termsAhead } from './virtual-steps.js';
import { VECTORS, type Weights } from './weights.js';

/** What a process makes of a micro-batch, as far as the others have to know it. */
interface Made {
  result: StepResult;
  /** What the scheme's rule is given, where it combines gradients. */
  given?: TaskGradients;
  observed: Observed;
}

export class TrainingStep {
  readonly gradientProgram: Program;
  /** The second program of the gradients, where the scheme combines them half-way. */
  readonly backboneProgram?: Program;
  /** Losses alone, for schemes that look again after the update. */
  readonly lossProgram?: Program;
  readonly teachers: readonly CompiledTeacher[];
  readonly weights: Weights;
  readonly gradients: Arena;
  readonly #slots: Record<string, Arena>;
  readonly #arrays: BatchArrays;
  readonly #losses: Losses;
  readonly #gradientRun: Binding;
  readonly #backboneRun?: Binding;
  readonly #lossRun?: Binding;
  readonly #teacherRuns: readonly Binding[];
  readonly #applier: Applier;
  readonly #taskGradients?: TaskGradientCombiner;
  /** Only where a device keeps the arrays. */
  readonly #device?: StepDevice;

  private constructor(
    { gradientProgram, backboneProgram, lossProgram, teachers, parts, taskGradients }: CompiledStep,
    readonly criterion: Criterion,
    readonly options: StepOptions,
    readonly exchange: Exchange,
  ) {
    const { arrays, memory, applier } = parts;
    const { weights, gradients, slots, observed, scalars } = arrays;
    this.gradientProgram = gradientProgram;
    this.backboneProgram = backboneProgram;
    this.lossProgram = lossProgram;
    this.teachers = teachers;
    this.weights = weights;
    this.gradients = gradients;
    this.#slots = slots;
    this.#taskGradients = taskGradients;
    this.#arrays = new BatchArrays((options.accumulate ?? 1) / exchange.of);
    this.#losses = new Losses(
      criterion,
      () => [...(scalars?.views ?? gradientProgram.outputs).keys()],
      (name) => (scalars?.views.get(name) ?? this.#arrays.get(name)!).data[0],
    );

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
      return this.#taskGradients?.tensor(name) ?? this.#arrays.make(name, spec);
    };
    this.#gradientRun = gradientProgram.bind(tensor);
    this.#backboneRun = backboneProgram?.bind(tensor);
    this.#lossRun = lossProgram?.bind(tensor);
    const taught: HostTensor[] = [];
    this.#teacherRuns = teachers.map(({ teacher, program }) =>
      program.bind((name, spec) => {
        const weight = teacher.tensor(name, spec);
        if (weight) taught.push(weight);
        return weight ?? this.#arrays.make(name, spec);
      }),
    );
    this.#applier = applier((buffer) => this.#arrays.get(NAMES.observed(buffer))!);
    if (memory)
      this.#device = new StepDevice(memory, {
        trained: [...weights.tensors, ...Object.values(slots).map((slot) => slot.tensor)],
        between: [
          ...(this.#isCombinedHere ? [] : [gradients.tensor]),
          ...(taskGradients?.kept ?? []),
          ...(observed ? [observed.tensor] : []),
          ...taught,
          ...this.#arrays.between(),
        ],
        batch: this.#arrays.samples(),
      });
    weights.residence = this.#device?.residence;
  }

  /** @param exchange with the other processes that share the step, if there are any */
  static async compile(
    engine: Engine,
    network: Network,
    criterion: Criterion,
    optimizer: Optimizer,
    options: StepOptions,
    exchange: Exchange = ALONE,
  ): Promise<TrainingStep> {
    const parts = await compileParts(engine, network, criterion, optimizer, options, exchange.of);
    return new TrainingStep(parts, criterion, options, exchange);
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
    await this.#device?.stage(batch, this.#arrays.parts(batch));
  }

  /**
   * Losses and gradients for a batch; weights stay as they are.
   * @param batch the samples of this process's micro-batches, all of them where there is one process
   * @param noise the stream of a random input of this step
   * @param info where training is, for schemes that combine gradients
   * @throws MtcpError `numeric` if a loss is not finite, naming the first tensor that is not
   */
  async gradientsOf(
    batch: TrainBatch,
    noise: Noise,
    info: StepInfo = { epoch: 0, step: 0, random: noise('scheme') },
  ): Promise<StepResult> {
    const { exchange } = this;
    const results: StepResult[] = [];
    for (let round = 0; round < this.#arrays.microBatches; round++) {
      const fed = [...schemeInputs(this.criterion.scheme)];
      const made = await exchange.gather(() => this.#make(batch, round, noise));
      for (const [process, each] of made.entries())
        await this.#combine(each, info, process === exchange.index);
      if (exchange.of > 1) this.#requireSteady(fed);
      await this.#applier.fold(
        round,
        made.map(({ observed }) => observed),
      );
      results.push(...made.map(({ result }) => result));
    }
    if (exchange.of > 1) await this.#applier.share(exchange);
    return meanOf(results);
  }

  /** @param round number of the micro-batch among those of this process */
  async #make(batch: TrainBatch, round: number, noise: Noise): Promise<Made> {
    const { index, of } = this.exchange;
    await this.#arrays.feed(batch, round, this.#device);
    this.#arrays.setScheme(this.criterion.scheme);
    this.#arrays.draw(round * of + index, noise);
    const ahead = await this.#lookAhead();
    await this.#run();
    const result = await this.#check();
    const observed = await this.#applier.observed();
    if (!this.#taskGradients) return { result, observed };
    const terms = Object.keys(result.raw).map((task) => this.#losses.term(task));
    return { result, observed, given: await this.#taskGradients.look(result.raw, terms, ahead) };
  }

  /** What the scheme makes of the gradients of a micro-batch: its rule sees every one, in their order. */
  async #combine({ result, given }: Made, info: StepInfo, isOwn: boolean): Promise<void> {
    const rule = this.criterion.scheme.needs?.gradients;
    if (!rule || !given) return;
    const factors = factorsOf(rule, given, info);
    for (const [task, factor] of Object.entries(factors.coefficients)) result.weights[task] *= factor;
    result.cosines = factors.cosines;
    if (!isOwn) return;
    await this.#taskGradients!.apply(factors);
    await this.#backboneRun?.run();
    await this.#taskGradients!.finish();
  }

  /** What the scheme sets must not depend on another micro-batch of the same round: that runs at the same time. */
  #requireSteady(fed: readonly (readonly [string, number])[]): void {
    const now = new Map(schemeInputs(this.criterion.scheme));
    const changed = fed.find(([name, value]) => !Object.is(now.get(name), value));
    if (changed)
      throw new MtcpError(
        'component',
        `the scheme changes ${changed[0]} within a step, which several processes cannot share`,
        { hint: 'train in one process' },
      );
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
        Object.fromEntries(this.criterion.tasks.map(({ name }) => [name, this.#losses.term(name)])),
      descend: (factors, rate) => (this.#taskGradients as TaskGradientRun).descend(factors, rate, views),
    });
  }

  /** The losses of a micro-batch. */
  async #check(): Promise<StepResult> {
    const { scheme } = this.criterion;
    const result = this.#losses.read();
    const numbers = [result.total, ...Object.values(result.raw)];
    if (!numbers.every(Number.isFinite)) {
      const culprit = Object.entries(result.raw).find(([, loss]) => !Number.isFinite(loss));
      const what = culprit
        ? `the loss of ${culprit[0]} is ${culprit[1]}`
        : `the objective is ${result.total}`;
      throw notFinite(what, await this.#firstNonFinite());
    }
    if (scheme.effective) Object.assign(result.weights, scheme.effective(result.raw));
    return result;
  }

  /** Every loss of the last micro-batch of a batch; see `Losses.all`. */
  losses(): Map<string, number> {
    return this.#losses.all();
  }

  /** Raw losses of the last micro-batch, with the weights as they are now; for schemes that look again. */
  async lossesAgain(): Promise<Record<string, number>> {
    const { index, of } = this.exchange;
    const all = await this.exchange.gather(async () => {
      if (index < of - 1) return {};
      await this.#lossRun!.run();
      return this.#losses.read().raw;
    });
    return all[of - 1];
  }

  async #firstNonFinite(): Promise<string | undefined> {
    await this.#device?.pullAll();
    return this.gradientProgram.firstNonFinite(
      (name, spec) => this.weights.input(name) ?? this.#arrays.make(name, spec),
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

function notFinite(what: string, first: string | undefined): MtcpError {
  return new MtcpError('numeric', what, {
    where: first && `first in ${first}`,
    hint: 'a lower optimizer.rate, train.clip, or another scheme may help',
  });
}
