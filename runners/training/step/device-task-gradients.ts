// Gradients of single tasks on a device, for schemes that look at their products only. The gradients stay there, as one
// vector for each task in the layout of the whole gradient. Down comes the matrix of products, up go the factors:
//
//   products      inner products of the tasks' gradients
//   maps          what the second program starts from, in representation mode
//   combination   the gradient: what no task has by itself, and each task's part times its factor
import * as tf from '../../../registry/tf.js';
import type { PerTask, TaskGradients } from '../../../registry/contracts/scheme.js';
import {
  hostTensor,
  type Engine,
  type IsBatched,
  type Program,
  type TensorSpec,
  type Tracer,
} from '../../engine/engine.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import { NAMES } from '../../model/step-inputs.js';
import type { Arena } from './arena.js';
import type { PackedVector } from './packing.js';
import type { Factors, TaskGradientCombiner } from './task-factors.js';
import {
  atMaps,
  factorName,
  mapName,
  partName,
  REST,
  upstreamName,
  type TaskGradientPlan,
} from './task-gradients.js';
import { VECTORS } from './weights.js';

/** Gradients that no task has by itself, of the first program and of the second. */
const WHOLE = 'vector/whole';
const SECOND = 'vector/second';
const sharedVector = (source: string) => `vector/shared/${source}`;
const apartVector = (source: string) => `vector/apart/${source}`;
/** Factors of all sources, in their order. */
const FACTORS = { maps: 'factors/maps', shared: 'factors/shared', apart: 'factors/apart' } as const;
const PRODUCTS = 'products';

/** How the step's programs write gradients: as vectors in the layout of the whole gradient. */
export function partVectors(plan: TaskGradientPlan, gradients: Arena): PackedVector[] {
  const vector = (name: string, prefix: string, has: (parameter: string) => boolean): PackedVector => ({
    vector: name,
    prefix,
    arena: gradients,
    has,
  });
  return [
    ...plan.sources.flatMap((source) => [
      vector(sharedVector(source), partName(source, ''), (name) => plan.shared.has(name)),
      vector(apartVector(source), partName(source, ''), (name) => plan.apart.get(source)!.has(name)),
    ]),
    vector(WHOLE, NAMES.gradient(''), (name) => !plan.second.has(name)),
    vector(SECOND, NAMES.gradient(''), (name) => plan.second.has(name)),
  ];
}

export class DeviceTaskGradients implements TaskGradientCombiner {
  readonly isOnDevice = true;
  readonly #tensors = new Map<string, HostTensor>();
  readonly #products: Binding;
  readonly #maps?: Binding;
  readonly #combination: Binding;

