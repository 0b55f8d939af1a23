// Scores every image of a split by itself, and keeps the worst and the best predictions of each task for pictures.
//
// The metric of an image is the task's metric over a split of this image alone. Where a metric's first value counts what
// does not occur (mIoU over all classes), images are ranked by the value that it names beside it.
import type { MapData } from '../../registry/contracts/data.js';
import type { Metric, Scored } from '../../registry/contracts/learning.js';
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

/** What a metric compared, and the image's place in the split. */
interface Seen extends Pick<Extreme, 'image' | 'label' | 'prediction'> {
  place: number;
}

type Kept = Extreme & Seen;

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
  readonly #extremes: (TaskExtremes & { worst: Kept[]; best: Kept[] })[];
  /** Images that a metric was not done with when they had been taken in. */
  readonly #open: Promise<void>[] = [];

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

  /**
   * Takes in an image; its predictions may be overwritten once this resolves. Where a metric is not done by then, copies wait
   * for it: no more than the metric has images in work.
   */
  async add({ sample, compared }: Predicted): Promise<void> {
    const place = this.#images.length;
    this.#images.push({ id: sample.id, values: this.#values.map(() => null) });
    for (const task of this.tasks) {
      const { name } = task;
      const seen: Seen = {
        place,
        image: sample.image,
        label: sample.labels[name],
        prediction: compared[name],
      };
      const run = this.metrics[name].start(task);
      await run.update(seen.prediction, sample.labels[name], sample.id);
      const values = run.compute();
      if (!(values instanceof Promise)) this.#take(name, values, seen);
      else {
        const copy = {
          place,
          image: copyOf(seen.image),
          label: copyOf(seen.label),
          prediction: copyOf(seen.prediction),
        };
        const taken = values.then((known) => this.#take(name, known, copy));
        // It is reported by `complete`.
        taken.catch(() => undefined);
        this.#open.push(taken);
      }
    }
  }

  /**
   * Resolves when all images are scored.
   * @throws what a metric threw
   */
  async complete(): Promise<void> {
    await Promise.all(this.#open);
  }

  #take(name: string, scored: Scored, { place, ...maps }: Seen): void {
    const { metrics } = measured([[name, scored]]);
    const { id, values } = this.#images[place];
    this.#values.forEach((value, i) => {
      if (value.task === name) values[i] = metrics[`${name}.${value.name}`] ?? null;
    });
    const { value, worst, best } = this.#extremes.find(({ task }) => task.name === name)!;
    const score = values[this.#values.indexOf(value)];
    if (score === null) return;
    const sign = value.better === 'higher' ? 1 : -1;
    const make = (): Kept => ({
      place,
      id,
      score,
      image: copyOf(maps.image),
      label: copyOf(maps.label),
      prediction: copyOf(maps.prediction),
    });
    insert(worst, { place, key: sign * score }, (other) => sign * other.score, this.shown, make);
    insert(best, { place, key: -sign * score }, (other) => -sign * other.score, this.shown, make);
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

const copyOf = (map: MapData): MapData => ({ ...map, data: map.data.slice() });

/**
 * Keeps the `count` smallest by `key`, in order; of equals, those of the lowest place, in whatever order they come.
 */
function insert(
  list: Kept[],
  { place, key }: { place: number; key: number },
  keyOf: (other: Kept) => number,
  count: number,
  make: () => Kept,
): void {
  const after = list.findIndex(
    (other) => keyOf(other) > key || (keyOf(other) === key && other.place > place),
  );
  if (after < 0 && list.length >= count) return;
  list.splice(after < 0 ? list.length : after, 0, make());
  if (list.length > count) list.pop();
}
