// Predictions and labels as pictures, in the colours of their kind of task, and the legends of these colours.
import { UNKNOWN } from '../../modules/tasks/machinery/colours.js';
import type { MapData } from '../../registry/contracts/data.js';
import type { Legend, Range } from '../../registry/contracts/task-kind.js';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';

/** RGB, row-major. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

export function photograph({ width, height, data }: MapData): Picture {
  const bytes = Uint8Array.from(data, (v) => Math.max(0, Math.min(255, Math.round(v))));
  return { width, height, data: bytes };
}

/** @param range what the ends of the colour scale stand for, where there is one: see `rangeOf` */
export function paint(
  { width, height, channels, data }: MapData,
  task: Task,
  range: Range = [0, 1],
): Picture {
  const kind = kindOf(task);
  const out = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const colour = data[i * channels] === IGNORE ? UNKNOWN : kind.colour(data, i * channels, range, channels);
    for (let k = 0; k < 3; k++) out[i * 3 + k] = Math.max(0, Math.min(255, Math.round(colour[k])));
  }
  return { width, height, data: out };
}

/**
 * @param maps what the legend is for: only classes that occur are listed
 * @param range as given to `paint`
 */
export const legendOf = (task: Task, maps: readonly MapData[], range: Range): Legend =>
  kindOf(task).legend(task, maps, range);

/** What the ends of the task's colour scale stand for in pictures of these maps. */
export const rangeOf = (task: Task, maps: readonly MapData[]): Range => kindOf(task).range?.(maps) ?? [0, 1];
