// A component is one class in one file, announced with @component. The announcement carries everything a
// person or an editor wants to know (summary, source, the JSON Schema of its options), so `mtcp list`,
// `mtcp describe`, the editor schema and validation all read the same entry.
//
// The announcement names its file (`file: import.meta.url`), or the code that loads the file does
// (`announcedFrom`, for plugins).
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { inject, injectable, injectFromHierarchy } from 'inversify';
import { catalog } from './catalog.js';
import type { ComponentEntry, ComponentMeta, Constructor, Contracts, Kind } from './entry.js';
import { MtcpError } from './errors.js';
import { defineOptions, withoutDefaulted } from './options.js';

/**
 * Announces a class as a component.
 * @throws MtcpError `component` if the name is taken (both files are named), or if nothing says which file this is
 */
export function component<K extends Kind>(meta: ComponentMeta<K>) {
  const entry = {
    ...meta,
    options: withoutDefaulted(meta.options ?? defineOptions({})),
    file: fileOf(meta),
  };
  return <T extends Constructor<Contracts[K]>>(target: T): void => {
    // A class without a constructor of its own is handed what its base class asks for.
    if (!asking.has(target) && Object.getPrototypeOf(target) !== Function.prototype)
      injectFromHierarchy({ extendConstructorArguments: true, extendProperties: false })(target);
    injectable()(target);
    catalog.add({ ...entry, create: target } as ComponentEntry);
  };
}

/** The file being loaded, for announcements that do not name theirs. */
let loading: string | undefined;

/** Runs `load`; components that it announces without a `file` come from this one. */
export function announcedFrom<T>(file: string, load: () => T): T {
  const before = loading;
  loading = file;
  try {
    return load();
  } finally {
    loading = before;
  }
}

function fileOf({ kind, name, file = loading }: ComponentMeta): string {
  if (file === undefined)
    throw new MtcpError('component', `${kind} "${name}" does not say which file announces it`, {
      hint: 'add `file: import.meta.url` to what is announced',
    });
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

/** Injects the component's validated options, defaults filled in. */
export const options = (): ParameterDecorator => asked(OPTIONS);
/** Injects the tasks of the trial, in order: `readonly Task[]`. */
export const tasks = (): ParameterDecorator => asked(TASKS);
/** Injects the factory for components named inside options: `ComponentFactory`. */
export const components = (): ParameterDecorator => asked(COMPONENTS);

export const OPTIONS = Symbol.for('mtcp.options');
export const TASKS = Symbol.for('mtcp.tasks');
export const COMPONENTS = Symbol.for('mtcp.components');

/** Classes whose own constructor asks for something. */
const asking = new WeakSet<object>();

const asked =
  (what: symbol): ParameterDecorator =>
  (target, key, index) => {
    asking.add(target);
    inject(what)(target, key, index);
  };
