// The literature of an experiment: BibTeX entries of the components that its rows use. Entries of mtcp's own components are
// in modules/references.bib; a plugin brings its own in `cite`. A key stands for one entry only.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '../../../modules/index.js';
import { catalog } from '../../../registry/catalog.js';
import { KINDS, type ComponentEntry, type Kind } from '../../../registry/entry.js';
import { isPlainObject, type PropertySchema, type Slot } from '../../../registry/options.js';
import type { Experiment, TrialConfig } from '../../config/index.js';
import { bibtexOf, parseBibtex, type BibEntry } from '../../support/bibtex.js';

export const REFERENCES = fileURLToPath(new URL('../../../../modules/references.bib', import.meta.url));

/** A component that a configuration uses, or a part of mtcp that has literature: `scheme/lps`, `search/tpe`. */
export interface Used {
  name: string;
  entry?: ComponentEntry;
}

/** Entries of `name` in modules/references.bib, by name. */
let shipped: ReadonlyMap<string, readonly BibEntry[]> | undefined;

export function shippedReferences(): ReadonlyMap<string, readonly BibEntry[]> {
  if (shipped) return shipped;
  const found = new Map<string, BibEntry[]>();
  for (const { type, key, fields } of parseBibtex(readFileSync(REFERENCES, 'utf8'), REFERENCES)) {
    const { mtcp = '', ...rest } = fields;
    for (const name of mtcp.split(',').map((part) => part.trim()))
      found.set(name, [...(found.get(name) ?? []), { type, key, fields: rest }]);
  }
  return (shipped = found);
}

/** What an experiment cites, in the order in which it is first used. */
export class References {
  readonly #entries = new Map<string, BibEntry>();

  get entries(): readonly BibEntry[] {
    return [...this.#entries.values()];
  }

  /**
   * Keys of what a component is from.
   * @throws MtcpError `component` if a plugin's `cite` is not BibTeX
   */
  cite({ name, entry }: Used): string[] {
    const own = entry?.cite === undefined ? [] : parseBibtex(entry.cite, `${entry.file}, cite of ${name}`);
    const known = entry?.plugin === undefined ? (shippedReferences().get(name) ?? []) : [];
    return [...known, ...own].map((each) => this.#add(each));
  }

  /** Another entry under a key that is taken gets the next key: a, b, ... */
  #add(entry: BibEntry): string {
    for (let n = 0; ; n++) {
      const key = n === 0 ? entry.key : `${entry.key}${String.fromCharCode(96 + n)}`;
      const other = this.#entries.get(key);
      if (other === undefined) this.#entries.set(key, { ...entry, key });
      else if (JSON.stringify(other.fields) !== JSON.stringify(entry.fields)) continue;
      return key;
    }
  }
}

/** The components of a configuration, those inside of others after them; each once. */
export function usedIn({ model, tasks, ...config }: TrialConfig): Used[] {
  const slots: [Kind, Slot | null][] = [
    ['dataset', config.data],
    ['transform', config.augment],
    ['backbone', model.backbone],
    ['decoder', model.decoder],
    ['fusion', model.fusion],
    ['interaction', model.interaction],
    ['refinement', model.refinement],
    ...Object.values(tasks).flatMap(({ head, loss, metric }): [Kind, Slot][] => [
      ['head', head],
      ['loss', loss],
      ['metric', metric],
    ]),
    ...Object.values(config.auxiliary).map(({ loss }): [Kind, Slot] => ['auxiliary', loss]),
    ['scheme', config.scheme],
    ['optimizer', config.optimizer],
    ['schedule', config.schedule],
  ];
  const used = new Map(
    slots
      .flatMap(([kind, slot]) => (slot === null ? [] : componentsIn(kind, slot)))
      .map((each) => [each.name, each]),
  );
  return [...used.values(), { name: `engine/${config.engine.type}` }];
}

/** A component and those in its options. */
export function componentsIn(kind: Kind, slot: Slot): Used[] {
  const entry = catalog.get(kind, slot.type) as ComponentEntry;
  return [{ name: `${kind}/${slot.type}`, entry }, ...inside(entry.options, slot)];
}

function inside(schema: PropertySchema, value: unknown): Used[] {
  if (value === null || value === undefined) return [];
  if (schema.$ref !== undefined) {
    const kind = schema.$ref.split('/').at(-1)!;
    return Object.hasOwn(KINDS, kind) && isSlot(value) ? componentsIn(kind as Kind, value) : [];
  }
  if (schema.anyOf) return schema.anyOf.flatMap((each) => inside(each, value));
  if (Array.isArray(value)) return value.flatMap((each) => (schema.items ? inside(schema.items, each) : []));
  if (!isPlainObject(value)) return [];
  const { additionalProperties: others } = schema;
  return Object.entries(value).flatMap(([name, part]) => {
    const own = schema.properties?.[name] ?? (typeof others === 'object' ? others : undefined);
    return own ? inside(own, part) : [];
  });
}

const isSlot = (value: unknown): value is Slot => isPlainObject(value) && typeof value.type === 'string';

/** What of an experiment has literature besides its components. */
export const usedBeside = ({ search, report }: Experiment): Used[] => [
  ...(search ? [{ name: `search/${search.spec.type}` }] : []),
  ...(Object.keys(report.delta_m ?? {}).length > 0 ? [{ name: 'report/delta_m' }] : []),
];

/** The bibliography of an experiment as BibTeX; above it, what cites what. */
export function bibliography(experiment: Experiment): string {
  const references = new References();
  const users = new Map<string, string[]>();
  const all = [...experiment.needed.flatMap(({ config }) => usedIn(config)), ...usedBeside(experiment)];
  for (const used of new Map(all.map((each) => [each.name, each])).values())
    for (const key of references.cite(used)) users.set(key, [...(users.get(key) ?? []), used.name]);
  return references.entries
    .map((entry) => `% ${users.get(entry.key)!.join(', ')}\n${bibtexOf(entry)}`)
    .join('\n');
}
