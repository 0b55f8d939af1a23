// What tasks leave out: a head, a loss or a metric that a file does not name is the usual one of the task's kind. The data
// set says of which kind a task is. Both are in the schemas of the components, so no component is loaded for it.
import { isPlainObject } from '../../registry/options.js';
import { own } from '../../registry/own.js';
import { didYouMean } from '../../registry/support/near.js';
import type { Schemas } from './schemas.js';

type Values = Record<string, unknown>;

/** A copy of a trial's sections in which tasks have the usual parts where they have none; defaults are not filled in. */
export function withUsual(trial: Values, schemas: Schemas): Values {
  const { tasks } = trial;
  if (!isPlainObject(tasks)) return trial;
  const filled = Object.entries(tasks).map(([name, task]) => {
    const usual = isPlainObject(task) ? usualOf(name, trial, schemas) : undefined;
    return [name, usual ? { ...structuredClone(usual), ...(task as Values) } : task];
  });
  return { ...trial, tasks: Object.fromEntries(filled) };
}

/** Why a task's missing parts cannot be filled in; undefined if nothing speaks against it. */
export function unusual(task: string, trial: Values, schemas: Schemas): string | undefined {
  const type = dataOf(trial);
  const kinds = type === undefined ? undefined : schemas.taskKinds(type);
  if (!kinds) return undefined;
  const names = Object.keys(kinds);
  if (names.length === 0)
    return `the tasks of data set "${type}" are known only once it is read: name head, loss and metric`;
  const kind = own(kinds, task);
  if (kind === undefined) return `data set "${type}" has no task "${task}"; ${didYouMean(task, names)}`;
  return schemas.usual(kind) ? undefined : `tasks of kind ${kind} have no usual head, loss and metric`;
}

function usualOf(task: string, trial: Values, schemas: Schemas): Values | undefined {
  const type = dataOf(trial);
  const kind = type === undefined ? undefined : own(schemas.taskKinds(type) ?? {}, task);
  return kind === undefined ? undefined : schemas.usual(kind);
}

function dataOf({ data }: Values): string | undefined {
  return isPlainObject(data) && typeof data.type === 'string' ? data.type : undefined;
}
