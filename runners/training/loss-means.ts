// Means of the losses over an epoch. A step in which a task had no valid pixel does not count for that task.
import type { StepResult } from './step.js';

interface Sums {
  steps: number;
  total: number;
  /** task -> [sum of raw, sum of projected, steps] */
  tasks: Record<string, [number, number, number]>;
}

const empty = (): Sums => ({ steps: 0, total: 0, tasks: {} });

export class LossMeans {
  #sums: Sums = empty();

  restore(state: unknown): void {
    this.#sums = state ? (structuredClone(state) as Sums) : empty();
  }

  add({ total, raw, projected }: StepResult): void {
    this.#sums.steps++;
    this.#sums.total += total;
    for (const task of Object.keys(raw)) {
      const sums = (this.#sums.tasks[task] ??= [0, 0, 0]);
      sums[0] += raw[task];
      sums[1] += projected[task];
      sums[2]++;
    }
  }

  /** The means so far; counting starts anew. */
  take(): { total: number; raw: Record<string, number>; projected: Record<string, number> } {
    const { steps, total, tasks } = this.#sums;
    this.#sums = empty();
    const mean = (index: 0 | 1) =>
      Object.fromEntries(Object.entries(tasks).map(([task, sums]) => [task, sums[index] / sums[2]]));
    return { total: total / Math.max(1, steps), raw: mean(0), projected: mean(1) };
  }

  state(): unknown {
    return this.#sums;
  }
}
