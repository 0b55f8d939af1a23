// Gradients of single tasks, for schemes that combine them (PCGrad, MGDA, ...): the host's part. The recorded
// programs (trace-task-gradients.ts) write each task's gradients to separate arrays. The scheme derives coefficients
// from those of the shared parameters, and the combined gradient is written to where the ordinary gradient would be.
//
// Terms outside the scheme (penalties, unweighted intermediate losses) form one more source, REST, with coefficient
// 1.
import type { GradientRule, PerTask, TaskGradients } from '../../../registry/contracts/scheme.js';
import { hostTensor } from '../../engine/engine.js';
import { sizeOf, type Shape } from '../../engine/graph/ir.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { Arena } from './arena.js';
import { Layout } from './layout.js';
import type { Factors, TaskGradientCombiner } from './task-factors.js';

export const REST = '*';

export type Shapes = ReadonlyMap<string, Shape>;

/** Which gradients the recorded programs leave apart; filled by trace-task-gradients.ts. */
export interface TaskGradientPlan {
  readonly tasks: readonly string[];
  /** The tasks, and REST if there is any. */
  readonly sources: readonly string[];
  /** Parameters of the shared set; empty in representation mode. */
  readonly shared: Shapes;
  /** By source, other parameters that need the gradient of each task by itself. */
  readonly apart: ReadonlyMap<string, Shapes>;
  /** The backbone's maps, in representation mode. */
  readonly maps: readonly Shape[];
  /** Whether the second program goes through everything, from the tasks' terms times their factors. */
  readonly late: boolean;
  /** Parameters whose gradient the second program writes. */
  readonly second: ReadonlySet<string>;
}

export const partName = (source: string, parameter: string) => `part/${source}/${parameter}`;
export const mapName = (source: string, index: number) => `map/${source}/${index}`;
export const factorName = (task: string) => `factor/${task}`;
export const upstreamName = (index: number) => `upstream/${index}`;

/** Arrays of the host. */
export class TaskGradientRun implements TaskGradientCombiner {
  readonly kept: readonly HostTensor[] = [];
  readonly isOnDevice = false;
  /** Over the shared set, by source. */
  readonly #shared: ReadonlyMap<string, Arena>;
  readonly #apart: ReadonlyMap<string, Arena>;
  readonly #maps: ReadonlyMap<string, HostTensor[]>;
  /** What the second program starts from: at the maps, and at the tasks' terms. */
  readonly #upstream: HostTensor[];
  readonly #factors: ReadonlyMap<string, HostTensor>;
  readonly #groups: TaskGradients['groups'];

