// Records gradients of single tasks: one forward pass, and a backward pass for each task. The tape runs once per
// task, but the recorded graph has the forward pass once, because nodes that are emitted again are the same nodes.
//
// In representation mode there are two programs. The first goes backward through decoders and heads only, to the
// backbone's maps. The host combines the gradients of the maps. The second program goes backward through the backbone
// from the combined gradient, with the activations of the first. If the decoders' gradients depend on the
// coefficients as well (`exclusive: weighted`), the second program goes backward through everything, from the tasks'
// terms times the coefficients.
import * as tf from '../../../registry/tf.js';
import { inputName, Pass } from '../../../modules/nn/scope.js';
import type { Features } from '../../../registry/contracts/features.js';
import { MtcpError } from '../../../registry/errors.js';
import type { Tracer } from '../../engine/engine.js';
import type { Shape } from '../../engine/graph/ir.js';
import type { Network } from '../../model/network.js';
import { objective, type Criterion, type Objective } from '../../model/objective.js';
import { lossOutputs, NAMES, observedOutputs, stepInputs, type StepInputs } from '../../model/step-inputs.js';
import type { StepShape } from '../../model/step-shape.js';
import { factorName, mapName, partName, REST, upstreamName, type Shapes } from './task-gradients.js';
import type { Traced } from './traced.js';

const BACKBONE = 'backbone.';
const inBackbone = (name: string): boolean => name.startsWith(BACKBONE);

/** The two programs; the second is empty but for representation mode. Fills `traced`. */
export function traceTaskGradients(
  tracer: Tracer,
  network: Network,
  criterion: Criterion,
  shape: StepShape,
  traced: Traced,
): [tf.NamedTensorMap, tf.NamedTensorMap] {
  return new Recording(tracer, network, criterion, shape, traced).programs();
}

class Recording {
  readonly #inputs: StepInputs;
  readonly #tasks: readonly string[];
  readonly #momenta = new Map<string, number>();
  readonly #outputs: tf.NamedTensorMap = {};
  /** The backbone's pass and its maps, where differentiation ends in the first program. */
  readonly #encoded?: { pass: Pass; features: Features };

