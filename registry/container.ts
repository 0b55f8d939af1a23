// The container of a trial. Each component is made in a child container of its own, which adds the
// component's options to what the whole trial shares: its tasks and the factory itself.
import 'reflect-metadata';
import { Container } from 'inversify';
import { catalog } from './catalog.js';
import { COMPONENTS, OPTIONS, TASKS, type Contracts, type Kind } from './component.js';
import type { Task } from './contracts/tasks.js';
import { withDefaults, type Slot } from './options.js';

export type { Slot };

/** Makes components from slots; what components that contain components ask for. */
export interface ComponentFactory {
  create<K extends Kind>(kind: K, slot: Slot): Contracts[K];
}

export function createTrialContainer(tasks: readonly Task[]): ComponentFactory {
  const trial = new Container();
  trial.bind(TASKS).toConstantValue(tasks);
  const factory: ComponentFactory = {
    create(kind, { type, ...given }) {
      const entry = catalog.get(kind, type);
      const container = new Container({ parent: trial });
      container.bind(OPTIONS).toConstantValue(withDefaults(entry.options, given));
      container.bind(entry.create).toSelf();
      return container.get(entry.create);
    },
  };
  trial.bind(COMPONENTS).toConstantValue(factory);
  return factory;
}
