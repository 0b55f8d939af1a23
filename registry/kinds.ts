// Kinds of tasks by name. They have no options, so that one object serves a whole process.
import { catalog } from './catalog.js';
import { createTrialContainer } from './container.js';
import type { TaskKind } from './contracts/task-kind.js';
import type { ComponentEntry } from './entry.js';

const made = new WeakMap<ComponentEntry, TaskKind>();

/** @throws MtcpError `component` if no component of kind `task` has this name */
export function kindOf({ kind }: { readonly kind: string }): TaskKind {
  const entry = catalog.get('task', kind) as ComponentEntry;
  let known = made.get(entry);
  if (!known) made.set(entry, (known = createTrialContainer([]).create('task', { type: kind })));
  return known;
}
