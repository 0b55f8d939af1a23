// Counts of classes for losses that weigh classes. An assembly is made without looking at data, and its tasks say that all
// classes are equally frequent, which does for shapes and times. Training replaces that by the counts of its split.
import type { ClassCounts, Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import type { Criterion } from './objective.js';

/** What of a trial's assembly is looked at here. */
interface Judged {
  readonly criterion: Criterion;
}

/** The task as if each class were equally frequent; other kinds as they are. */
export function evenlyCounted(task: Task): Task {
  if (kindOf(task).batch !== 'indices') return task;
  const ones = Array<number>(task.channels).fill(1);
  return { ...task, counts: { pixels: ones, inImages: ones.map(() => task.channels) } };
}

/** Tasks whose losses ask how often their classes occur. */
export const tasksToCount = ({ criterion: { tasks, losses } }: Judged): Task[] =>
  tasks.filter((task) => losses[task.name].classWeights?.(task) !== undefined);

/**
 * The same trial with what was counted for each of `tasksToCount`.
 * @throws Error if one is missing
 */
export function withCounts<P extends Judged>(parts: P, counts: Readonly<Record<string, ClassCounts>>): P {
  const asking = tasksToCount(parts).map(({ name }) => name);
  const absent = asking.find((name) => !(name in counts));
  if (absent !== undefined) throw new Error(`the classes of ${absent} have not been counted`);
  const tasks = parts.criterion.tasks.map((task) =>
    asking.includes(task.name) ? { ...task, counts: counts[task.name] } : task,
  );
  return { ...parts, criterion: { ...parts.criterion, tasks } };
}

/** What each class weighs in the losses that weigh classes, by task. */
export const classWeightsOf = ({ criterion: { tasks, losses } }: Judged): Record<string, number[]> =>
  Object.fromEntries(
    tasks.flatMap((task) => {
      const weights = losses[task.name].classWeights?.(task);
      return weights ? [[task.name, [...weights]]] : [];
    }),
  );
