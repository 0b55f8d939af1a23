// Arguments that are applied only to the rows where they fit (`--where-it-fits`). An argument fits a row if it adds no
// fault to it: a scheme's option fits rows that have this scheme. One that fits no row is applied to all of them, so that
// the usual fault says why.
import type { Combination } from './faults.js';
import type { YamlMap } from './nodes.js';

/** What became of an argument. */
export interface Fitted {
  /** As it was typed: `scheme.spread=7.5`. */
  readonly argument: string;
  /** Rows that it was applied to, and those that it does not fit. */
  readonly rows: readonly string[];
  readonly others: readonly string[];
}

/** The faults of a row with these arguments, each as a text that is equal for equal faults. */
type FaultsOf = (combination: Combination, overrides: readonly YamlMap[]) => readonly string[];

export interface Fitting {
  overridesOf(combination: Combination): readonly YamlMap[];
  readonly fitted: readonly Fitted[];
}

/** @param texts the arguments as they were typed, one for each layer */
export function fit(
  combinations: readonly Combination[],
  layers: readonly YamlMap[],
  texts: readonly string[],
  faultsOf: FaultsOf,
): Fitting {
  const key = ({ row, profile }: Combination) => JSON.stringify([row, profile]);
  const kept = new Map<string, YamlMap[]>(combinations.map((each) => [key(each), []]));
  const fitted = layers.map((layer, i): Fitted => {
    const fits = combinations.filter((combination) => {
      const before = kept.get(key(combination))!;
      const known = new Set(faultsOf(combination, before));
      return faultsOf(combination, [...before, layer]).every((fault) => known.has(fault));
    });
    const chosen = fits.length > 0 ? fits : combinations;
    for (const combination of chosen) kept.get(key(combination))!.push(layer);
    const rows = [...new Set(chosen.map(({ row }) => row))];
    const others = [...new Set(combinations.map(({ row }) => row))].filter((row) => !rows.includes(row));
    return { argument: texts[i], rows, others };
  });
  return { overridesOf: (combination) => kept.get(key(combination)) ?? [], fitted };
}

/** For people: which rows an argument changed. */
export function fittedText({ argument, rows, others }: Fitted): string {
  if (others.length === 0) return `${argument} fits every row`;
  return `${argument} changes ${listed(rows)}; it does not fit ${listed(others)}`;
}

const SHOWN = 6;

function listed(rows: readonly string[]): string {
  const names = rows.slice(0, SHOWN).map((row) => `"${row}"`);
  if (rows.length > SHOWN) names.push(`${rows.length - SHOWN} more`);
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names[0];
}