  /** @param gradients where the combined gradient goes */
  constructor(
    readonly rule: GradientRule,
    readonly plan: TaskGradientPlan,
    readonly gradients: Arena,
  ) {
    const bySource = <T>(make: (source: string) => T) =>
      new Map(plan.sources.map((source) => [source, make(source)]));
    this.#shared = bySource(() => new Arena(new Layout(plan.shared)));
    this.#apart = bySource((source) => new Arena(new Layout(plan.apart.get(source)!)));
    const maps = () => plan.maps.map((shape) => hostTensor({ dtype: 'float32', shape }));
    this.#maps = bySource(maps);
    this.#upstream = maps();
    this.#factors = bySource(() => hostTensor({ dtype: 'float32', shape: [] }));
    const cells = plan.maps.reduce((sum, shape) => sum + sizeOf(shape.slice(1)), 0);
    this.#groups =
      cells > 0
        ? [{ name: 'representation', start: 0, end: cells }]
        : placesOf(this.#shared.get(plan.tasks[0])!);
  }

  tensor(name: string): HostTensor | undefined {
    const [kind, source, rest] = name.split('/');
    if (kind === 'part')
      return this.#shared.get(source)!.views.get(rest) ?? this.#apart.get(source)!.views.get(rest);
    if (kind === 'map') return this.#maps.get(source)![Number(rest)];
    if (kind === 'factor') return this.#factors.get(source)!;
    if (kind === 'upstream') return this.#upstream[Number(source)];
    return undefined;
  }

  look(raw: PerTask<number>, terms: readonly number[], ahead?: PerTask<number>): TaskGradients {
    const tasks = Object.keys(raw);
    const vectors = tasks.map((task) => this.#vector(task));
    return {
      tasks,
      vectors: this.rule.onlyProducts ? [] : vectors,
      groups: this.#groups,
      gram: gramOf(vectors),
      raw: Object.values(raw),
      terms,
      ...(ahead && { ahead: tasks.map((task) => ahead[task]) }),
    };
  }

  apply({ inside, outside, combined }: Factors): void {
    for (const [name, { data }] of this.gradients.views) {
      if (this.plan.shared.has(name)) {
        const from = combined && this.#groups.find((group) => group.name === name)!;
        if (from) data.set(combined.subarray(from.start, from.end));
        else data.fill(0);
        addTo(data as Float32Array, this.#shared, name, from ? new Map() : inside);
      } else if ([...this.plan.apart.values()].some((shapes) => shapes.has(name))) {
        data.fill(0);
        addTo(data as Float32Array, this.#apart, name, outside);
      }
    }
    for (const [task, { data }] of this.#factors) data[0] = outside.get(task) ?? 0;
    this.#upstream.forEach(({ data }, i) => {
      data.fill(0);
      for (const [source, maps] of this.#maps) {
        const factor = atMaps(this.plan, source, inside, outside);
        axpy(data as Float32Array, factor, maps[i].data as Float32Array);
      }
    });
  }

  finish(): void {}

  close(): void {}

  /** One step of gradient descent on the weighted terms, from the gradients of the last run. */
  descend(weights: PerTask<number>, rate: number, parameters: ReadonlyMap<string, HostTensor>): void {
    for (const [name, { data }] of parameters)
      for (const task of this.plan.tasks) {
        const part = this.#shared.get(task)!.views.get(name) ?? this.#apart.get(task)!.views.get(name);
        if (part) axpy(data as Float32Array, -rate * weights[task], part.data as Float32Array);
      }
  }

  /** A task's gradient over the shared set: as it lies there, or of the representation, summed over the batch. */
  #vector(task: string): Float32Array {
    const maps = this.#maps.get(task)!;
    if (maps.length === 0) return this.#shared.get(task)!.data;
    const vector = new Float32Array(this.#groups[0].end);
    let start = 0;
    for (const { data, shape } of maps) {
      const cells = sizeOf(shape.slice(1));
      const target = vector.subarray(start, start + cells);
      for (let b = 0; b < shape[0]; b++)
        axpy(target, 1, (data as Float32Array).subarray(b * cells, (b + 1) * cells));
      start += cells;
    }
    return vector;
  }
}

/** What a source's gradient at the maps is multiplied by. */
export function atMaps(
  { late }: TaskGradientPlan,
  source: string,
  inside: ReadonlyMap<string, number>,
  outside: ReadonlyMap<string, number>,
): number {
  const own = source === REST ? 1 : (inside.get(source) ?? 0);
  // The terms' own gradient arrives at the maps too: what is added is the difference.
  return late ? own - (outside.get(source) ?? 0) : own;
}

export function placesOf(arena: Arena): TaskGradients['groups'] {
  return [...arena.layout.places].map(([name, { start, size }]) => ({ name, start, end: start + size }));
}

/** Adds every source's part of the gradient of `name`, times its factor; REST always counts once. */
function addTo(
  target: Float32Array,
  arenas: ReadonlyMap<string, Arena>,
  name: string,
  factors: ReadonlyMap<string, number>,
): void {
  for (const [source, { views }] of arenas) {
    const part = views.get(name);
    if (part) axpy(target, source === REST ? 1 : (factors.get(source) ?? 0), part.data as Float32Array);
  }
}

function axpy(target: Float32Array, factor: number, x: Float32Array): void {
  if (factor === 0) return;
  for (let i = 0; i < target.length; i++) target[i] += factor * x[i];
}

export function gramOf(vectors: readonly Float32Array[]): number[][] {
  const gram = vectors.map(() => Array<number>(vectors.length).fill(0));
  vectors.forEach((a, i) => {
    for (let j = i; j < vectors.length; j++) {
      const b = vectors[j];
      let sum = 0;
      for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
      gram[i][j] = gram[j][i] = sum;
    }
  });
  return gram;
}
