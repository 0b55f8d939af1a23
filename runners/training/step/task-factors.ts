// What a scheme makes of the gradients of single tasks, as numbers: a factor for each task inside the shared set and one
// outside. Who holds the gradients applies them: the host (task-gradients.ts), or programs on a device
// (device-task-gradients.ts).
import type {
  Combination,
  GradientRule,
  PerTask,
  StepInfo,
  TaskGradients,
} from '../../../registry/contracts/scheme.js';
import { MtcpError } from '../../../registry/errors.js';
import type { HostTensor } from '../../engine/ort/session.js';

export interface Combined {
  /** Of the tasks' gradients over the shared set. */
  coefficients: PerTask<number>;
  /** Between the gradients of two tasks, as "a/b". */
  cosines: Record<string, number>;
}

/** Holds the tasks' gradients and combines them. */
export interface TaskGradientCombiner {
  /** Arrays that stay on a device. */
  readonly kept: readonly HostTensor[];
  /** Whether the combined gradient is on a device. */
  readonly isOnDevice: boolean;
  /** The array behind an input or output of the step's programs that belongs to single tasks. */
  tensor(name: string): HostTensor | undefined;
  /**
   * What the scheme's rule is given of the last run's gradients.
   * @param raw losses of the tasks that had a valid pixel
   * @param terms the terms of the same tasks
   * @param ahead every task's term after virtual steps, if the rule wanted some
   */
  look(
    raw: PerTask<number>,
    terms: readonly number[],
    ahead?: PerTask<number>,
  ): TaskGradients | Promise<TaskGradients>;
  /** Writes the combined gradient, or the second program's input. */
  apply(factors: Factors): void | Promise<void>;
  /** Called when the second program, if there is one, has run: the gradient is complete then. */
  finish(): void | Promise<void>;
  close(): void;
}

export interface Factors extends Combined {
  /** By task; tasks that are not there have no part in the gradient. */
  inside: ReadonlyMap<string, number>;
  outside: ReadonlyMap<string, number>;
  /** The combined gradient over the shared set, where the rule gives it itself. */
  combined?: Float32Array;
}

/**
 * Asks the rule.
 * @throws MtcpError `numeric` if a factor is not finite; `component` if the rule gives what it said it would not
 */
export function factorsOf(rule: GradientRule, given: TaskGradients, info: StepInfo): Factors {
  const { tasks, gram } = given;
  const { coefficients, outside, combined }: Combination =
    tasks.length === 0 ? { coefficients: [] } : rule.combine(given, info);
  if (coefficients.some((factor) => !Number.isFinite(factor)))
    throw new MtcpError(
      'numeric',
      `the scheme's factors on the gradients of ${tasks.join(', ')} are ${coefficients.join(', ')}`,
      {
        hint: 'gradients may have become zero or infinite; a lower optimizer.rate or another scheme may help',
      },
    );
  if (combined && rule.onlyProducts)
    throw new MtcpError(
      'component',
      'the scheme returns a combined gradient although it sees only products',
      {
        hint: 'leave out `onlyProducts` in its needs',
      },
    );
  const inside = new Map(tasks.map((task, i) => [task, coefficients[i]]));
  const others = rule.exclusive === 'weighted' ? (outside ?? coefficients) : tasks.map(() => 1);
  return {
    coefficients: Object.fromEntries(inside),
    cosines: cosinesOf(tasks, gram),
    inside,
    outside: new Map(tasks.map((task, i) => [task, others[i]])),
    combined,
  };
}

/** Left out where one of the two gradients is zero. */
function cosinesOf(tasks: readonly string[], gram: TaskGradients['gram']): Record<string, number> {
  const cosines: Record<string, number> = {};
  tasks.forEach((a, i) => {
    for (let j = i + 1; j < tasks.length; j++) {
      const lengths = Math.sqrt(gram[i][i] * gram[j][j]);
      if (lengths > 0) cosines[`${a}/${tasks[j]}`] = gram[i][j] / lengths;
    }
  });
  return cosines;
}
