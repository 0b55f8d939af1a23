// Names of tasks in the authors' files, and what several of their networks share.
import type { AuthorsFormat } from '../../../registry/index.js';

export type Rules = ReturnType<AuthorsFormat['renames']>;

/** What they call differently; the other names are ours. */
const TASKS: Rules = [
  [/(^|\.)sal(?=\.)/g, '$1saliency'],
  [/(^|\.)edge(?=\.)/g, '$1edges'],
];

/** Rules for names in which tasks are written out. */
export const withTasks = (rules: Rules): Rules => [...TASKS, ...rules];

/** Their name of a task, as it is here. */
export const taskName = (name: string): string =>
  TASKS.reduce((left, [pattern, to]) => left.replace(pattern, to), `${name}.`).slice(0, -1);
