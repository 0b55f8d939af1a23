// Gradients of single tasks, for schemes that combine them (PCGrad, MGDA, ...).
//
// Recorded: one forward pass and a backward pass for each task. The tape is run once per task, but the recorded
// graph holds the forward pass once: nodes that are emitted again are the same nodes. On the host the scheme turns
// the tasks' gradients over the shared set into coefficients, and the combined gradient goes where the plain one
// would be. In representation mode that happens between two stages: decoders first, then one backward pass through
// the backbone, which starts from what the first stage left.
//
// Terms that the scheme has no say in (penalties, unweighted intermediate losses) are one more source, REST,
// always with coefficient 1.
import * as tf from '@tensorflow/tfjs';
import { inputName, Pass } from '../../modules/nn/scope.js';
import type { Features } from '../../registry/contracts/features.js';
import type {
  Combination,
  GradientRule,
  PerTask,
  StepInfo,
  TaskGradients,
} from '../../registry/contracts/learning.js';
import { MtcpError } from '../../registry/errors.js';
import { hostTensor, type Tracer } from '../engine/engine.js';
import { sizeOf, type Shape } from '../engine/graph/ir.js';
import type { HostTensor } from '../engine/ort/session.js';
import type { Network } from './network.js';
import { objective, type Criterion } from './objective.js';
import { lossOutputs, NAMES, observedOutputs, stepInputs } from './step-io.js';
import type { StepOptions, Traced } from './step.js';
import { Arena } from './weights.js';

const REST = '*';
const BACKBONE = 'backbone.';

type Shapes = ReadonlyMap<string, Shape>;

/** Which gradients the recorded programs leave apart. */
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
}

const partName = (source: string, parameter: string) => `part/${source}/${parameter}`;
const mapName = (source: string, index: number) => `map/${source}/${index}`;
const upstreamName = (index: number) => `upstream/${index}`;

