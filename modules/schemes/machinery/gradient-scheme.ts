// What schemes that combine gradients share: losses as they are (`compose` puts another scheme's weights in front),
// the choice of the shared set, what parameters outside it get, and what happens to gradients that are zero.
import {
  MtcpError,
  type Combination,
  type GradientRule,
  type SchemeNeeds,
  type SharedSet,
  type StepInfo,
  type TaskGradients,
} from '../../../registry/index.js';
import { WeightedSum } from './weighted-sum.js';

export interface GradientOptions {
  shared: SharedSet;
  exclusive: GradientRule['exclusive'];
}

/** The two options, with the defaults of the scheme. */
export function gradientProperties<S extends SharedSet, E extends GradientRule['exclusive']>(
  shared: S,
  exclusive: E,
) {
  return {
    shared: {
      enum: ['representation', 'backbone', 'all'],
      default: shared,
      description:
        "Whose gradients are compared: of the backbone's output (summed over the batch; one backward pass per task through the decoders only), of the backbone's parameters, or of all parameters that two tasks reach.",
    },
    exclusive: {
      enum: ['sum', 'weighted'],
      default: exclusive,
      description:
        "What parameters outside the shared set get: the sum of the tasks' gradients, or the sum weighted as inside.",
    },
  } as const;
}

export abstract class GradientScheme<O extends GradientOptions = GradientOptions> extends WeightedSum<O> {
  /** Whether `mix` looks at `gram` and not at `vectors`; see GradientRule. */
  protected readonly onlyProducts: boolean = false;

  get needs(): SchemeNeeds {
    const { onlyProducts } = this;
    const { shared, exclusive } = this.options;
    const combine: GradientRule['combine'] = (gradients, step) => this.mix(gradients, step);
    return { gradients: { shared, exclusive, onlyProducts, combine } };
  }

  /** The rule itself; see GradientRule. */
  protected abstract mix(gradients: TaskGradients, step: StepInfo): Combination;

  /** Where a task's entry lies in what is kept for every task of the trial. */
  protected places({ tasks }: TaskGradients): number[] {
    return tasks.map((task) => this.tasks.findIndex(({ name }) => name === task));
  }
}

/**
 * The coefficients that `rule` gives the tasks whose gradient is not zero. A zero gradient has nothing to say about
 * directions, and divisions by its length would be all it does; its coefficient is 1.
 */
export function withoutZeros(
  { tasks, gram }: TaskGradients,
  rule: (gram: number[][], active: number[]) => readonly number[],
): number[] {
  const active = tasks.map((_, i) => i).filter((i) => gram[i][i] > 0);
  const coefficients = tasks.map(() => 1);
  if (active.length === 0) return coefficients;
  const found = rule(
    active.map((i) => active.map((j) => gram[i][j])),
    active,
  );
  active.forEach((i, k) => (coefficients[i] = found[k]));
  return coefficients;
}

/** For schemes that remember gradients cell by cell: those of a representation belong to other images each time. */
export const refuseRepresentation = (name: string, shared: SharedSet): void =>
  requireParameters(
    `${name} remembers gradients from step to step, and those of a representation belong to other images at each step`,
    shared,
  );

/** For schemes that combine gradients of parameters only; `why` begins with the scheme's name. */
export function requireParameters(why: string, shared: SharedSet): void {
  if (shared === 'representation')
    throw new MtcpError('component', `scheme ${why}`, { hint: 'use `shared: backbone` or `shared: all`' });
}
