// The container of a trial. The components of each kind are a module of their own, in which every class is bound by
// its name. A component is made in a child container, which adds the component's options to what the whole trial
// shares: its tasks and the factory itself.
//
// Parameters and random numbers are not injected. Components are functions of (scope, input) without state, and the
// scope has both: see contracts/scope.ts.
import 'reflect-metadata';
import { Container, ContainerModule, type ServiceIdentifier } from 'inversify';
import { catalog } from './catalog.js';
import { COMPONENTS, OPTIONS, TASKS } from './component.js';
import type { Contracts, Kind } from './entry.js';
import type { Task } from './contracts/tasks.js';
import { requireMembers } from './members.js';
import { withDefaults, type Slot } from './options.js';

export type { Slot };

/** Makes components from slots; what components that contain components ask for. */
export interface ComponentFactory {
  create<K extends Kind>(kind: K, slot: Slot): Contracts[K];
}

/** Of all components of a kind. */
const serviceOf = <K extends Kind>(kind: K): ServiceIdentifier<Contracts[K]> => Symbol.for(`mtcp.${kind}`);

/** The components of a kind, each under its name. */
const moduleOf = (kind: Kind): ContainerModule =>
  new ContainerModule(({ bind }) => {
    for (const { name, create } of catalog.list(kind)) bind(serviceOf(kind)).to(create).whenNamed(name);
  });

export function createTrialContainer(tasks: readonly Task[]): ComponentFactory {
  const trial = new Container();
  const modules = new Map<Kind, ContainerModule>();
  trial.bind(TASKS).toConstantValue(tasks);
  const factory: ComponentFactory = {
    create(kind, { type, ...given }) {
      const entry = catalog.get(kind, type);
      const service = serviceOf(kind);
      if (!trial.isBound(service, { name: type })) loadKind(kind);
      const container = new Container({ parent: trial });
      container.bind(OPTIONS).toConstantValue(withDefaults(entry.options, given));
      const made = container.get(service, { name: type });
      requireMembers(kind, type, made);
      return made;
    },
  };
  trial.bind(COMPONENTS).toConstantValue(factory);
  return factory;

  /** Also once more, when a plugin has brought others. */
  function loadKind(kind: Kind): void {
    const before = modules.get(kind);
    if (before) trial.unload(before);
    const module = moduleOf(kind);
    trial.load(module);
    modules.set(kind, module);
  }
}