/** Records the two stages; the second is empty but for representation mode. Fills `traced`. */
export function traceTaskGradients(
  tracer: Tracer,
  network: Network,
  criterion: Criterion,
  { batch, size }: StepOptions,
  traced: Traced,
): [tf.NamedTensorMap, tf.NamedTensorMap] {
  const rule = criterion.scheme.gradients!;
  const { table } = traced;
  const tasks = criterion.tasks.map(({ name }) => name);
  const inputs = stepInputs(tracer, criterion, batch, size);
  const outputs: tf.NamedTensorMap = {};
  const momenta = new Map<string, number>();
  const halves = rule.shared === 'representation';

  const encodePass = new Pass(table, tracer, true);
  const encoded = halves ? network.encode(encodePass.root, inputs.image) : undefined;
  if (encoded) {
    refuseHalves(encoded, encodePass);
    Object.assign(outputs, observedOutputs(encodePass, momenta));
  }
  const forward = () => {
    const pass = new Pass(table, tracer, true);
    const features = encoded ?? network.encode(pass.root, inputs.image);
    const predictions = network.decode(pass.root, features);
    return { pass, result: objective(criterion, pass, predictions, inputs.labels, inputs.scheme) };
  };
  let hasRest = false;
  const find = () => {
    const { result } = forward();
    if (!result.tasks)
      throw new MtcpError(
        'component',
        'the objective of this scheme is no sum over tasks: there are no gradients of single tasks to combine',
      );
    hasRest = result.rest !== undefined;
  };
  tf.tidy(find);
  const sources = hasRest ? [...tasks, REST] : tasks;

  const names = [...table.parameters.keys()];
  const shapeOf = (name: string): Shape => table.parameters.get(name)!.shape;
  const parameter = (name: string) => tracer.input(inputName.parameter(name), 'float32', shapeOf(name));
  const inBackbone = (name: string) => name.startsWith(BACKBONE);

  // Backward once for each source, down to wherever its gradient may be wanted by itself.
  const maps = encoded?.shared.map(({ data }) => data) ?? [];
  const wanted = names.filter(
    (name) =>
      !(halves && inBackbone(name)) &&
      (rule.exclusive === 'weighted' || rule.shared === 'all' || inBackbone(name)),
  );
  const parts = new Map<string, Map<string, tf.Tensor>>();
  const pieces: tf.NamedTensorMap = {};
  for (const source of sources) {
    const term = () => {
      const { result } = forward();
      return source === REST ? result.rest! : result.tasks![source];
    };
    const { grads } = tf.engine().gradients(term, [...maps, ...wanted.map(parameter)], undefined, true);
    maps.forEach((map, i) => {
      pieces[mapName(source, i)] = grads[i] ?? tf.zerosLike(map);
    });
    const reached = wanted.flatMap((name, i): [string, tf.Tensor][] => {
      const gradient = grads[maps.length + i];
      return gradient && !tracer.isZero(gradient) ? [[name, gradient]] : [];
    });
    parts.set(source, new Map(reached));
  }
  const reachedBy = (name: string) => tasks.filter((task) => parts.get(task)!.has(name)).length;
  const shared = names.filter((name) =>
    rule.shared === 'all'
      ? reachedBy(name) >= Math.min(2, tasks.length)
      : !halves && inBackbone(name) && reachedBy(name) > 0,
  );
  if (!halves && shared.length === 0)
    throw new MtcpError(
      'component',
      `there is nothing in the shared set "${rule.shared}": no two tasks have parameters in common there`,
      {
        hint: 'compare gradients only where tasks share a backbone, or choose another `shared`',
      },
    );
  const isShared = new Set(shared);
  const apart = new Map(
    sources.map((source) => [
      source,
      rule.exclusive === 'weighted'
        ? [...parts.get(source)!.keys()].filter((name) => !isShared.has(name))
        : [],
    ]),
  );
  const isApart = new Set([...apart.values()].flat());
  for (const source of sources)
    for (const [name, gradient] of parts.get(source)!)
      if (isShared.has(name) || isApart.has(name)) pieces[partName(source, name)] = gradient;

  // And once for the plain sum, for everything else.
  const whole = names.filter(
    (name) => !isShared.has(name) && !isApart.has(name) && !(halves && inBackbone(name)),
  );
  const total = () => {
    const { pass, result } = forward();
    Object.assign(outputs, lossOutputs(criterion.tasks, result, pass), observedOutputs(pass, momenta));
    for (const task of tasks) outputs[NAMES.term(task)] = tf.keep(result.tasks![task]);
    const added = encodePass.penalties.map(({ value, weight }) => value.mul(weight));
    if (added.length > 0) outputs.total = tf.keep(tf.addN([result.total, ...added]));
    return result.total;
  };
  const trained = new Set([...isShared, ...isApart]);
  if (whole.length === 0) tf.tidy(() => void total());
  else {
    const { grads } = tf.engine().gradients(total, whole.map(parameter), undefined, true);
    whole.forEach((name, i) => {
      if (!grads[i] || tracer.isZero(grads[i])) return;
      outputs[NAMES.gradient(name)] = grads[i];
      trained.add(name);
    });
  }
  Object.assign(outputs, pieces);

  const second: tf.NamedTensorMap = {};
  if (halves) {
    const upstream = maps.map((map, i) => tracer.input(upstreamName(i), 'float32', map.shape));
    const along = () => {
      const pass = new Pass(table, tracer, true);
      const { shared: now } = network.encode(pass.root, inputs.image);
      const terms = now.map(({ data }, i) => data.mul(upstream[i]).sum() as tf.Scalar);
      for (const { value, weight } of pass.penalties) terms.push(value.mul(weight));
      return tf.addN(terms) as tf.Scalar;
    };
    const below = names.filter(inBackbone);
    const { grads } = tf.engine().gradients(along, below.map(parameter), undefined, true);
    below.forEach((name, i) => {
      if (!grads[i] || tracer.isZero(grads[i])) return;
      second[NAMES.gradient(name)] = grads[i];
      trained.add(name);
    });
  }

  traced.trained = names.filter((name) => trained.has(name));
  traced.momenta = momenta;
  const shapes = (list: readonly string[]): Shapes => new Map(list.map((name) => [name, shapeOf(name)]));
  traced.plan = {
    tasks,
    sources,
    shared: shapes(shared),
    apart: new Map([...apart].map(([source, list]) => [source, shapes(list)])),
    maps: maps.map(({ shape }) => shape),
  };
  return [outputs, second];
}

function refuseHalves({ shared, inner }: Features, { predictions }: Pass): void {
  const reason =
    shared.length === 0
      ? 'every task has an encoder of its own'
      : inner.length > 0
        ? 'the backbone gives inner maps beside its levels'
        : predictions.length > 0
          ? 'the backbone makes predictions of its own'
          : undefined;
  if (reason)
    throw new MtcpError('component', `shared: representation is not possible with this model: ${reason}`, {
      hint: 'use `shared: backbone` or `shared: all`',
    });
}

/** The host's side: holds the tasks' gradients and combines them. */
export class TaskGradientRun {
  /** Over the shared set, by source. */
  readonly #shared: ReadonlyMap<string, Arena>;
  readonly #apart: ReadonlyMap<string, Arena>;
  readonly #maps: ReadonlyMap<string, HostTensor[]>;
  /** What the second stage starts from. */
  readonly #upstream: HostTensor[];
  readonly #groups: TaskGradients['groups'];

