// The result of a training step: losses, and the weights that the scheme gave them.

export interface StepResult {
  total: number;
  /** Raw loss of each task's final prediction; absent if no pixel of the batch was valid. */
  raw: Record<string, number>;
  /** The same on the scheme's scale. */
  projected: Record<string, number>;
  /** What each projected loss' gradient was multiplied by; the scheme's weights, unless it decides in the step. */
  weights: Record<string, number>;
  /** Cosines between the gradients of two tasks, as "a/b", where the scheme compares them. */
  cosines: Record<string, number>;
  /** What is added to the tasks' losses, by name, before its weight; absent without any. */
  penalties?: Record<string, number>;
}

/** Means over the micro-batches of a step; a task counts only where it had a valid pixel. */
export function meanOf(results: readonly StepResult[]): StepResult {
  if (results.length === 1) return results[0];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const byName = (key: 'raw' | 'projected' | 'penalties') => {
    const records = results.map((result) => result[key] ?? {});
    const names = new Set(records.flatMap((record) => Object.keys(record)));
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        mean(records.filter((record) => Object.hasOwn(record, name)).map((record) => record[name])),
      ]),
    );
  };
  return {
    ...results[0],
    total: mean(results.map(({ total }) => total)),
    raw: byName('raw'),
    projected: byName('projected'),
    ...(results[0].penalties && { penalties: byName('penalties') }),
  };
}
