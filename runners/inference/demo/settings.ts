// What the page of `mtcp demo` reads beside the model: model.json.
import type { Slot } from '../../../registry/options.js';
import type { Task } from '../../../registry/contracts/tasks.js';

export interface DemoSettings {
  title: string;
  /** Under the title. */
  about: string;
  /** Height and width of the model's input. */
  size: readonly [number, number];
  fit: 'stretch' | 'pad';
  /** The input pipeline, as an experiment file names it, at this size. */
  transform: Slot;
  /** What the model itself does to colours, for each channel: value * scale + offset. */
  colours: { scale: number[]; offset: number[] };
  tasks: readonly (Task & { meaning: string })[];
}
