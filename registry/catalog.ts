// The catalog holds every announced component. A lookup that fails names the nearest names.
import type { ComponentEntry, Kind } from './entry.js';
import { MtcpError } from './errors.js';
import { didYouMean } from './support/near.js';

export class Catalog {
  readonly #entries = new Map<string, ComponentEntry>();

  add(entry: ComponentEntry): void {
    const key = `${entry.kind}/${entry.name}`;
    const other = this.#entries.get(key);
    if (other)
      throw new MtcpError('component', `${entry.kind} "${entry.name}" is registered twice`, {
        where: entry.file,
        hint: `the other one is in ${other.file}; rename one of them`,
      });
    this.#entries.set(key, entry);
  }

  get<K extends Kind>(kind: K, name: string): ComponentEntry<K> {
    const entry = this.#entries.get(`${kind}/${name}`);
    if (!entry)
      throw new MtcpError('component', `unknown ${kind} "${name}"`, {
        hint: didYouMean(
          name,
          this.list(kind).map((known) => known.name),
        ),
      });
    return entry as unknown as ComponentEntry<K>;
  }

  /** Entries of a kind, or of all kinds, sorted by kind and name. */
  list(kind?: Kind): ComponentEntry[] {
    return [...this.#entries.values()]
      .filter((entry) => kind === undefined || entry.kind === kind)
      .sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
  }

  /** Removes an entry again: for tests and for plugins that are loaded again. */
  remove(kind: Kind, name: string): void {
    this.#entries.delete(`${kind}/${name}`);
  }
}

/** The one catalog of the process; importing modules/index.js fills it. */
export const catalog = new Catalog();
