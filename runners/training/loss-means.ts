// Means over an epoch for its event: losses, loss weights, and cosines between the tasks' gradients. A step without
// valid pixels of a task does not count for that task.
import type { StepResult } from './step/step-result.js';

const SERIES = ['raw', 'projected', 'weights', 'cosines'] as const;
type Series = (typeof SERIES)[number];

interface Sums extends Record<Series, Record<string, [sum: number, steps: number]>> {
  steps: number;
  total: number;
}

export interface Means extends Record<Series, Record<string, number>> {
  total: number;
}

const empty = (): Sums => ({ steps: 0, total: 0, raw: {}, projected: {}, weights: {}, cosines: {} });

export class LossMeans {
  #sums: Sums = empty();

  restore(state: unknown): void {
    this.#sums = state ? (structuredClone(state) as Sums) : empty();
  }

  add(result: StepResult): void {
    this.#sums.steps++;
    this.#sums.total += result.total;
    for (const series of SERIES)
      for (const [key, value] of Object.entries(result[series])) {
        if (!Object.hasOwn(this.#sums[series], key)) this.#sums[series][key] = [0, 0];
        const sums = this.#sums[series][key];
        sums[0] += value;
        sums[1]++;
      }
  }

  /** The means so far; counting starts again. */
  take(): Means {
    const sums = this.#sums;
    this.#sums = empty();
    const means = (series: Series) =>
      Object.fromEntries(Object.entries(sums[series]).map(([key, [sum, steps]]) => [key, sum / steps]));
    return {
      total: sums.total / Math.max(1, sums.steps),
      raw: means('raw'),
      projected: means('projected'),
      weights: means('weights'),
      cosines: means('cosines'),
    };
  }

  state(): unknown {
    return this.#sums;
  }
}
