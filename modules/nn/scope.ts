// The implementation of scopes (registry/contracts/scope.ts): a path into a table of parameters, and the current
// pass. A pass is one call of the model. It collects what the model produces besides its result: intermediate
// predictions, penalties, new running statistics.
import type { Rank, Scalar, Tensor, Tensor4D } from '../../registry/tf.js';
import {
  MtcpError,
  type BufferHandle,
  type Initializer,
  type Loss,
  type Scope,
} from '../../registry/index.js';
import { NO_ADAPTATION, type Adaptation } from '../../registry/contracts/adaptation.js';
import { DEFAULT_MEMORY, type MemoryPolicy } from '../../registry/contracts/memory.js';
import { adapted } from './adapted.js';
import { detach } from './ops/detach.js';
import './ops/gaps.js';

export interface ParameterSpec {
  shape: number[];
  init: Initializer;
}

export interface BufferSpec {
  shape: number[];
  fill: number;
}

/** What a model consists of; filled by its first pass. */
export class ParameterTable {
  readonly parameters = new Map<string, ParameterSpec>();
  readonly buffers = new Map<string, BufferSpec>();
  /** Shapes of the random inputs. */
  readonly noises = new Map<string, number[]>();
}

/** Where a pass gets its tensors from. */
export interface TensorSource {
  input(name: string, dtype: 'float32', shape: readonly number[]): Tensor;
  label(path: string): void;
}

/** Input names of a program: what kind of thing a tensor is, then its dotted name. */
export const inputName = {
  parameter: (name: string): string => `parameter/${name}`,
  buffer: (name: string): string => `buffer/${name}`,
  noise: (name: string): string => `noise/${name}`,
};

export class Pass {
  /** Intermediate predictions of each task, in the order they were made. */
  readonly predictions: { task: string; prediction: Tensor4D; loss?: Loss }[] = [];
  readonly penalties: { name: string; value: Scalar; weight: number }[] = [];
  /** Inner features that components show, by dotted name. */
  readonly features = new Map<string, () => Tensor4D>();
  /** Buffers to be averaged with what this pass observed. */
  readonly averages = new Map<string, { observed: Tensor; momentum: number }>();
  /** Statistics over too few values, with the layers that take them. */
  readonly degenerate: { path: string; what: string; hint: string }[] = [];
  readonly root: Scope;
  readonly #used = new Set<string>();

  constructor(
    readonly table: ParameterTable,
    readonly source: TensorSource,
    readonly training: boolean,
  ) {
    this.root = new PathScope(this, '', false, DEFAULT_MEMORY, NO_ADAPTATION);
  }

  /** Names of the parameters that this pass has used. */
  get used(): Iterable<string> {
    return this.#used;
  }

  parameter<R extends Rank>(name: string, shape: number[], init: Initializer, shared: boolean): Tensor<R> {
    const known = this.table.parameters.get(name);
    if (!known) this.table.parameters.set(name, { shape, init });
    else if (known.shape.join() !== shape.join())
      throw new MtcpError(
        'component',
        `parameter "${name}" is ${known.shape.join('x')} in one place and ${shape.join('x')} in another`,
      );
    if (this.#used.has(name) && !shared)
      throw new MtcpError('component', `parameter "${name}" is used by two layers`, {
        hint: 'give each layer a scope of its own with at("name"), or share weights on purpose with shared("name")',
      });
    this.#used.add(name);
    return this.source.input(inputName.parameter(name), 'float32', shape) as Tensor<R>;
  }

  buffer<R extends Rank>(name: string, shape: number[], fill: number): BufferHandle<R> {
    if (!this.table.buffers.has(name)) this.table.buffers.set(name, { shape, fill });
    return {
      value: this.source.input(inputName.buffer(name), 'float32', shape) as Tensor<R>,
      frozen: false,
      average: (observed, momentum) => this.#average(name, observed, momentum),
    };
  }

  /** A layer that is used several times in a pass averages several times, one after the other. */
  #average(name: string, observed: Tensor, momentum: number): void {
    const before = this.averages.get(name);
    if (!before) return void this.averages.set(name, { observed, momentum });
    const together = 1 - (1 - before.momentum) * (1 - momentum);
    const mixed = before.observed
      .mul((before.momentum * (1 - momentum)) / together)
      .add(observed.mul(momentum / together));
    this.averages.set(name, { observed: mixed, momentum: together });
  }

  noise<R extends Rank>(name: string, shape: number[]): Tensor<R> {
    this.table.noises.set(name, shape);
    return this.source.input(inputName.noise(name), 'float32', shape) as Tensor<R>;
  }
}

class PathScope implements Scope {
  constructor(
    readonly pass: Pass,
    readonly path: string,
    readonly isShared: boolean,
    readonly memory: MemoryPolicy,
    readonly adaptation: Adaptation,
  ) {}

  withMemory(memory: MemoryPolicy): Scope {
    return new PathScope(this.pass, this.path, this.isShared, memory, this.adaptation);
  }

  withAdaptation(adaptation: Adaptation): Scope {
    return new PathScope(this.pass, this.path, this.isShared, this.memory, adaptation);
  }

  get training(): boolean {
    return this.pass.training;
  }

  at(name: string): Scope {
    const path = this.#join(name);
    // Whoever asks for a scope is about to work in it; a layer may have no parameter that would say so.
    this.pass.source.label(path);
    return new PathScope(this.pass, path, this.isShared, this.memory, this.adaptation);
  }

  shared(name: string): Scope {
    return new PathScope(this.pass, this.#join(name), true, this.memory, this.adaptation);
  }

  param<R extends Rank>(name: string, shape: number[], init: Initializer): Tensor<R> {
    this.pass.source.label(this.path);
    const whole = this.#join(name);
    const ask = (own: string, ofShape: number[], start: Initializer) =>
      this.pass.parameter(own, ofShape, start, this.isShared);
    const value = ask(whole, shape, init) as Tensor<R>;
    const adapter = this.adaptation.adapterOf(whole);
    if (adapter) return adapted(whole, value, adapter, ask) as Tensor<R>;
    return this.training && this.adaptation.isFrozen(whole) ? detach(value) : value;
  }

  buffer<R extends Rank>(name: string, shape: number[], fill: number): BufferHandle<R> {
    const whole = this.#join(name);
    const handle = this.pass.buffer<R>(whole, shape, fill);
    return this.adaptation.isFrozen(whole)
      ? { value: handle.value, frozen: true, average: () => {} }
      : handle;
  }

  noise<R extends Rank>(name: string, shape: number[]): Tensor<R> {
    return this.pass.noise(this.#join(name), shape);
  }

  degenerate(what: string, hint: string): void {
    if (this.training) this.pass.degenerate.push({ path: this.path, what, hint });
  }

  expose(name: string, feature: () => Tensor4D): void {
    this.pass.features.set(this.#join(name), feature);
  }

  predict(task: string, prediction: Tensor4D, loss?: Loss): void {
    if (this.training) this.pass.predictions.push({ task, prediction, loss });
  }

  penalty(name: string, value: Scalar, weight: number): void {
    if (this.training) this.pass.penalties.push({ name: this.#join(name), value, weight });
  }

  #join(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
