// Slots without a type: `scheme: {weights: ..., gradients: ...}` is recognised by its options alone. The type is
// added to the overlay before merging, so that merging and validation need no special case. Components declare
// whether this is possible for them; the declaration is in the schemas.
import { withoutAliases } from './aliases.js';
import type { ReportFault } from './faults.js';
import { child, type YamlEntry, type YamlMap } from './nodes.js';

export interface BareForm {
  /** Of a trial. */
  section: string;
  /** The component that is meant. */
  type: string;
  /** The options that tell it: all of them are there. */
  options: readonly string[];
}

/** The root map of a file with the types written out, in its trial sections, rows and profiles. */
export function typedFile(root: YamlMap, forms: readonly BareForm[], report: ReportFault): YamlMap {
  const typed = (map: YamlMap): YamlMap => typedSections(withoutAliases(map, report), forms);
  const inside = (map: YamlMap, sections: readonly string[]): YamlMap => {
    const entries = new Map(map.entries);
    for (const section of sections) {
      const entry = entries.get(section);
      if (entry?.value.kind !== 'map') continue;
      const overlays = new Map(
        [...entry.value.entries].map(([name, each]): [string, YamlEntry] => [
          name,
          each.value.kind === 'map' ? { ...each, value: typed(each.value) } : each,
        ]),
      );
      entries.set(section, { ...entry, value: { ...entry.value, entries: overlays } });
    }
    return { ...map, entries };
  };
  const file = inside(typed(root), ['rows', 'profiles']);
  const sweep = file.entries.get('sweep');
  if (sweep?.value.kind !== 'map') return file;
  const entries = new Map(file.entries).set('sweep', { ...sweep, value: inside(sweep.value, ['cases']) });
  return { ...file, entries };
}

/** An overlay on trial sections with the types written out. */
export function typedSections(map: YamlMap, forms: readonly BareForm[]): YamlMap {
  const entries = new Map(map.entries);
  for (const { section, type, options } of forms) {
    const entry = entries.get(section);
    const slot = entry?.value;
    if (slot?.kind !== 'map' || slot.entries.has('type')) continue;
    if (!options.every((option) => child(slot, option)?.kind === 'map')) continue;
    const told: YamlEntry = { key: slot.mark, value: { kind: 'scalar', value: type, mark: slot.mark } };
    entries.set(section, {
      ...entry!,
      value: { ...slot, entries: new Map([['type', told], ...slot.entries]) },
    });
  }
  return { ...map, entries };
}