  private constructor(
    readonly plan: TaskGradientPlan,
    gradients: Arena,
    readonly programs: { products: Program; maps?: Program; combination: Program },
  ) {
    this.#tensors.set(VECTORS.gradient, gradients.tensor);
    const bind = (program: Program) => program.bind((name, spec) => this.#tensorOf(name, spec));
    this.#products = bind(programs.products);
    this.#maps = programs.maps && bind(programs.maps);
    this.#combination = bind(programs.combination);
  }

  /**
   * @param written names of what the step's programs write
   * @param isBatched which arrays hold samples, as for those programs
   */
  static async compile(
    engine: Engine,
    plan: TaskGradientPlan,
    gradients: Arena,
    written: ReadonlySet<string>,
    isBatched: IsBatched,
  ): Promise<DeviceTaskGradients> {
    const recording = new Recording(plan, gradients.data.length, written);
    const compile = (name: string, define: (tracer: Tracer) => tf.NamedTensorMap) =>
      engine.compile(name, define, { isBatched });
    return new DeviceTaskGradients(plan, gradients, {
      products: await compile('products of gradients', (tracer) => recording.products(tracer)),
      ...(plan.maps.length > 0 && {
        maps: await compile('combination of maps', (tracer) => recording.maps(tracer)),
      }),
      combination: await compile('combination of gradients', (tracer) => recording.combination(tracer)),
    });
  }

  get kept(): HostTensor[] {
    const isKept = (name: string) =>
      (name.startsWith('vector/') && name !== VECTORS.gradient) ||
      name.startsWith('map/') ||
      name.startsWith('upstream/');
    return [...this.#tensors].flatMap(([name, tensor]) => (isKept(name) ? [tensor] : []));
  }

  tensor(name: string): HostTensor | undefined {
    if (name.startsWith(factorName(''))) return this.#tensorOf(name, { dtype: 'float32', shape: [] });
    return this.#tensors.get(name);
  }

  #tensorOf(name: string, spec: TensorSpec): HostTensor {
    let tensor = this.#tensors.get(name);
    if (!tensor) this.#tensors.set(name, (tensor = hostTensor(spec)));
    return tensor;
  }

  async look(raw: PerTask<number>, terms: readonly number[]): Promise<TaskGradients> {
    await this.#products.run();
    const tasks = Object.keys(raw);
    const gram = gramOf(this.plan.tasks, this.#tensors.get(PRODUCTS)!.data, tasks);
    return { tasks, vectors: [], groups: [], gram, raw: Object.values(raw), terms };
  }

  async apply(factors: Factors): Promise<void> {
    this.#set(factors);
    await this.#maps?.run();
  }

  #set({ inside, outside }: Factors): void {
    const own = (factors: ReadonlyMap<string, number>) => (source: string) =>
      source === REST ? 1 : (factors.get(source) ?? 0);
    const fill = (name: string, factor: (source: string) => number) =>
      this.#tensors.get(name)?.data.set(this.plan.sources.map(factor));
    fill(FACTORS.shared, own(inside));
    fill(FACTORS.apart, own(outside));
    fill(FACTORS.maps, (source) => atMaps(this.plan, source, inside, outside));
    for (const task of this.plan.tasks) {
      const tensor = this.#tensors.get(factorName(task));
      if (tensor) tensor.data[0] = outside.get(task) ?? 0;
    }
  }

  async finish(): Promise<void> {
    await this.#combination.run();
  }

  close(): void {
    for (const each of [this.#products, this.#maps, this.#combination]) each?.close();
    for (const program of Object.values(this.programs)) program.close();
  }
}

/** The matrix of the tasks that are there. */
function gramOf(
  tasks: readonly string[],
  products: ArrayLike<number>,
  present: readonly string[],
): number[][] {
  const at = (a: number, b: number) => products[Math.min(a, b) * tasks.length + Math.max(a, b)];
  const places = present.map((task) => tasks.indexOf(task));
  return places.map((a) => places.map((b) => at(a, b)));
}

class Recording {
  constructor(
    readonly plan: TaskGradientPlan,
    readonly length: number,
    readonly written: ReadonlySet<string>,
  ) {}

  /** Undefined for gradients that are zero whatever the batch. */
  #vector(tracer: Tracer, name: string): tf.Tensor1D | undefined {
    return this.written.has(name) ? (tracer.input(name, 'float32', [this.length]) as tf.Tensor1D) : undefined;
  }

  #map(tracer: Tracer, source: string, i: number): tf.Tensor {
    return tracer.input(mapName(source, i), 'float32', this.plan.maps[i]);
  }

  /** [tasks, tasks], zero below the diagonal. */
  products(tracer: Tracer): tf.NamedTensorMap {
    const { tasks, maps } = this.plan;
    const pieces = (task: string): (tf.Tensor1D | undefined)[] =>
      maps.length > 0
        ? maps.map((_, i) => this.#map(tracer, task, i).sum(0).flatten())
        : [this.#vector(tracer, sharedVector(task))];
    const all = tasks.map(pieces);
    const product = (a: number, b: number): tf.Scalar => {
      const terms = all[a].flatMap((x, i) => {
        const y = all[b][i];
        return x && y ? [sumOf(x.mul(y))] : [];
      });
      return terms.length > 0 ? (tf.addN(terms) as tf.Scalar) : tf.scalar(0);
    };
    const matrix = tasks.flatMap((_, a) => tasks.map((__, b) => (a <= b ? product(a, b) : tf.scalar(0))));
    return { [PRODUCTS]: tf.stack(matrix).reshape([tasks.length, tasks.length]) };
  }

  maps(tracer: Tracer): tf.NamedTensorMap {
    const { sources, maps } = this.plan;
    const factors = this.#factors(tracer, FACTORS.maps);
    const sums = maps.map((_, i): [string, tf.Tensor] => [
      upstreamName(i),
      tf.addN(sources.map((source, s) => times(this.#map(tracer, source, i), factors[s]))),
    ]);
    return Object.fromEntries(sums);
  }

  combination(tracer: Tracer): tf.NamedTensorMap {
    const terms = [WHOLE, SECOND].map((name) => this.#vector(tracer, name));
    for (const [kind, vectorName] of [
      [FACTORS.shared, sharedVector],
      [FACTORS.apart, apartVector],
    ] as const) {
      const { sources } = this.plan;
      if (!sources.some((source) => this.written.has(vectorName(source)))) continue;
      const factors = this.#factors(tracer, kind);
      sources.forEach((source, s) => {
        const part = this.#vector(tracer, vectorName(source));
        if (part) terms.push(times(part, factors[s]));
      });
    }
    return { [VECTORS.gradient]: tf.addN(terms.filter((term) => term !== undefined)) };
  }

  #factors(tracer: Tracer, name: string): tf.Scalar[] {
    const { length } = this.plan.sources;
    const all = tracer.input(name, 'float32', [length]);
    return Array.from({ length }, (_, s) => all.slice([s], [1]).reshape([]) as tf.Scalar);
  }
}

/** A task that is not there has no part, whatever its gradient is: 0 times infinity would be NaN. */
const times = <T extends tf.Tensor>(x: T, factor: tf.Scalar): T =>
  tf.where(factor.notEqual(0), x.mul(factor), tf.zerosLike(x)) as T;

/** Numbers that are added up one after the other: in float32, a long sum would lose what is small. */
const ROW = 1024;

export function sumOf(x: tf.Tensor1D): tf.Scalar {
  let sums = x;
  while (sums.size > ROW) {
    const rows = Math.ceil(sums.size / ROW);
    const missing = rows * ROW - sums.size;
    const whole = missing > 0 ? tf.concat([sums, tf.zeros([missing])]) : sums;
    sums = whole.reshape([rows, ROW]).sum(1);
  }
  return sums.sum() as tf.Scalar;
}
