// An experiment file to its trials, or to everything that is wrong with it.
import { resolve } from 'node:path';
import { didYouMean } from '../../registry/support/near.js';
import { MtcpError } from '../../registry/errors.js';
import { withoutAliases } from './aliases.js';
import { typedSections } from './bare.js';
import { codeOf } from './code.js';
import { compose, markOfWhole, mergeTrial, type Composition } from './compose.js';
import { withDataAt } from './data-folder.js';
import { withThreads } from './run-settings.js';
import { unknownName } from './explain.js';
import { Faults, throwAll, type Combination } from './faults.js';
import { COMPOSED_NODES } from './budgets.js';
import { child, sizeOf, text, toValue, type YamlMap } from './nodes.js';
import { parseOverrides } from './overrides.js';
import { loadPlugins } from './plugins.js';
import { Provenance } from './provenance.js';
import { Schemas } from './schemas.js';
import { sectionOf, type SectionConfig } from './section.js';
import { referencesOf, validateReferences, withSources } from './sources.js';
import { trialHash, type TrialSpec, type TrialConfig } from './trial.js';
import type { Plugin } from './load-plugin.js';
import { digestOf } from '../support/weights-source.js';
import {
  validateLayers,
  validateOverrides,
  validateReport,
  validateRoot,
  validateTrials,
  validateVariables,
  type Draft,
} from './validate.js';
import { warnOfValuesWithoutEffect } from './without-effect.js';

export interface LoadOptions {
  /** Name of a profile; `embedded` if there is one and none is named. */
  profile?: string;
  /** `path=value`, applied last, to every chosen row; `seeds=[...]` replaces the file's seeds. */
  overrides?: readonly string[];
  /** Instead of the file's. */
  seeds?: readonly number[];
  /** Only these rows; the name of a row that a sweep varies stands for all that became of it. */
  rows?: readonly string[];
  /** Where the data set lies: the value of the first path option that it reads. */
  data?: string;
  /** Threads of the engine, instead of the file's; no part of a trial's identity. */
  threads?: number;
  /** Folder of schemas; the package's own if left out. */
  schemas?: string;
}

/** Of one number; all that is given has to hold. Bounds are compared with the mean over seeds. */
export interface Expectation {
  min?: number;
  max?: number;
  /** A number, and how far from it the result may be. */
  value?: number;
  within?: number;
  /** A row whose number has to be worse. */
  better_than?: string;
}

/** Numbers that a paper printed: row to `task.metric` (or `delta_m`) to number. */
export interface Printed {
  source: string;
  setting?: string;
  rows: Record<string, Record<string, number>>;
}

/** How the table looks in a paper. */
export interface LatexConfig {
  /** `task.metric`, `delta_m`, `parameters`, ... in this order. */
  columns?: string[];
  rows?: string[];
  caption?: string;
  label?: string;
  /** Decimals of metrics, by column. */
  digits?: Record<string, number>;
  best?: 'bold' | 'underline' | 'none';
  second?: 'bold' | 'underline' | 'none';
}

export interface ReportConfig {
  /** Task to the row that is its single-task baseline. */
  delta_m?: Record<string, string>;
  printed?: Printed;
  /** Added to the caption. */
  notes?: string[];
  latex?: LatexConfig;
  /** Row to `task.metric` (or `delta_m`) to what is expected. */
  expect?: Record<string, Record<string, Expectation>>;
}

export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  /** Absolute path. */
  readonly file: string;
  /** The profile that was applied; null if the experiment has none. */
  readonly profile: string | null;
  readonly report: ReportConfig;
  /** Where runs are shown; undefined if the file says nothing about it. */
  readonly tracking?: SectionConfig;
  /** Where trials are trained; undefined if the file says nothing about it. */
  readonly launcher?: SectionConfig;
  /** What was asked for: row by row in the order of the file, each row seed by seed. */
  readonly trials: readonly TrialSpec[];
  /** What is allowed and most likely not meant. */
  readonly warnings: readonly MtcpError[];
  /** The same with every trial that these depend on, in an order in which they can be trained. */
  readonly needed: readonly TrialSpec[];
  /** Who wrote the values of a trial; seeds of a row share it. */
  provenance(trial: Pick<TrialSpec, 'row'>): Provenance;
}

export const DEFAULT_PROFILE = 'embedded';

