// What schemes that combine gradients share: losses as they are (`compose` puts another scheme's weights in front),
// the choice of the shared set, and what parameters outside it get.
import type {
  Combination,
  GradientRule,
  SharedSet,
  StepInfo,
  TaskGradients,
} from '../../../registry/contracts/scheme.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { MtcpError } from '../../../registry/errors.js';
import { WeightedSum } from '../weighted-sum.js';

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

export abstract class GradientScheme extends WeightedSum {
  readonly gradients: GradientRule;

  protected constructor(tasks: readonly Task[], { shared, exclusive }: GradientOptions, brings?: string) {
    super(tasks);
    this.gradients = { shared, exclusive, brings, combine: (gradients, step) => this.mix(gradients, step) };
  }

  /** The rule itself; see GradientRule. */
  protected abstract mix(gradients: TaskGradients, step: StepInfo): Combination;
}

/** For schemes that remember gradients cell by cell: those of a representation belong to other images each time. */
export function refuseRepresentation(name: string, shared: SharedSet): void {
  if (shared === 'representation')
    throw new MtcpError(
      'component',
      `scheme ${name} remembers gradients from step to step, and those of a representation belong to other images at each step`,
      { hint: 'use `shared: backbone` or `shared: all`' },
    );
}
