// Scores every image of a split by itself, and keeps the worst and the best predictions of each task for pictures.
//
// The metric of an image is the task's metric over a split of this image alone. Where a metric's first value counts what
// does not occur (mIoU over all classes), images are ranked by the value that it names beside it.
import type { MapData } from '../../registry/contracts/data.js';
import type { Metric } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { primaryOf } from '../model/primary-metrics.js';
import type { ImageScores, ImageValue } from '../store/images.js';
import { measured, type Predicted } from './evaluation.js';

/** One image of one task, to be drawn. */
export interface Extreme {
  id: string;
  score: number;
  image: MapData;
  label: MapData;
  /** At the label's size, as the metric saw it. */
  prediction: MapData;
}

export interface TaskExtremes {
  task: Task;
  value: ImageValue;
  /** The worst first. */
  worst: Extreme[];
  /** The best first. */
  best: Extreme[];
}

export class ImageScoring {
  readonly #values: ImageValue[];
  readonly #images: ImageScores['images'] = [];
  readonly #extremes: TaskExtremes[];

  /** @param shown how many of the worst, and of the best, are kept of each task */
  constructor(
    readonly tasks: readonly Task[],
    readonly metrics: Readonly<Record<string, Metric>>,
    readonly shown: number,
  ) {
    this.#values = tasks.flatMap(({ name: task }) => {
      const { values } = metrics[task];
      const ranked = rankedBy(metrics[task]);
      return values.map(({ name, unit, better }) => ({ task, name, unit, better, primary: name === ranked }));
    });
    this.#extremes = tasks.map((task) => ({
      task,
      value: this.#values.find((value) => value.task === task.name && value.primary)!,
      worst: [],
      best: [],
    }));
  }

  /** Takes in an image; its predictions may be overwritten afterwards. */
  add({ sample, compared }: Predicted): void {
    const { metrics } = measured(
      this.tasks.map((task) => {
        const run = this.metrics[task.name].start(task);
        run.update(compared[task.name], sample.labels[task.name]);
        return [task.name, run.compute()];
      }),
    );
    const values = this.#values.map(({ task, name }) => metrics[`${task}.${name}`] ?? null);
    this.#images.push({ id: sample.id, values });
    for (const { task, value, worst, best } of this.#extremes) {
      const score = values[this.#values.indexOf(value)];
      if (score === null) continue;
      const sign = value.better === 'higher' ? 1 : -1;
      const make = (): Extreme => ({
        id: sample.id,
        score,
        image: structuredClone(sample.image),
        label: structuredClone(sample.labels[task.name]),
        prediction: structuredClone(compared[task.name]),
      });
      insert(worst, sign * score, (other) => sign * other.score, this.shown, make);
      insert(best, -sign * score, (other) => -sign * other.score, this.shown, make);
    }
  }

  scores(epoch: number): ImageScores {
    return { epoch, values: this.#values, images: this.#images };
  }

  /** Of the tasks with an image that could be scored; no image is among the worst and the best. */
  extremes(): TaskExtremes[] {
    return this.#extremes
      .filter(({ worst }) => worst.length > 0)
      .map((each) => {
        const ids = new Set(each.worst.map(({ id }) => id));
        return { ...each, best: each.best.filter(({ id }) => !ids.has(id)) };
      });
  }
}

function rankedBy(metric: Metric): string {
  const primary = primaryOf(metric);
  return primary.beside ?? primary.name;
}

/** Keeps the `count` smallest by `key`, in order; of equals, those that came first. */
function insert(
  list: Extreme[],
  own: number,
  key: (other: Extreme) => number,
  count: number,
  make: () => Extreme,
): void {
  const after = list.findIndex((other) => key(other) > own);
  if (after < 0 && list.length >= count) return;
  list.splice(after < 0 ? list.length : after, 0, make());
  if (list.length > count) list.pop();
}
