// The options of loading an experiment file, and the result: the trials, and the sections of the file beside them.
import type { MtcpError } from '../../registry/errors.js';
import type { Provenance } from './provenance.js';
import type { SectionConfig } from './section.js';
import type { TrialSpec } from './trial.js';

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
