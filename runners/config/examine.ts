// Everything that can be found out about an experiment file without expanding it into trials: the files that it extends
// are composed, its plugins loaded, and each row is checked under each profile that was asked for. All faults are
// collected; none is thrown.
import { didYouMean } from '../../registry/support/near.js';
import { MtcpError } from '../../registry/errors.js';
import { withoutAliases } from './aliases.js';
import { typedSections } from './bare.js';
import { compose, markOfWhole, mergeTrial, type Composition } from './compose.js';
import { unknownName } from './explain.js';
import { Faults, type Combination } from './faults.js';
import { fit, type Fitted } from './fit.js';
import { COMPOSED_NODES } from './budgets.js';
import { child, sizeOf, text, type YamlMap } from './nodes.js';
import { parseOverrides } from './overrides.js';
import { loadPlugins } from './plugins.js';
import { readProposals, searchFolder } from './proposals.js';
import { Schemas } from './schemas.js';
import { cornersOf } from './search-space.js';
import { where } from './source-text.js';
import { validateReferences } from './sources.js';
import type { Plugin } from './load-plugin.js';
import {
  draftOf,
  validateLayers,
  validateOverrides,
  validateReport,
  validateRoot,
  validateTrials,
  validateVariables,
  type Draft,
} from './validate.js';
import { warnOfMistypedProfiles } from './mistyped-profiles.js';
import { warnOfValuesWithoutEffect } from './without-effect.js';
import { DEFAULT_PROFILE, type LoadOptions } from './experiment.js';

/** Folder of runs where none is named. */
export const RUNS = 'runs';

const loaded = new Map<string, Schemas>();

/** Compiled validators are kept for the life of the process. */
export function schemasIn(folder: string | undefined, plugins: readonly Plugin[]): Schemas {
  const key = [folder ?? '', ...plugins.map(({ file }) => file)].join('\n');
  let schemas = loaded.get(key);
  if (!schemas) {
    const added = plugins.flatMap(({ components }) => components);
    loaded.set(key, (schemas = new Schemas(folder, added)));
  }
  return schemas;
}

interface Examined {
  errors: MtcpError[];
  warnings: MtcpError[];
  composition?: Composition;
  plugins?: readonly Plugin[];
  schemas?: Schemas;
  drafts: Draft[];
  /** What became of arguments that apply only where they fit. */
  fitted: readonly Fitted[];
}

/** The result of examining a file without errors. */
export type Sound = Required<Omit<Examined, 'errors'>>;

export function examine(file: string, options: LoadOptions, expected: 'experiment' | 'any'): Examined {
  const faults = new Faults();
  const forms = schemasIn(options.schemas, []).bareForms();
  const parsed = parseOverrides(options.overrides ?? [], faults.report);
  const overrides = {
    ...parsed,
    layers: parsed.layers.map((layer) => typedSections(withoutAliases(layer, faults.report), forms)),
  };
  const composition = compose(file, faults.report, overrides.root, forms, (name) => ({
    context: { profile: options.profile ?? null, overrides: [...overrides.texts].sort() },
    proposals: (spec) =>
      expected === 'any' || name === undefined
        ? cornersOf(spec).map((point, i) => ({ index: i + 1, point }))
        : readProposals(searchFolder(options.runs ?? RUNS, name, spec), spec),
  }));
  const plugins =
    composition && loadPlugins(composition.files, schemasIn(options.schemas, []), faults.report);
  if (!plugins)
    return {
      errors: faults.errors([], composition?.sources ?? []),
      warnings: faults.warnings(),
      drafts: [],
      fitted: [],
    };
  const schemas = schemasIn(options.schemas, plugins);
  validateLayers(composition, overrides.layers, schemas, faults.report);
  checkSeeds(options.seeds, faults);

  const { root } = composition;
  const fragment = expected === 'any' && child(root, 'name') === undefined;
  const asked = fragment ? [] : chosen(composition, options, expected, faults);
  const combinations = bounded(composition, asked, overrides.layers, faults);
  let drafts: Draft[] = [];
  let fitted: readonly Fitted[] = [];
  if (!fragment) {
    validateRoot(composition, schemas, faults.report);
    if (child(root, 'name') === undefined)
      faults.report({
        mark: root.mark,
        message: 'missing "name"',
        hint: 'the folder of the runs has this name; a file without a name is a fragment that other files extend',
      });
    // Rows that were not asked for are checked as the file has them.
    const changed = combinations.filter(({ row }) => isChosen(row, composition, options));
    let overridesOf = (combination: Combination): readonly YamlMap[] =>
      changed.includes(combination) ? overrides.layers : [];
    if (options.whereItFits) {
      const faultsOf = (combination: Combination, layers: readonly YamlMap[]): string[] => {
        const found: string[] = [];
        draftOf(composition, combination, layers, schemas, ({ mark, message }) =>
          found.push(`${where(mark)} ${message}`),
        );
        return found;
      };
      ({ overridesOf, fitted } = fit(changed, overrides.layers, overrides.texts, faultsOf));
    }
    drafts = validateTrials(composition, combinations, overridesOf, schemas, faults);
    validateReferences(composition, drafts, faults);
    // Without a profile to look under there are no rows that a report could name.
    if (drafts.length > 0) validateReport(composition, drafts, faults.report);
    validateVariables(composition, overrides.layers, faults.report);
    const { origins } = composition.sweep;
    if (combinations.some(({ row }) => origins.has(row) && isChosen(row, composition, options)))
      validateOverrides(composition, overrides.layers, faults.report);
    const complete = expected === 'any' && options.profile === undefined;
    if (!faults.any) {
      warnOfValuesWithoutEffect(composition, drafts, complete, faults);
      warnOfMistypedProfiles(composition, faults);
    }
  }
  return {
    errors: faults.errors(combinations, [...composition.sources, ...overrides.sources]),
    warnings: faults.warnings(),
    composition,
    plugins,
    schemas,
    drafts,
    fitted,
  };
}

