// How a step's programs see weights, gradients, statistics and losses on a device that keeps them: as parts of a few
// vectors, laid out like the arrays of the host.
import { inputName } from '../../../modules/nn/scope.js';
import type { Packing, Place } from '../../engine/graph/packed.js';
import { NAMES } from '../../model/step-inputs.js';
import type { Arena } from './arena.js';
import { VECTORS, type Weights } from './weights.js';

export interface Packed {
  weights: Weights;
  /** Left out where programs leave gradients of single tasks apart. */
  gradient?: Arena;
  observed?: Arena;
  /** Losses and other single numbers that a step reads. */
  scalars?: Arena;
  /** Further vectors. */
  others?: readonly PackedVector[];
}

/** Inputs and outputs with this prefix, as parts of a vector. */
export interface PackedVector {
  vector: string;
  prefix: string;
  /** Where they lie. */
  arena: Arena;
  /** Which of the arena's numbers are in it; by default all. */
  has?(name: string): boolean;
}

export function packingOf({ weights, gradient, observed, scalars, others = [] }: Packed): Packing {
  const own: readonly (readonly [vector: string, prefix: string, arena: Arena | undefined])[] = [
    [VECTORS.parameter, inputName.parameter(''), weights.trained],
    [VECTORS.buffer, inputName.buffer(''), weights.averaged],
    [VECTORS.gradient, NAMES.gradient(''), gradient],
    [VECTORS.observed, NAMES.observed(''), observed],
    [VECTORS.scalar, '', scalars],
  ];
  const packed: readonly PackedVector[] = [
    ...others,
    ...own.flatMap(([vector, prefix, arena]) => (arena ? [{ vector, prefix, arena }] : [])),
  ];
  return {
    lengths: Object.fromEntries(packed.map(({ vector, arena }) => [vector, arena.data.length])),
    place(name): Place | undefined {
      for (const { vector, prefix, arena, has = () => true } of packed) {
        const part = name.slice(prefix.length);
        if (name.startsWith(prefix) && arena.views.has(part) && has(part))
          return { vector, start: arena.startOf(part) };
      }
      return undefined;
    },
  };
}
