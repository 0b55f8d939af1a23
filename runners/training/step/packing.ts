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
}

export function packingOf({ weights, gradient, observed, scalars }: Packed): Packing {
  const arenas: readonly (readonly [vector: string, prefix: string, arena: Arena | undefined])[] = [
    [VECTORS.parameter, inputName.parameter(''), weights.trained],
    [VECTORS.buffer, inputName.buffer(''), weights.averaged],
    [VECTORS.gradient, NAMES.gradient(''), gradient],
    [VECTORS.observed, NAMES.observed(''), observed],
    [VECTORS.scalar, '', scalars],
  ];
  return {
    lengths: Object.fromEntries(arenas.map(([vector, , arena]) => [vector, arena?.data.length ?? 0])),
    place(name): Place | undefined {
      for (const [vector, prefix, arena] of arenas) {
        const own = name.slice(prefix.length);
        if (arena && name.startsWith(prefix) && arena.views.has(own))
          return { vector, start: arena.startOf(own) };
      }
      return undefined;
    },
  };
}