/** Loads, composes, validates and expands; throws an MtcpError, or an MtcpErrors with all faults. */
export function loadExperiment(file: string, options: LoadOptions = {}): Experiment {
  const { errors, ...examined } = examine(file, options, 'experiment');
  throwAll(errors);
  return expand(file, examined as Sound, options);
}

/**
 * All faults of all files; empty if they are good. Without `profile` every profile of each file is checked.
 * A file without a name is a fragment: checked by itself, without asking for what it leaves out.
 */
export function validateFiles(files: readonly string[], options: LoadOptions = {}): MtcpError[] {
  return checkFiles(files, options).errors;
}

/** The same with warnings: what is allowed and most likely not meant. */
export function checkFiles(
  files: readonly string[],
  options: LoadOptions = {},
): { errors: MtcpError[]; warnings: MtcpError[] } {
  const examined = files.map((file) => examine(file, options, 'any'));
  return {
    errors: eachOnce(examined.flatMap(({ errors }) => errors)),
    warnings: eachOnce(examined.flatMap(({ warnings }) => warnings)),
  };
}

/** A fault in a fragment is found again through every file that extends it. */
function eachOnce(faults: readonly MtcpError[]): MtcpError[] {
  const seen = new Set<string>();
  return faults.filter(({ where, message }) => {
    const fault = `${where} ${message}`;
    return !seen.has(fault) && seen.add(fault);
  });
}

/** The profiles that an experiment file can run under, null being none; empty for a fragment and for a faulty file. */
export function profilesOf(file: string, options: LoadOptions = {}): (string | null)[] {
  const { errors, composition } = examine(file, options, 'any');
  if (errors.length > 0 || child(composition!.root, 'name') === undefined) return [];
  const { profiles } = composition!;
  return [...(profiles.has(DEFAULT_PROFILE) ? [] : [null]), ...profiles.keys()];
}

/** Loads the plugins that a file and what it extends name: their components are in the catalog then. */
export function loadPluginsOf(file: string): readonly Plugin[] {
  const faults = new Faults();
  const composition = compose(file, faults.report);
  const plugins = composition && loadPlugins(composition.files, schemasIn(undefined, []), faults.report);
  throwAll(faults.errors([], composition?.sources ?? []));
  return plugins ?? [];
}

const loaded = new Map<string, Schemas>();

/** Compiled validators are kept for the life of the process. */
function schemasIn(folder: string | undefined, plugins: readonly Plugin[]): Schemas {
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
}

/** What there is of a file without errors. */
type Sound = Required<Omit<Examined, 'errors'>>;

function examine(file: string, options: LoadOptions, expected: 'experiment' | 'any'): Examined {
  const faults = new Faults();
  const forms = schemasIn(options.schemas, []).bareForms();
  const parsed = parseOverrides(options.overrides ?? [], faults.report);
  const overrides = {
    ...parsed,
    layers: parsed.layers.map((layer) => typedSections(withoutAliases(layer, faults.report), forms)),
  };
  const composition = compose(file, faults.report, overrides.root, forms);
  const plugins =
    composition && loadPlugins(composition.files, schemasIn(options.schemas, []), faults.report);
  if (!plugins)
    return { errors: faults.errors([], composition?.sources ?? []), warnings: faults.warnings(), drafts: [] };
  const schemas = schemasIn(options.schemas, plugins);
  validateLayers(composition, overrides.layers, schemas, faults.report);
  checkSeeds(options.seeds, faults);

  const { root } = composition;
  const fragment = expected === 'any' && child(root, 'name') === undefined;
  const asked = fragment ? [] : chosen(composition, options, expected, faults);
  const combinations = bounded(composition, asked, overrides.layers, faults);
  let drafts: Draft[] = [];
  if (!fragment) {
    validateRoot(composition, schemas, faults.report);
    if (child(root, 'name') === undefined)
      faults.report({
        mark: root.mark,
        message: 'missing "name"',
        hint: 'the folder of the runs is called by it; without one this file is a fragment for others to extend',
      });
    // Rows that were not asked for are checked as the file has them.
    const changed = (row: string) => (isChosen(row, composition, options) ? overrides.layers : []);
    drafts = validateTrials(composition, combinations, changed, schemas, faults);
    validateReferences(composition, drafts, faults);
    // Without a profile to look under there are no rows that a report could name.
    if (drafts.length > 0) validateReport(composition, drafts, faults.report);
    validateVariables(composition, overrides.layers, faults.report);
    const { origins } = composition.sweep;
    if (combinations.some(({ row }) => origins.has(row) && isChosen(row, composition, options)))
      validateOverrides(composition, overrides.layers, faults.report);
    const complete = expected === 'any' && options.profile === undefined;
    if (!faults.any) warnOfValuesWithoutEffect(composition, drafts, complete, faults);
  }
  return {
    errors: faults.errors(combinations, [...composition.sources, ...overrides.sources]),
    warnings: faults.warnings(),
    composition,
    plugins,
    schemas,
    drafts,
  };
}

