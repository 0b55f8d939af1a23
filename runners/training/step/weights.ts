// A model's parameters as arrays. Parameters that train are stored one after the other in one vector.
import { inputName, type ParameterTable } from '../../../modules/nn/scope.js';
import { randomStream } from '../../../registry/random.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { hostTensor } from '../../engine/engine.js';
import { fitModel, requireFit, shapesOf } from '../../store/weights/fit.js';
import type { SafetensorsFile } from '../../support/safetensors.js';
import { Arena } from './arena.js';
import { Layout } from './layout.js';
import type { Residence } from './residence.js';

/** Vectors of the weights in programs for a device; see packing.ts. */
export const VECTORS = {
  parameter: 'vector/parameter',
  buffer: 'vector/buffer',
  gradient: 'vector/gradient',
  observed: 'vector/observed',
  scalar: 'vector/scalar',
} as const;

export class Weights {
  /** Parameters that receive a gradient. */
  readonly trained: Arena;
  /** Parameters that the objective does not depend on: they stay as they are. */
  readonly fixed = new Map<string, HostTensor>();
  /** Buffers, such as BatchNorm's running statistics. */
  readonly averaged: Arena;
  /** Set where a device keeps the arrays. */
  residence?: Residence;

  constructor(
    readonly table: ParameterTable,
    trained: Arena,
  ) {
    this.trained = trained;
    for (const [name, { shape }] of table.parameters)
      if (!trained.views.has(name)) this.fixed.set(name, hostTensor({ dtype: 'float32', shape }));
    this.averaged = new Arena(
      new Layout(new Map([...table.buffers].map(([name, { shape }]) => [name, shape]))),
    );
  }

  /** Every array that weights are in. */
  get tensors(): HostTensor[] {
    return [this.trained.tensor, this.averaged.tensor, ...this.fixed.values()];
  }

  /** Every parameter from its own stream (seed, name), so that adding one does not change the others. */
  initialize(seed: number): void {
    this.residence?.overwrite();
    for (const [name, { init, shape }] of this.table.parameters)
      init(this.parameter(name).data as Float32Array, shape, randomStream(seed, 'init', name));
    for (const [name, { fill }] of this.table.buffers) this.buffers.get(name)!.data.fill(fill);
  }

  /** A parameter that may be written to. */
  parameter(name: string): HostTensor {
    this.residence?.write();
    return this.#parameter(name);
  }

  #parameter(name: string): HostTensor {
    return this.trained.views.get(name) ?? this.fixed.get(name)!;
  }

  /** Buffers that may be written to. */
  get buffers(): ReadonlyMap<string, HostTensor> {
    this.residence?.write();
    return this.averaged.views;
  }

  /** The numbers of a parameter or buffer. */
  array(name: string): HostTensor['data'] {
    return (this.buffers.get(name) ?? this.parameter(name)).data;
  }

  /** The array behind an input of a program that is a parameter or a buffer; undefined for other inputs. */
  input(name: string): HostTensor | undefined {
    const slash = name.indexOf('/');
    const [kind, rest] = [name.slice(0, slash + 1), name.slice(slash + 1)];
    if (kind === inputName.parameter('')) return this.#parameter(rest);
    if (kind === inputName.buffer('')) return this.averaged.views.get(rest);
    if (name === VECTORS.parameter) return this.trained.tensor;
    if (name === VECTORS.buffer) return this.averaged.tensor;
    return undefined;
  }

  /** Parameters and buffers by name: the state dict. */
  *entries(): Generator<[string, HostTensor]> {
    this.residence?.read();
    for (const name of this.table.parameters.keys()) yield [name, this.#parameter(name)];
    yield* this.averaged.views;
  }

  /** The first tensor with a value that is not finite. */
  firstNonFinite(): string | undefined {
    for (const [name, { data }] of this.entries()) if (!data.every(Number.isFinite)) return name;
    return undefined;
  }

  /** Fills in a state dict of this very model: every name and shape must fit, nothing may be missing or left over. */
  load(source: SafetensorsFile): void {
    this.residence?.overwrite();
    const own = new Map(this.entries());
    const wanted = new Map([...own].map(([name, { shape }]) => [name, shape]));
    requireFit(fitModel(shapesOf(source.tensors), wanted, undefined), source.path);
    for (const [name, { data }] of own) source.readInto(name, data);
  }
}
