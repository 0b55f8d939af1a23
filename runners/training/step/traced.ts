// What recording the training programs reveals about the model: needed to lay out its arrays and to provide its
// inputs.
import type { Layers } from '../../../registry/contracts/blocks.js';
import { ParameterTable } from '../../../modules/nn/scope.js';
import type { TaskGradientPlan } from './task-gradients.js';

export interface Traced {
  table: ParameterTable;
  /** Parameters with a gradient, in the order of their creation. */
  trained: string[];
  /** The blocks of the backbone in their names. */
  readonly layers?: Layers;
  /** Momentum of every buffer that is averaged. */
  momenta: ReadonlyMap<string, number>;
  /** Where the gradients of single tasks are, if the scheme combines them. */
  plan?: TaskGradientPlan;
}

export const newTrace = (layers?: Layers): Traced => ({
  table: new ParameterTable(),
  trained: [],
  momenta: new Map(),
  layers,
});
