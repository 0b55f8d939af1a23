// The options of loading an experiment file, and the result: the trials, and the sections of the file beside them.
import type { MtcpError } from '../../registry/errors.js';
import type { Fitted } from './fit.js';
import type { Provenance } from './provenance.js';
import type { SearchRow, SearchSpec } from './search-space.js';
import type { SectionConfig } from './section.js';
import type { TrialSpec } from './trial.js';

export interface LoadOptions {
  /** Name of a profile; `embedded` if there is one and none is named. */
  profile?: string;
  /** `path=value`, applied last, to every chosen row; `seeds=[...]` replaces the file's seeds. */
  overrides?: readonly string[];
  /** Apply each override only to the rows where it fits, instead of refusing it if it does not fit all. */
  whereItFits?: boolean;
  /** Instead of the file's. */
  seeds?: readonly number[];
  /** Only these rows; the name of a row that a sweep varies stands for all its variants. */
  rows?: readonly string[];
  /** Folder of the data set: the value of the first path option that it reads. */
  data?: string;
  /** Threads of the engine, instead of the file's; not part of a trial's identity. */
  threads?: number;
  /** Folder of all runs, where a search keeps its proposals; `runs` if left out. */
  runs?: string;
  /** Folder of schemas; the package's own if left out. */
  schemas?: string;
}

/** An expectation of one number: all bounds that are given must hold for the mean over seeds. */
export interface Expectation {
  min?: number;
  max?: number;
  /** The expected number; `within` is the largest allowed difference. */
  value?: number;
  within?: number;
  /** A row whose number must be worse. */
  better_than?: string;
}

/** Numbers printed in a paper: row to `task.metric` (or `delta_m`) to number. */
export interface Printed {
  source: string;
  setting?: string;
  rows: Record<string, Record<string, number>>;
}

/** The noise of seeds, measured once. */
export interface Noise {
  /** The profile it was measured under; it says nothing about others. */
  profile: string;
  /** How it was measured. */
  source: string;
  /** `task.metric` to the sample standard deviation over seeds. */
  deviation: Record<string, number>;
}

/** Options of the LaTeX table. */
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
  /** p values below which a number has a star, two stars, ... */
  significance?: number[];
  /** The row that stars compare with; the first of the table if absent. */
  against?: string;
}

export interface ReportConfig {
  /** Task to the row that is its single-task baseline. */
  delta_m?: Record<string, string>;
  printed?: Printed;
  noise?: Noise;
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
  /** The `tracking` section; undefined if the file has none. */
  readonly tracking?: SectionConfig;
  /** The `launcher` section; undefined if the file has none. */
  readonly launcher?: SectionConfig;
  /** The requested trials: rows in the order of the file, and for each row its seeds. */
  readonly trials: readonly TrialSpec[];
  /** Things that are allowed but probably not intended. */
  readonly warnings: readonly MtcpError[];
  /** What is searched, and the rows proposed so far; undefined if the file has no search. */
  readonly search?: { readonly spec: SearchSpec; readonly rows: readonly SearchRow[] };
  /** What became of overrides that apply only where they fit. */
  readonly fitted: readonly Fitted[];
  /** These trials and all that they depend on, in an order in which they can be trained. */
  readonly needed: readonly TrialSpec[];
  /** The origins of a trial's values, the same for all seeds of a row. */
  provenance(trial: Pick<TrialSpec, 'row'>): Provenance;
}

export const DEFAULT_PROFILE = 'embedded';
