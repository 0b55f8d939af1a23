// A model's parameters as arrays. Parameters that train are stored one after the other in one vector.
import { inputName, type ParameterTable } from '../../../modules/nn/scope.js';
import { randomStream } from '../../../registry/random.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { hostTensor } from '../../engine/engine.js';
import { fitModel, requireFit, shapesOf } from '../../store/weights/fit.js';
import type { SafetensorsFile } from '../../support/safetensors.js';
import type { Arena } from './arena.js';

export class Weights {
  /** Parameters that receive a gradient. */
  readonly trained: Arena;
  /** Parameters that the objective does not depend on: they stay as they are. */
  readonly fixed = new Map<string, HostTensor>();
  readonly buffers = new Map<string, HostTensor>();

  constructor(
    readonly table: ParameterTable,
    trained: Arena,
  ) {
    this.trained = trained;
    for (const [name, { shape }] of table.parameters)
      if (!trained.views.has(name)) this.fixed.set(name, hostTensor({ dtype: 'float32', shape }));
    for (const [name, { shape }] of table.buffers)
      this.buffers.set(name, hostTensor({ dtype: 'float32', shape }));
  }

  /** Every parameter from its own stream (seed, name), so that adding one does not change the others. */
  initialize(seed: number): void {
    for (const [name, { init, shape }] of this.table.parameters)
      init(this.parameter(name).data as Float32Array, shape, randomStream(seed, 'init', name));
    for (const [name, { fill }] of this.table.buffers) this.buffers.get(name)!.data.fill(fill);
  }

  parameter(name: string): HostTensor {
    return this.trained.views.get(name) ?? this.fixed.get(name)!;
  }

  /** The numbers of a parameter or buffer. */
  array(name: string): HostTensor['data'] {
    return (this.buffers.get(name) ?? this.parameter(name)).data;
  }

  /** The array behind an input of a program that is a parameter or a buffer; undefined for other inputs. */
  input(name: string): HostTensor | undefined {
    const slash = name.indexOf('/');
    const [kind, rest] = [name.slice(0, slash + 1), name.slice(slash + 1)];
    if (kind === inputName.parameter('')) return this.parameter(rest);
    if (kind === inputName.buffer('')) return this.buffers.get(rest);
    return undefined;
  }

  /** Parameters and buffers by name: the state dict. */
  *entries(): Generator<[string, HostTensor]> {
    for (const name of this.table.parameters.keys()) yield [name, this.parameter(name)];
    yield* this.buffers;
  }

  /** The first tensor with a value that is not finite. */
  firstNonFinite(): string | undefined {
    for (const [name, { data }] of this.entries()) if (!data.every(Number.isFinite)) return name;
    return undefined;
  }

  /** Fills in a state dict of this very model: every name and shape must fit, nothing may be missing or left over. */
  load(source: SafetensorsFile): void {
    const own = new Map(this.entries());
    const wanted = new Map([...own].map(([name, { shape }]) => [name, shape]));
    requireFit(fitModel(shapesOf(source.tensors), wanted, undefined), source.path);
    for (const [name, { data }] of own) source.readInto(name, data);
  }
}
