// The end of a step on a device that keeps weights, moments, gradients and statistics: two recorded programs over whole
// vectors. What they write takes the memory of what they read. Only the optimizer's numbers go up, and the gradient's
// norm comes down where it is clipped.
//
//   fold     after each of several micro-batches: adds its gradient to the sum, its statistics to the running ones
//   update   at the end: new weights, new optimizer state, new running statistics
//
// Several processes exchange gradients, and what the network observed, on the host.
import * as tf from '../../../registry/tf.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { DeviceMemory } from '../../engine/device-memory.js';
import { hostTensor, type Engine, type Program, type Tracer } from '../../engine/engine.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import type { Applier, Observed } from './applier.js';
import { Arena } from './arena.js';
import type { Exchange } from './exchange.js';
import type { GroupedLayout } from './layout.js';
import { RunningStatistics } from './running-statistics.js';
import { updated } from './update.js';
import { VECTORS, type Weights } from './weights.js';

export interface DeviceVectors {
  weights: Weights;
  slots: Readonly<Record<string, Arena>>;
  gradient: Arena;
  /** What the last micro-batch observed, laid out like the buffers. */
  observed: Arena;
}

export interface DeviceApplierSetup {
  optimizer: Optimizer;
  layout: GroupedLayout;
  vectors: DeviceVectors;
  /** Of a step, in all processes. */
  microBatches: number;
  /** That share them. */
  processes: number;
  momenta: ReadonlyMap<string, number>;
  clipped: boolean;
}

const SUM = 'vector/sum';
/** Running statistics as they will be when the step is applied. */
const STATISTICS = 'vector/statistics';
const slotName = (slot: string) => `vector/slot/${slot}`;
const newName = (vector: string) => `new/${vector}`;
const scalarName = (group: number, name: string) => `scalar/${group}/${name}`;
const CLIP = 'clip';
const NORM = 'norm';
/** 1 in the first micro-batch of a step. */
const FIRST = 'first';
/** What the sum is multiplied by to give the gradient so far. */
const SHARE = 'share';

export class DeviceApplier implements Applier {
  readonly #tensors = new Map<string, HostTensor>();
  /** Made here and kept on the device. */
  readonly #own: HostTensor[] = [];
  readonly #update: Binding;
  readonly #fold?: Binding;
  /** Micro-batches of this process. */
  readonly #rounds: number;
  /** Kept by the host where processes share a step. */
  readonly #statistics: RunningStatistics;

