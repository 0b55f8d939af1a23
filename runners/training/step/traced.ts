// What recording the training programs finds out about the model, for whoever lays out and feeds its numbers.
import { ParameterTable } from '../../../modules/nn/scope.js';
import type { TaskGradientPlan } from './task-gradients.js';

export interface Traced {
  table: ParameterTable;
  /** Parameters with a gradient, in the order of their creation. */
  trained: string[];
  /** Momentum of every buffer that is averaged. */
  momenta: ReadonlyMap<string, number>;
  /** Where the gradients of single tasks are, if the scheme combines them. */
  plan?: TaskGradientPlan;
}

export const newTrace = (): Traced => ({ table: new ParameterTable(), trained: [], momenta: new Map() });