/** The combinations, or none and a fault if checking them would take too long. */
function bounded(
  composition: Composition,
  combinations: readonly Combination[],
  overrides: readonly YamlMap[],
  faults: Faults,
): readonly Combination[] {
  if (combinations.length === 0) return [];
  const one = sizeOf(mergeTrial(composition, combinations[0], overrides));
  if (combinations.length * one <= COMPOSED_NODES) return combinations;
  const { root, sweep, rows } = composition;
  const profiles = new Set(combinations.map(({ profile }) => profile)).size;
  faults.report({
    mark: child(root, 'sweep')?.mark ?? root.mark,
    message: `${rows.size} rows under ${profiles} profile${profiles === 1 ? '' : 's'} are too many for one experiment`,
    hint: `of this size it may have ${Math.floor(COMPOSED_NODES / one)} of them${sweep.origins.size > 0 ? '; sweep fewer values' : ''}`,
  });
  return [];
}

/** Whether the option `rows` names this row, or the row of which a sweep made it. */
export function isChosen(row: string, { sweep }: Composition, { rows }: LoadOptions): boolean {
  return rows === undefined || rows.includes(row) || rows.includes(sweep.origins.get(row) || row);
}

/** The rows and profiles to check; reports a fault if the options name unknown ones. */
function chosen(
  { root, rows, profiles, sweep }: Composition,
  options: LoadOptions,
  expected: 'experiment' | 'any',
  faults: Faults,
): Combination[] {
  const names = rows.size > 0 ? [...rows.keys()] : [text(root, 'name') ?? 'default'];
  const origins = [...sweep.origins.values()];
  for (const row of options.rows ?? [])
    if (!names.includes(row) && !origins.includes(row))
      faults.report({ mark: markOfWhole(`argument "--row ${row}"`), ...unknownName('row', row, names) });
  const { profile } = options;
  if (profile !== undefined && !profiles.has(profile)) {
    const hint = didYouMean(profile, profiles.keys());
    faults.report({
      mark: markOfWhole(`argument "--profile ${profile}"`),
      message: `unknown profile "${profile}"`,
      hint,
    });
    return [];
  }
  const standard = profiles.has(DEFAULT_PROFILE) ? [] : [null];
  const looked =
    profile !== undefined
      ? [profile]
      : expected === 'any'
        ? [...standard, ...profiles.keys()]
        : [profiles.has(DEFAULT_PROFILE) ? DEFAULT_PROFILE : null];
  return looked.flatMap((profile) => names.map((row) => ({ row, profile })));
}

function checkSeeds(seeds: readonly number[] | undefined, faults: Faults): void {
  const fail = (message: string) =>
    faults.report({
      mark: markOfWhole(`argument "--seeds ${(seeds ?? []).join(',')}"`),
      message,
      hint: 'write whole numbers from 0, each once, such as 0,1,2',
    });
  if (seeds === undefined) return;
  if (seeds.length === 0) fail('there is no seed');
  const bad = seeds.find((seed) => !Number.isSafeInteger(seed) || seed < 0);
  if (bad !== undefined) fail(`${bad} is not a seed`);
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) fail(`${twice} is listed twice`);
}