/** The combinations, or none and a fault if looking at them would take too long. */
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

/** Whether `rows` of the options names this row, or the row that a sweep made it of. */
function isChosen(row: string, { sweep }: Composition, { rows }: LoadOptions): boolean {
  return rows === undefined || rows.includes(row) || rows.includes(sweep.origins.get(row) || row);
}

/** The rows and profiles to look at; faults if the options name others. */
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

function expand(
  file: string,
  { composition, drafts, schemas, plugins, warnings }: Sound,
  options: LoadOptions,
): Experiment {
  const { root } = composition;
  const name = text(root, 'name')!;
  const listed = child(root, 'seeds');
  const seeds = options.seeds ?? (listed ? (toValue(listed) as number[]) : [0]);
  const report = child(root, 'report');
  const byRow = new Map(drafts.map((draft) => [draft.row, draft]));
  const completed = memoized((row: string) => {
    const { node, value } = byRow.get(row)!;
    const { value: filled, paths } = schemas.completeTrial(value, node);
    const reading = () => readingProfiles(file, schemas, options);
    const config = withDigest(
      withThreads(options.threads, withDataAt(options.data, filled as TrialConfig, schemas, reading)),
    );
    return { config: deepFreeze(config), paths };
  });
  const ofSeed = (seed: number) => {
    const trialOf = memoized((row: string): TrialSpec => {
      const { config, paths } = completed(row);
      const references = referencesOf({ ...config });
      const sources = Object.fromEntries(
        references.map(({ path, row }) => [path.join('.'), trialOf(row)] as const),
      );
      const code = codeOf(config, plugins);
      return deepFreeze({
        experiment: name,
        row,
        seed,
        config,
        hash: trialHash(config, { seed, paths, code, sources }),
        code,
        sources,
        plugins: plugins.map((plugin) => plugin.file),
      });
    });
    return trialOf;
  };
  const bySeed = memoized(ofSeed);
  const trials = drafts
    .filter(({ row }) => isChosen(row, composition, options))
    .flatMap(({ row }) => seeds.map((seed) => bySeed(seed)(row)));
  return {
    name,
    title: text(root, 'title') ?? name,
    description: text(root, 'description'),
    file: resolve(file),
    profile: drafts[0].profile,
    report: report ? (toValue(report) as ReportConfig) : {},
    tracking: sectionOf(root, 'tracking'),
    launcher: sectionOf(root, 'launcher'),
    trials,
    warnings,
    needed: withSources(trials),
    provenance: memoized(
      ({ row }) => new Provenance(byRow.get(row)!.node),
      ({ row }) => row,
    ),
  };
}

/** Profiles under which all rows read data from a folder, and the data set that does. */
function readingProfiles(
  file: string,
  schemas: Schemas,
  options: LoadOptions,
): { name: string; type: string }[] {
  const others = { ...options, data: undefined, profile: undefined };
  return profilesOf(file, others).flatMap((name) => {
    if (name === null) return [];
    const types = loadExperiment(file, { ...others, profile: name }).trials.map(
      ({ config }) => config.data.type,
    );
    const reads = types.every((type) => schemas.readPath('dataset', type) !== undefined);
    return reads ? [{ name, type: types[0] }] : [];
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

function memoized<K, V>(make: (key: K) => V, nameOf: (key: K) => unknown = (key) => key): (key: K) => V {
  const made = new Map<unknown, V>();
  return (key) => {
    const name = nameOf(key);
    if (!made.has(name)) made.set(name, make(key));
    return made.get(name)!;
  };
}

/** A digest that no file has: weights that are not there yet, which a run refuses. */
const ABSENT = 'absent';

function withDigest(config: TrialConfig): TrialConfig {
  const { backbone, digest } = config.weights;
  if (backbone === null || digest !== null) return config;
  return { ...config, weights: { ...config.weights, digest: digestOf(backbone) ?? ABSENT } };
}
