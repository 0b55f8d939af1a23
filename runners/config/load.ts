// Loads an experiment file: its trials, or everything that is wrong with it. A file is examined first (examine.ts); what
// passed is expanded here into one TrialSpec for each row and seed.
import { resolve } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { codeOf } from './code.js';
import { compose, type Composition } from './compose.js';
import { withDataAt } from './data-folder.js';
import { withThreads } from './run-settings.js';
import { Faults, throwAll } from './faults.js';
import { child, text, toValue } from './nodes.js';
import { loadPlugins } from './plugins.js';
import { Provenance } from './provenance.js';
import { Schemas } from './schemas.js';
import { sectionOf } from './section.js';
import { referencesOf, withSources } from './sources.js';
import { trialHash, type Halving, type TrialSpec, type TrialConfig } from './trial.js';
import { renameReferences, renameReport, variantNames } from './variants.js';
import { draftOf, type Draft } from './validate.js';
import type { Plugin } from './load-plugin.js';
import { digestOf } from '../support/weights-source.js';
import { DEFAULT_PROFILE, type Experiment, type LoadOptions, type ReportConfig } from './experiment.js';
import { examine, isChosen, schemasIn, type Sound } from './examine.js';

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

/** The same, with warnings about things that are allowed but probably not intended. */
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

/** Removes duplicates: a fault in a fragment is found again through every file that extends it. */
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

function expand(
  file: string,
  { composition, drafts, schemas, plugins, warnings, fitted }: Sound,
  options: LoadOptions,
): Experiment {
  const { root } = composition;
  const name = text(root, 'name')!;
  const listed = child(root, 'seeds');
  const seeds = options.seeds ?? (listed ? (toValue(listed) as number[]) : [0]);
  const report = child(root, 'report');
  const byRow = new Map(drafts.map((draft) => [draft.row, draft]));
  const filledIn = ({ value, node }: Draft) => {
    const { value: config, paths } = schemas.completeTrial(value, node);
    return { config, paths };
  };
  const filled = memoized(filledIn);
  const plain = (draft: Draft) => {
    let faulty = false;
    const without = draftOf(composition, draft, [], schemas, () => (faulty = true));
    return faulty ? undefined : filledIn(without);
  };
  const names = variantNames(drafts, composition.sweep.paths.keys(), filled, plain);
  const nameOf = (row: string) => names.get(row) ?? row;
  const rowOf = new Map([...names].map(([row, name]) => [name, row]));
  const completed = memoized((row: string) => {
    const { config: written, paths } = filled(byRow.get(row)!);
    const reading = () => readingProfiles(file, schemas, options);
    const config = withDigest(
      withThreads(options.threads, withDataAt(options.data, written as TrialConfig, schemas, reading)),
    );
    return { config: deepFreeze(renameReferences(config, nameOf)), paths, written: config };
  });
  const ofSeed = (seed: number) => {
    const trialOf = memoized((row: string): TrialSpec => {
      const { config, paths, written } = completed(row);
      const references = referencesOf({ ...written });
      const sources = Object.fromEntries(
        references.map(({ path, row }) => [path.join('.'), trialOf(row)] as const),
      );
      const code = codeOf(config, plugins);
      const halving = halvingOf(composition.sweep, row, config);
      return deepFreeze({
        experiment: name,
        row: nameOf(row),
        seed,
        config,
        hash: trialHash(config, { seed, paths, code, sources, halving }),
        ...(halving && { halving }),
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
    report: report ? renameReport(toValue(report) as ReportConfig, nameOf) : {},
    tracking: sectionOf(root, 'tracking'),
    launcher: sectionOf(root, 'launcher'),
    trials,
    warnings,
    fitted,
    ...(composition.sweep.search && {
      search: {
        spec: { ...composition.sweep.search, row: nameOf(composition.sweep.search.row) },
        rows: composition.sweep.proposed.map((each) => ({ ...each, row: nameOf(each.row) })),
      },
    }),
    needed: withSources(trials),
    provenance: memoized(
      ({ row }) => new Provenance(byRow.get(rowOf.get(row) ?? row)!.node),
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

/** The rungs of a row that a successive-halving search made: epochs at which it may end early. */
function halvingOf(
  { search, proposed }: Composition['sweep'],
  row: string,
  { train }: TrialConfig,
): Halving | undefined {
  if (search?.type !== 'asha' || !proposed.some((each) => each.row === row)) return undefined;
  const rungs: number[] = [];
  for (let epoch = search.firstEpoch; epoch < train.epochs; epoch *= search.reduction) rungs.push(epoch);
  const { digest, reduction, objective } = search;
  return { search: digest, rungs, reduction, metric: objective === 'delta_m' ? 'all' : objective };
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

/** Undefined also for a damaged file: building the model (model/check.ts) says what is wrong with it, and where it is named. */
function digestIfReadable(path: string): string | undefined {
  try {
    return digestOf(path);
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
  }
}

/** A digest that no file has: weights that are not there yet or cannot be read, which a run refuses. */
const ABSENT = 'absent';

function withDigest(config: TrialConfig): TrialConfig {
  const { backbone, digest } = config.weights;
  if (backbone === null || digest !== null) return config;
  return { ...config, weights: { ...config.weights, digest: digestIfReadable(backbone) ?? ABSENT } };
}
