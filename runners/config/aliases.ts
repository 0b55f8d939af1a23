// Other names of options, for those who know them from elsewhere (`lr`, `learning_rate`). Configurations, hashes and
// messages use the option's own name. A file may use either name, but not both.
import type { ReportFault } from './faults.js';
import type { YamlEntry, YamlMap } from './nodes.js';

/** Section of a trial to the other names of its options. */
export const ALIASES: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  optimizer: new Map([
    ['learning_rate', 'rate'],
    ['lr', 'rate'],
  ]),
};

/** Keys of a path with the option's own name. */
export function unaliased(keys: readonly string[]): string[] {
  const [section, option, ...rest] = keys;
  const name = Object.hasOwn(ALIASES, section) ? ALIASES[section].get(option) : undefined;
  return name === undefined ? [...keys] : [section, name, ...rest];
}

/** An overlay on trial sections with every option under its own name. */
export function withoutAliases(map: YamlMap, report: ReportFault): YamlMap {
  const entries = new Map(map.entries);
  for (const [section, names] of Object.entries(ALIASES)) {
    const entry = entries.get(section);
    if (entry?.value.kind !== 'map') continue;
    const options = new Map<string, YamlEntry>();
    for (const [written, option] of entry.value.entries) {
      const name = names.get(written) ?? written;
      const first = options.get(name);
      if (first)
        report({
          mark: option.key,
          message: `${section}.${written} is written here under two names`,
          hint: `keep one of ${[name, ...[...names].flatMap(([other, of]) => (of === name ? [other] : []))].join(', ')}`,
        });
      else options.set(name, option);
    }
    entries.set(section, { ...entry, value: { ...entry.value, entries: options } });
  }
  return { ...map, entries };
}
