// Declares a component without decorators, for plain JavaScript and for those who prefer a function:
//
//   define({ kind: 'head', name: 'linear', summary: '...', options: {...}, create: ({ options }) => ({ forward() {...} }) })
import { component, components, options, tasks } from './component.js';
import type { ComponentMeta, Contracts, Kind } from './entry.js';
import type { ComponentFactory } from './container.js';
import type { Task } from './contracts/tasks.js';
import type { OptionsOf, OptionsSchema } from './options.js';

/** What a component is made from. */
export interface Given<O> {
  /** Validated, defaults filled in. */
  options: O;
  /** The tasks of the trial, in order. */
  tasks: readonly Task[];
  /** Makes components that are named inside options. */
  components: ComponentFactory;
}

export interface Definition<K extends Kind, S extends OptionsSchema> extends ComponentMeta<K> {
  options: S;
  create(given: Given<OptionsOf<S>>): Contracts[K];
}

/** Announces a component; the same as `@component` on a class. */
export function define<K extends Kind, const S extends OptionsSchema>({
  create,
  ...meta
}: Definition<K, S>): void {
  // Returning an object from a constructor makes that object the component.
  class Defined {
    constructor(
      @options() options: OptionsOf<S>,
      @tasks() tasks: readonly Task[],
      @components() components: ComponentFactory,
    ) {
      return create({ options, tasks, components }) as object;
    }
  }
  component(meta as ComponentMeta<K>)(Defined as never);
}