  constructor(
    readonly tracer: Tracer,
    readonly network: Network,
    readonly criterion: Criterion,
    shape: StepShape,
    readonly traced: Traced,
  ) {
    this.#tasks = criterion.tasks.map(({ name }) => name);
    this.#inputs = stepInputs(tracer, criterion, shape);
    if (this.#rule.shared !== 'representation') return;
    const pass = new Pass(traced.table, tracer, true);
    const features = network.encode(pass.root, this.#inputs.image);
    refuseHalves(features, pass);
    this.#encoded = { pass, features };
    Object.assign(this.#outputs, observedOutputs(pass, this.#momenta));
  }

  get #rule() {
    return this.criterion.scheme.needs!.gradients!;
  }

  /** Tensors of the maps. */
  get #maps(): tf.Tensor[] {
    return this.#encoded?.features.shared.map(({ data }) => data) ?? [];
  }

  programs(): [tf.NamedTensorMap, tf.NamedTensorMap] {
    const hasRest = this.#look();
    const names = [...this.traced.table.parameters.keys()];
    // What the rest adds to the maps is the total's gradient without the tasks', or part of the second program.
    const byDifference = hasRest && this.#encoded !== undefined && !this.#isLate;
    const passes = hasRest && !this.#encoded ? [...this.#tasks, REST] : this.#tasks;

    const wanted = names.filter((name) => this.#isWanted(name));
    const parts = new Map<string, Map<string, tf.Tensor>>();
    const maps = new Map<string, tf.Tensor[]>();
    for (const source of passes) {
      const term = ({ rest, tasks }: Objective) => (source === REST ? rest! : tasks![source]);
      const found = this.#backward(() => term(this.#forward().result), wanted);
      parts.set(source, found.parameters);
      maps.set(source, found.maps);
    }

    const shared = this.#sharedOf(names, parts);
    const isShared = new Set(shared);
    const apart = new Map(
      passes.map((source) => [
        source,
        this.#rule.exclusive === 'sum' || this.#isLate
          ? []
          : [...parts.get(source)!.keys()].filter((name) => !isShared.has(name)),
      ]),
    );
    const kept = new Set([...shared, ...[...apart.values()].flat()]);
    for (const [source, gradients] of parts)
      for (const [name, gradient] of gradients)
        if (kept.has(name)) this.#outputs[partName(source, name)] = gradient;

    // And once for the plain sum, for everything else.
    const whole = names.filter((name) => !kept.has(name) && !this.#isSecond(name));
    const total = this.#backward(() => this.#total(), whole, byDifference);
    for (const [name, gradient] of total.parameters) this.#outputs[NAMES.gradient(name)] = gradient;
    if (byDifference)
      maps.set(
        REST,
        total.maps.map((sum, i) => sum.sub(tf.addN(this.#tasks.map((task) => maps.get(task)![i])))),
      );
    for (const [source, gradients] of maps)
      gradients.forEach((gradient, i) => (this.#outputs[mapName(source, i)] = gradient));

    const below = this.#second(names.filter((name) => this.#isSecond(name)));
    const trained = new Set([...kept, ...total.parameters.keys(), ...below.keys()]);
    this.traced.trained = names.filter((name) => trained.has(name));
    this.traced.momenta = this.#momenta;
    const shapes = (list: readonly string[]): Shapes =>
      new Map(list.map((name) => [name, this.#shapeOf(name)]));
    const sources = hasRest && !this.#isLate ? [...this.#tasks, REST] : this.#tasks;
    this.traced.plan = {
      tasks: this.#tasks,
      sources,
      shared: shapes(shared),
      apart: new Map(sources.map((source) => [source, shapes(apart.get(source) ?? [])])),
      maps: this.#maps.map(({ shape }) => shape),
      late: this.#isLate,
      second: new Set(below.keys()),
    };
    const second = [...below].map(([name, gradient]) => [NAMES.gradient(name), gradient]);
    return [this.#outputs, Object.fromEntries(second) as tf.NamedTensorMap];
  }

  #shapeOf(name: string): Shape {
    return this.traced.table.parameters.get(name)!.shape;
  }

  /** Whether all gradients of parameters wait for the coefficients. */
  get #isLate(): boolean {
    return this.#encoded !== undefined && this.#rule.exclusive === 'weighted';
  }

  /** Whether the parameter's gradient belongs to the second program. */
  #isSecond(name: string): boolean {
    return this.#isLate || (this.#encoded !== undefined && inBackbone(name));
  }

  /** Whether the gradient of each task may be needed by itself. */
  #isWanted(name: string): boolean {
    if (this.#isSecond(name)) return false;
    const { shared, exclusive } = this.#rule;
    return exclusive === 'weighted' || shared === 'all' || shared === 'every' || inBackbone(name);
  }

  /** A first pass, which finds the parameters. True if there is a rest. */
  #look(): boolean {
    let hasRest = false;
    tf.tidy(() => {
      const { tasks, rest } = this.#forward().result;
      if (!tasks)
        throw new MtcpError(
          'component',
          'the objective of this scheme is no sum over tasks: there are no gradients of single tasks to combine',
        );
      hasRest = rest !== undefined;
    });
    return hasRest;
  }

  #forward(): { pass: Pass; result: Objective } {
    const { image, labels, scheme } = this.#inputs;
    const pass = new Pass(this.traced.table, this.tracer, true);
    const features = this.#encoded?.features ?? this.network.encode(pass.root, image);
    const predictions = this.network.decode(pass.root, features);
    return { pass, result: objective(this.criterion, pass, predictions, labels, scheme) };
  }

  /** The objective, with everything that a step leaves besides gradients. */
  #total(): tf.Scalar {
    const { pass, result } = this.#forward();
    const above = this.#encoded?.pass.penalties ?? [];
    const penalties = [...above, ...pass.penalties];
    Object.assign(
      this.#outputs,
      lossOutputs(this.criterion.tasks, result, { penalties }),
      observedOutputs(pass, this.#momenta),
    );
    for (const task of this.#tasks) this.#outputs[NAMES.term(task)] = tf.keep(result.tasks![task]);
    const added = above.map(({ value, weight }) => value.mul(weight));
    if (added.length > 0) this.#outputs.total = tf.keep(tf.addN([result.total, ...added]));
    return result.total;
  }

  /** Gradients of what `body` computes, by parameter (those that are not zero), and of the maps. */
  #backward(
    body: () => tf.Scalar,
    names: readonly string[],
    withMaps = true,
  ): { parameters: Map<string, tf.Tensor>; maps: tf.Tensor[] } {
    const maps = withMaps ? this.#maps : [];
    const parameters = names.map((name) =>
      this.tracer.input(inputName.parameter(name), 'float32', this.#shapeOf(name)),
    );
    if (maps.length + parameters.length === 0) {
      tf.tidy(() => void body());
      return { parameters: new Map(), maps: [] };
    }
    const { grads } = tf.engine().gradients(body, [...maps, ...parameters], undefined, true);
    const reached = names.flatMap((name, i): [string, tf.Tensor][] => {
      const gradient = grads[maps.length + i];
      return gradient && !this.tracer.isZero(gradient) ? [[name, gradient]] : [];
    });
    return { parameters: new Map(reached), maps: maps.map((map, i) => grads[i] ?? tf.zerosLike(map)) };
  }

  #sharedOf(names: readonly string[], parts: ReadonlyMap<string, ReadonlyMap<string, tf.Tensor>>): string[] {
    if (this.#encoded) return [];
    const reachedBy = (name: string) => this.#tasks.filter((task) => parts.get(task)!.has(name)).length;
    const least = this.#rule.shared === 'all' ? Math.min(2, this.#tasks.length) : 1;
    const shared = names.filter(
      (name) => (this.#rule.shared !== 'backbone' || inBackbone(name)) && reachedBy(name) >= least,
    );
    if (shared.length === 0)
      throw new MtcpError(
        'component',
        `there is nothing in the shared set "${this.#rule.shared}": no two tasks have parameters in common there`,
        { hint: 'compare gradients only where tasks share a backbone, or choose another `shared`' },
      );
    return shared;
  }

  /** Through the backbone, from the gradient of its maps; or through everything, with what the maps' gradient lacks. */
  #second(names: readonly string[]): Map<string, tf.Tensor> {
    if (!this.#encoded) return new Map();
    const upstream = this.#maps.map((map, i) => this.tracer.input(upstreamName(i), 'float32', map.shape));
    const along = () => {
      const pass = new Pass(this.traced.table, this.tracer, true);
      const { image, labels, scheme } = this.#inputs;
      const features = this.network.encode(pass.root, image);
      const terms = features.shared.map(({ data }, i) => data.mul(upstream[i]).sum() as tf.Scalar);
      if (this.#isLate) {
        const predictions = this.network.decode(pass.root, features);
        const { tasks, rest } = objective(this.criterion, pass, predictions, labels, scheme);
        for (const task of this.#tasks)
          terms.push(tasks![task].mul(this.tracer.input(factorName(task), 'float32', [])));
        // Penalties of the whole pass are part of it.
        if (rest) terms.push(rest);
      } else for (const { value, weight } of pass.penalties) terms.push(value.mul(weight));
      return tf.addN(terms) as tf.Scalar;
    };
    return this.#backward(along, names, false).parameters;
  }
}

function refuseHalves({ shared, taps }: Features, { predictions }: Pass): void {
  const reason =
    shared.length === 0
      ? 'every task has an encoder of its own'
      : taps.size > 0
        ? `the backbone gives ${[...taps.keys()].join(' and ')} beside its levels`
        : predictions.length > 0
          ? 'the backbone makes predictions of its own'
          : undefined;
  if (reason)
    throw new MtcpError('component', `shared: representation is not possible with this model: ${reason}`, {
      hint: 'use `shared: backbone` or `shared: all`',
    });
}
