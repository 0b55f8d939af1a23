// The second half of a training step: computes new weights and a new optimizer state from weights, gradients and
// state. All of them are vectors with the same layout, ordered by parameter group. The recorded program updates one
// chunk at a time; its graph does not know layers or their shapes.
import type * as tf from '../../../registry/tf.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { hostTensor, type Program, type Tracer } from '../../engine/engine.js';
import { sizeOf } from '../../engine/graph/ir.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import { PartError } from '../../model/part-error.js';
import { requireUpdate } from '../../model/returned.js';
import { groupParameters, type GroupedParameters } from './groups.js';
import { Arena } from './weights.js';

/** Numbers that the optimizer updates at a time: small enough for the operators' intermediates to stay in cache. */
const UPDATE_CHUNK = 1 << 16;

/** Where each trained parameter lies in the vectors. */
export class UpdateLayout {
  readonly groups: readonly GroupedParameters[];
  /** Numbers in a chunk: all of them if they are few. */
  readonly chunk: number;
  /** In the order of the groups. */
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  /** @param shapes of the trained parameters, by name */
  constructor(shapes: ReadonlyMap<string, readonly number[]>, optimizer: Optimizer) {
    const total = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape) + 15, 0);
    this.chunk = total <= UPDATE_CHUNK ? Math.ceil(total / 16) * 16 : UPDATE_CHUNK;
    this.groups = groupParameters([...shapes.keys()], optimizer);
    const names = this.groups.flatMap((group) => group.names);
    this.#shapes = new Map(names.map((name) => [name, shapes.get(name)!]));
  }

  /** A vector of this layout, all zeros. */
  arena(): Arena {
    return new Arena(this.#shapes, this.chunk, new Set(this.groups.map(({ names }) => names[0])));
  }
}

/** The vectors that an update reads; all but the gradient are written, too. */
export interface UpdateVectors {
  parameter: Arena;
  gradient: Arena;
  slots: Record<string, Arena>;
}

export class Update {
  /** One for each chunk. */
  readonly #runs: Binding[];
  /** What the optimizer's numbers are for each parameter group, by input. */
  readonly #scalars: readonly Map<string, HostTensor>[];

  constructor(
    readonly program: Program,
    readonly optimizer: Optimizer,
    readonly layout: UpdateLayout,
    readonly vectors: UpdateVectors,
  ) {
    const { chunk, groups } = layout;
    const { parameter, gradient, slots } = vectors;
    this.#scalars = groups.map(() => new Map<string, HostTensor>());
    const starts = groups.map(({ names }) => parameter.startOf(names[0]) / chunk);
    this.#runs = Array.from({ length: parameter.data.length / chunk }, (_, i) => {
      const scalars = this.#scalars[starts.findLastIndex((start) => start <= i)];
      return program.bind((name, spec) => {
        const [kind, slot] = name.replace(/^new\//, '').split('/');
        const source = { parameter, gradient, slot: slots[slot] }[kind];
        if (source) return { ...spec, data: source.data.subarray(i * chunk, (i + 1) * chunk) };
        let scalar = scalars.get(name);
        if (!scalar) scalars.set(name, (scalar = hostTensor(spec)));
        return scalar;
      });
    });
  }

  /**
   * @param step counts from 1
   * @param clip largest norm of the gradient; null leaves it as it is
   * @returns the norm of the gradient before clipping, if it was needed
   */
  async run(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const norm = clip === null ? undefined : normOf(this.vectors.gradient.data);
    for (const [i, { group }] of this.layout.groups.entries()) {
      const scalars = this.optimizer.scalars(step, rate * (group?.rate ?? 1), group?.weight_decay);
      if (norm !== undefined) scalars.clip = Math.min(1, clip! / (norm + 1e-6));
      for (const [name, { data }] of this.#scalars[i]) data[0] = scalars[name.split('/')[1]];
    }
    await this.#runAll();
    return norm;
  }

  /** Chunks are independent, so several run at a time. */
  async #runAll(): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < this.#runs.length) await this.#runs[next++].run();
    };
    await Promise.all(Array.from({ length: this.program.lanes }, lane));
  }

  close(): void {
    for (const run of this.#runs) run.close();
    this.program.close();
  }
}

/** Records the update of `length` parameters by their gradients. */
export function traceUpdate(
  tracer: Tracer,
  optimizer: Optimizer,
  length: number,
  clipped: boolean,
): tf.NamedTensorMap {
  const vector = (name: string) => tracer.input(name, 'float32', [length]) as tf.Tensor1D;
  const scalar = (name: string) => tracer.input(`scalar/${name}`, 'float32', []) as tf.Scalar;
  const gradient = clipped ? vector('gradient').mul<tf.Tensor1D>(scalar('clip')) : vector('gradient');
  const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(`slot/${slot}`)]));
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(1, 1)).map((name) => [name, scalar(name)]),
  );
  const updated = PartError.wrap(
    ['optimizer'],
    'the optimizer cannot update the weights',
    '',
    () => optimizer.update(vector('parameter'), gradient, slots, scalars),
    (built) => requireUpdate(built, length, optimizer.slots),
  );
  const outputs: tf.NamedTensorMap = { 'new/parameter': updated.parameter };
  for (const [slot, value] of Object.entries(updated.slots)) outputs[`new/slot/${slot}`] = value;
  return outputs;
}

function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}