  /** @param gradients where the combined gradient goes */
  constructor(
    readonly rule: GradientRule,
    readonly plan: TaskGradientPlan,
    readonly gradients: Arena,
  ) {
    const bySource = <T>(make: (source: string) => T) =>
      new Map(plan.sources.map((source) => [source, make(source)]));
    this.#shared = bySource(() => new Arena(plan.shared));
    this.#apart = bySource((source) => new Arena(plan.apart.get(source)!));
    const maps = () => plan.maps.map((shape) => hostTensor({ dtype: 'float32', shape }));
    this.#maps = bySource(maps);
    this.#upstream = maps();
    const cells = plan.maps.reduce((sum, shape) => sum + sizeOf(shape.slice(1)), 0);
    this.#groups =
      cells > 0
        ? [{ name: 'representation', start: 0, end: cells }]
        : placesOf(this.#shared.get(plan.tasks[0])!);
  }

  /** The array behind an input or output of the programs that belongs to single tasks. */
  tensor(name: string): HostTensor | undefined {
    const [kind, source, rest] = name.split('/');
    if (kind === 'part')
      return this.#shared.get(source)!.views.get(rest) ?? this.#apart.get(source)!.views.get(rest);
    if (kind === 'map') return this.#maps.get(source)![Number(rest)];
    if (kind === 'upstream') return this.#upstream[Number(source)];
    return undefined;
  }

  /**
   * Writes the combined gradient, or the second stage's input.
   * @param raw losses of the tasks that had a valid pixel
   * @param terms the terms of the same tasks
   */
  combine(
    raw: PerTask<number>,
    terms: readonly number[],
    info: StepInfo,
  ): { coefficients: PerTask<number>; cosines: Record<string, number> } {
    const tasks = Object.keys(raw);
    const vectors = tasks.map((task) => this.#vector(task));
    const gram = gramOf(vectors);
    const { coefficients, outside, combined }: Combination =
      tasks.length === 0
        ? { coefficients: [] }
        : this.rule.combine(
            { tasks, vectors, groups: this.#groups, gram, raw: Object.values(raw), terms },
            info,
          );
    if (coefficients.some((factor) => !Number.isFinite(factor)))
      throw new MtcpError(
        'numeric',
        `the scheme's factors on the gradients of ${tasks.join(', ')} are ${coefficients.join(', ')}`,
        {
          hint: 'gradients may have become zero or infinite; a lower optimizer.rate or another scheme may help',
        },
      );

    const sharedFactors = new Map(tasks.map((task, i) => [task, coefficients[i]]));
    const others = this.rule.exclusive === 'weighted' ? (outside ?? coefficients) : tasks.map(() => 1);
    const factors = new Map(tasks.map((task, i) => [task, others[i]]));
    for (const [name, { data }] of this.gradients.views) {
      if (this.plan.shared.has(name)) {
        const from = combined && this.#groups.find((group) => group.name === name)!;
        if (from) data.set(combined.subarray(from.start, from.end));
        else data.fill(0);
        addTo(data as Float32Array, this.#shared, name, from ? new Map() : sharedFactors);
      } else if ([...this.plan.apart.values()].some((shapes) => shapes.has(name))) {
        data.fill(0);
        addTo(data as Float32Array, this.#apart, name, factors);
      }
    }
    this.#upstream.forEach(({ data }, i) => {
      data.fill(0);
      for (const [source, maps] of this.#maps) {
        const factor = source === REST ? 1 : (sharedFactors.get(source) ?? 0);
        axpy(data as Float32Array, factor, maps[i].data as Float32Array);
      }
    });
    return { coefficients: Object.fromEntries(sharedFactors), cosines: cosinesOf(tasks, gram) };
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

function placesOf(arena: Arena): TaskGradients['groups'] {
  return [...arena.views].map(([name, { data }]) => {
    const start = (data.byteOffset - arena.data.byteOffset) / 4;
    return { name, start, end: start + data.length };
  });
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

/** Left out where one of the two gradients is zero. */
function cosinesOf(tasks: readonly string[], gram: readonly (readonly number[])[]): Record<string, number> {
  const cosines: Record<string, number> = {};
  tasks.forEach((a, i) => {
    for (let j = i + 1; j < tasks.length; j++) {
      const lengths = Math.sqrt(gram[i][i] * gram[j][j]);
      if (lengths > 0) cosines[`${a}/${tasks[j]}`] = gram[i][j] / lengths;
    }
  });
  return cosines;
}