  private constructor(
    readonly program: Program,
    readonly foldProgram: Program | undefined,
    readonly memory: DeviceMemory,
    readonly setup: DeviceApplierSetup,
  ) {
    const { weights, slots, gradient, observed } = setup.vectors;
    this.#rounds = setup.microBatches / setup.processes;
    this.#statistics = new RunningStatistics(setup.momenta);
    const arenas = [
      [VECTORS.parameter, weights.trained],
      [VECTORS.buffer, weights.averaged],
      [VECTORS.gradient, gradient],
      [VECTORS.observed, observed],
      ...Object.entries(slots).map(([slot, arena]) => [slotName(slot), arena] as const),
    ] as const;
    for (const [name, arena] of arenas) this.#tensors.set(name, arena.tensor);
    // Of one micro-batch there is no sum, and `update` finds what the network observed.
    if (setup.microBatches > 1)
      for (const [name, like] of [
        [SUM, gradient],
        [STATISTICS, observed],
      ] as const) {
        const own = hostTensor({ dtype: 'float32', shape: like.tensor.shape });
        this.#tensors.set(name, own);
        this.#own.push(own);
      }
    memory.keep(this.#own);
    const bind = (program: Program) =>
      program.bind((name, spec) => {
        const vector = name.replace(/^new\//, '');
        let tensor = this.#tensors.get(vector);
        if (!tensor) this.#tensors.set(vector, (tensor = hostTensor(spec)));
        return tensor;
      });
    this.#update = bind(program);
    this.#fold = foldProgram && bind(foldProgram);
  }

  static async compile(
    engine: Engine,
    memory: DeviceMemory,
    setup: DeviceApplierSetup,
  ): Promise<DeviceApplier> {
    const compile = (name: string, define: (tracer: Tracer) => tf.NamedTensorMap, vectors: string[]) =>
      engine.compile(name, define, {
        inPlace: new Map(vectors.map((vector) => [newName(vector), vector])),
      });
    const hasBuffers = setup.momenta.size > 0;
    const foldProgram =
      setup.microBatches > setup.processes
        ? await compile('fold', (tracer) => traceFold(tracer, setup), [
            SUM,
            VECTORS.gradient,
            ...(hasBuffers ? [STATISTICS] : []),
          ])
        : undefined;
    const program = await compile('update', (tracer) => traceUpdate(tracer, setup), [
      VECTORS.parameter,
      ...setup.optimizer.slots.map(slotName),
      ...(hasBuffers ? [VECTORS.buffer] : []),
    ]);
    return new DeviceApplier(program, foldProgram, memory, setup);
  }

  get update() {
    return { stats: this.program.stats, isProgram: true };
  }

  async observed(): Promise<Observed> {
    if (this.setup.processes === 1 || this.setup.momenta.size === 0) return {};
    const { observed } = this.setup.vectors;
    await this.memory.pull([observed.tensor]);
    return Object.fromEntries([...observed.views].map(([name, { data }]) => [name, data as Float32Array]));
  }

  async fold(round: number, observed: readonly Observed[]): Promise<void> {
    const { processes } = this.setup;
    if (processes > 1) await this.#average(round, observed);
    if (!this.#fold) return;
    this.#set(FIRST, Number(round === 0));
    this.#set(SHARE, round === this.#rounds - 1 && processes === 1 ? 1 / this.#rounds : 1);
    await this.#fold.run();
  }

  /** Running statistics of several processes. */
  async #average(round: number, observed: readonly Observed[]): Promise<void> {
    const { averaged } = this.setup.vectors.weights;
    if (this.setup.momenta.size === 0) return;
    if (round === 0) {
      await this.memory.pull([averaged.tensor]);
      this.#statistics.begin(averaged.views);
    }
    for (const each of observed) this.#statistics.add(each);
  }

  async share(exchange: Exchange): Promise<void> {
    const { momenta, microBatches, vectors } = this.setup;
    const { tensor, data } = vectors.gradient;
    await this.memory.pull([tensor]);
    await exchange.mean(data, microBatches);
    this.memory.changed([tensor]);
    if (momenta.size === 0) return;
    const statistics = this.#tensors.get(STATISTICS)!;
    const { layout } = vectors.weights.averaged;
    this.#statistics.write(new Arena(layout, statistics.data as Float32Array).views);
    this.memory.changed([statistics]);
  }

  async apply(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const { layout, optimizer } = this.setup;
    for (const [i, { group }] of layout.groups.entries()) {
      const scalars = optimizer.scalars(step, rate * (group?.rate ?? 1), group?.weight_decay);
      for (const [name, value] of Object.entries(scalars)) this.#set(scalarName(i, name), value);
    }
    if (clip !== null) this.#set(CLIP, clip);
    await this.#update.run();
    return clip === null ? undefined : this.#tensors.get(NORM)!.data[0];
  }

  /** A number that an optimizer gives and does not use has no input. */
  #set(name: string, value: number): void {
    const tensor = this.#tensors.get(name);
    if (tensor) tensor.data[0] = value;
  }

  close(): void {
    for (const each of [this.#update, this.#fold, this.program, this.foldProgram]) each?.close();
    this.memory.release(this.#own);
  }
}

const vectorOf = (tracer: Tracer, name: string, { data }: Arena): tf.Tensor1D =>
  tracer.input(name, 'float32', [data.length]) as tf.Tensor1D;

const scalarOf = (tracer: Tracer, name: string): tf.Scalar => tracer.input(name, 'float32', []) as tf.Scalar;

/** Running statistics with what a micro-batch observed. */
function averaged(before: tf.Tensor1D, observed: tf.Tensor1D, { vectors, momenta }: DeviceApplierSetup) {
  const { averaged: arena } = vectors.weights;
  const shares = new Float32Array(arena.data.length);
  for (const [name, momentum] of momenta) {
    const start = arena.startOf(name);
    shares.fill(momentum, start, start + arena.views.get(name)!.data.length);
  }
  const share = tf.tensor1d(shares);
  return before.mul<tf.Tensor1D>(tf.sub(1, share)).add<tf.Tensor1D>(observed.mul(share));
}

function traceFold(tracer: Tracer, setup: DeviceApplierSetup): tf.NamedTensorMap {
  const { gradient, observed, weights } = setup.vectors;
  const isFirst = scalarOf(tracer, FIRST).greater(0);
  const added = vectorOf(tracer, VECTORS.gradient, gradient);
  const sum = tf.where(isFirst, added, vectorOf(tracer, SUM, gradient).add(added));
  const outputs: tf.NamedTensorMap = {
    [newName(SUM)]: sum,
    [newName(VECTORS.gradient)]: sum.mul(scalarOf(tracer, SHARE)),
  };
  if (setup.momenta.size === 0) return outputs;
  const running = vectorOf(tracer, VECTORS.buffer, weights.averaged);
  const before = tf.where(isFirst, running, vectorOf(tracer, STATISTICS, observed)) as tf.Tensor1D;
  outputs[newName(STATISTICS)] = averaged(before, vectorOf(tracer, VECTORS.observed, observed), setup);
  return outputs;
}

function traceUpdate(tracer: Tracer, setup: DeviceApplierSetup): tf.NamedTensorMap {
  const { optimizer, layout, vectors, microBatches, clipped } = setup;
  const { weights, gradient, observed, slots } = vectors;
  const outputs: tf.NamedTensorMap = {};
  let change = vectorOf(tracer, VECTORS.gradient, gradient);
  if (clipped) {
    const norm = change.square().sum().sqrt();
    outputs[NORM] = norm;
    change = change.mul(tf.minimum(1, scalarOf(tracer, CLIP).div(norm.add(1e-6))));
  }
  const parameter = vectorOf(tracer, VECTORS.parameter, weights.trained);
  const state = Object.fromEntries(
    optimizer.slots.map((slot) => [slot, vectorOf(tracer, slotName(slot), slots[slot])]),
  );
  const names = Object.keys(optimizer.scalars(1, 1));
  const { starts } = layout;
  const parts = starts.map((start, i) => {
    const length = (starts[i + 1] ?? weights.trained.data.length) - start;
    const own = (vector: tf.Tensor1D) => vector.slice(start, length);
    const scalars = Object.fromEntries(names.map((name) => [name, scalarOf(tracer, scalarName(i, name))]));
    const ownState = Object.fromEntries(Object.entries(state).map(([slot, vector]) => [slot, own(vector)]));
    return updated(optimizer, length, own(parameter), own(change), ownState, scalars);
  });
  const whole = (pick: (part: (typeof parts)[number]) => tf.Tensor1D) => tf.concat(parts.map(pick));
  outputs[newName(VECTORS.parameter)] = whole((part) => part.parameter);
  for (const slot of optimizer.slots) outputs[newName(slotName(slot))] = whole((part) => part.slots[slot]);
  if (setup.momenta.size > 0)
    outputs[newName(VECTORS.buffer)] =
      microBatches > 1
        ? vectorOf(tracer, STATISTICS, observed)
        : averaged(
            vectorOf(tracer, VECTORS.buffer, weights.averaged),
            vectorOf(tracer, VECTORS.observed, observed),
            setup,
          );
  return outputs;
}
