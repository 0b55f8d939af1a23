// Base class of most components: receives the component's options and the trial's tasks.
import { options, tasks } from './component.js';
import type { Task } from './contracts/tasks.js';

/** A base for components. A class that extends it needs no constructor; see `component`. */
export abstract class Configured<O = unknown> {
  constructor(
    @options() protected readonly options: O,
    @tasks() protected readonly tasks: readonly Task[],
  ) {}
}
