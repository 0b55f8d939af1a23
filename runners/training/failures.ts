// failures.png of a trial: the worst and the best images of each task, with label, prediction, and where the two differ.
import { join } from 'node:path';
import { resize } from '../../modules/support/warp.js';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import { legendOf, paint, photograph, rangeOf, type Picture } from '../drawing/paint.js';
import { drawSheet, type Sheet } from '../drawing/sheet.js';
import { writeWhole } from '../support/files.js';
import type { Extreme, TaskExtremes } from './image-scores.js';

/** Pixels without a known label. */
const UNKNOWN = [128, 128, 128];

export async function writeFailures(folder: string, tasks: readonly TaskExtremes[]): Promise<void> {
  if (tasks.length === 0) return;
  const rows: Picture[][] = [];
  const captions: string[] = [];
  const legends: Sheet['legends'][number][] = [];
  for (const { task, value, worst, best } of tasks) {
    const all = [...worst, ...best];
    const range = rangeOf(
      task,
      all.map(({ label }) => label),
    );
    const maps = all.flatMap(({ label, prediction }) => [label, prediction]);
    legends.push({ title: task.name, legend: legendOf(task, maps, range) });
    const errors = all.map((extreme) => errorsOf(extreme, task));
    // One scale for the task, which outliers do not stretch.
    const top = kindOf(task).batch === 'indices' ? 1 : quantile(errors, 0.98);
    for (const [i, { id, score, image, label, prediction }] of all.entries()) {
      const which = i < worst.length ? 'worst' : 'best';
      captions.push(`${task.name}, ${which}: ${id}, ${value.name} ${score.toPrecision(4)} ${value.unit}`);
      const { height, width } = label;
      rows.push([
        photograph(resize(image, height, width, 'linear')),
        paint(label, task, range),
        paint(prediction, task, range),
        heat(errors[i], width, height, top),
      ]);
    }
  }
  const columns = ['image', 'label', 'prediction', 'error: white 0, black most'];
  writeWhole(join(folder, 'failures.png'), await drawSheet({ columns, rows, captions, legends }));
}

/** At each pixel the distance of label and prediction: 0 or 1 for classes; NaN where nothing is known. */
export function errorsOf(
  { label, prediction }: Pick<Extreme, 'label' | 'prediction'>,
  task: Task,
): Float32Array {
  const isClass = kindOf(task).batch === 'indices';
  const errors = new Float32Array(label.height * label.width);
  const channels = label.channels;
  for (let i = 0; i < errors.length; i++) {
    if (label.data[i * channels] === IGNORE) {
      errors[i] = NaN;
      continue;
    }
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const difference = prediction.data[i * channels + c] - label.data[i * channels + c];
      sum += isClass ? Number(difference !== 0) : difference * difference;
    }
    errors[i] = isClass ? sum : Math.sqrt(sum);
  }
  return errors;
}

function quantile(maps: readonly Float32Array[], share: number): number {
  const known = maps.flatMap((map) => Array.from(map)).filter((value) => !Number.isNaN(value));
  known.sort((a, b) => a - b);
  return known[Math.floor(share * (known.length - 1))] || 1;
}

function heat(errors: Float32Array, width: number, height: number, top: number): Picture {
  const data = Buffer.alloc(width * height * 3);
  errors.forEach((error, i) => {
    const share = Math.min(1, error / top);
    // From white over yellow and red to black.
    const colour = Number.isNaN(error)
      ? UNKNOWN
      : [Math.min(1, 3 - 3 * share), Math.min(1, 2 - 3 * share), 1 - 3 * share].map(
          (x) => 255 * Math.max(0, x),
        );
    for (let k = 0; k < 3; k++) data[i * 3 + k] = Math.round(colour[k]);
  });
  return { width, height, data };
}
