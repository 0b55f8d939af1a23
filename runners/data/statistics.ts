// The constant predictor, which ignores the image: a baseline that every model has to beat.
import type { LabelMap } from '../../registry/contracts/data.js';
import { IGNORE, labelChannels, type Task } from '../../registry/contracts/tasks.js';
import type { EvaluationBatch } from './batch.js';

/**
 * The best constant for a task over a split:
 * - `classes`: [most frequent label]
 * - `binary`: [1], since measures of masks are 0 for an empty one
 * - `depth`: [mean metres]
 * - `normals`: mean direction, unit length
 * null where no pixel of the split has a known label.
 */
export type Constant = readonly number[] | null;

/** @param batches an evaluation pass, such as `loader.evaluate('train', 4)` */
export async function splitStatistics(
  batches: AsyncIterable<EvaluationBatch>,
  tasks: readonly Task[],
): Promise<Record<string, Constant>> {
  const tallies = new Map(tasks.map((task) => [task.name, new Tally(task)]));
  for await (const { raw } of batches)
    for (const { labels } of raw) for (const [name, tally] of tallies) tally.add(labels[name]);
  return Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.constant()]));
}

class Tally {
  readonly #counts = new Float64Array(IGNORE);
  readonly #sums: Float64Array;
  #pixels = 0;

  constructor(private readonly task: Task) {
    this.#sums = new Float64Array(labelChannels(task.kind));
  }

  add({ kind, data, channels }: LabelMap): void {
    if (kind === 'binary') return;
    if (kind === 'classes') {
      for (let i = 0; i < data.length; i++) {
        if (data[i] === IGNORE) continue;
        this.#pixels++;
        this.#counts[data[i]]++;
      }
      return;
    }
    for (let i = 0; i < data.length; i += channels) {
      // As the metrics have it, a depth of 0 says that there is none.
      if (data[i] === IGNORE || (kind === 'depth' && data[i] <= 0)) continue;
      this.#pixels++;
      for (let k = 0; k < channels; k++) this.#sums[k] += data[i + k];
    }
  }

  constant(): Constant {
    const { kind } = this.task;
    if (kind === 'binary') return [1];
    if (this.#pixels === 0) return null;
    if (kind === 'classes') return [this.#counts.indexOf(Math.max(...this.#counts))];
    const mean = this.#sums.map((sum) => sum / this.#pixels);
    if (kind === 'depth') return [...mean];
    const length = Math.hypot(...mean) || 1;
    return Array.from(mean, (component) => component / length);
  }
}
