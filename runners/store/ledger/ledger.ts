// The trials of an experiment in a folder of runs: the state of each, and which one to train next. Several processes
// may share the folder. Nothing is kept in memory that others need: each process claims a free trial through its
// lock. A trial that depends on others waits until they are done, in any process.
import type { TrialSpec } from '../../config/index.js';
import { MtcpError } from '../../../registry/errors.js';
import { Lease, type LeaseOptions, type Ownership } from './lease.js';
import { RunFolder, type TrialState } from './run-folder.js';

/** As much of a trial as names its folder and says what has to be done before it. */
export interface TrialRef extends Pick<TrialSpec, 'experiment' | 'row' | 'seed' | 'hash'> {
  readonly sources: Readonly<Record<string, TrialRef>>;
}

export interface LedgerTrial<T extends TrialRef = TrialSpec> {
  readonly trial: T;
  readonly folder: RunFolder;
  /** Place in the experiment, from 1. */
  readonly index: number;
}

/** A trial that this process works on, until it releases it. */
export interface Claim<T extends TrialRef = TrialSpec> extends LedgerTrial<T> {
  /** What had become of the trial before. */
  readonly before: TrialState;
  readonly lease: Lease;
  release(): void;
}

/** How often a trial had failed, and how many owners in a row had died over it, by the name of its folder. */
export type Attempts = Readonly<Record<string, { failures: number; deaths: number }>>;

export interface LedgerOptions extends LeaseOptions {
  /** Only trials in one of these states are claimed; by default all that are not done. */
  only?: readonly TrialState[];
  /** What had been tried before; what others tried and failed at since is not tried again. By default: until now. */
  attempts?: Attempts;
  /** Index of the trial that is claimed first; after the last one, claiming continues with trial 0. */
  from?: number;
}

export class Ledger<T extends TrialRef = TrialSpec> {
  readonly entries: readonly LedgerTrial<T>[];
  /** Trials whose folder cannot be worked on, and why; they are not claimed again, and do not stop the others. */
  readonly refused: { entry: LedgerTrial<T>; error: MtcpError }[] = [];
  /** Claimed by this process before: whatever became of them, it does not claim them again. */
  readonly #tried = new Set<LedgerTrial<T>>();
  /** Before this process began. Counts and not times, for clocks differ, and go back. */
  readonly attempts: Attempts;

  constructor(
    readonly runs: string,
    trials: readonly T[],
    readonly options: LedgerOptions = {},
  ) {
    this.entries = trials.map((trial, i) => ({ trial, folder: new RunFolder(runs, trial), index: i + 1 }));
    this.attempts = options.attempts ?? this.#attempted();
  }

  #attempted(): Attempts {
    const tried = this.entries.flatMap(({ folder }) => {
      const attempts = { failures: folder.failures(), deaths: folder.owner(this.options)?.deaths ?? 0 };
      return attempts.failures + attempts.deaths > 0 ? [[folder.name, attempts] as const] : [];
    });
    return Object.fromEntries(tried);
  }

  state({ folder }: LedgerTrial<T>): TrialState {
    return folder.state(this.options);
  }

  /**
   * The next trial that is wanted, not done, and not claimed by another process; undefined if there is none.
   * A folder that cannot be locked, or that holds what is not mtcp's to change, costs its trial: see `refused`.
   * @param skip leaves further trials to others
   */
  claim(skip: (entry: LedgerTrial<T>) => boolean = () => false): Claim<T> | undefined {
    const { from = 0 } = this.options;
    for (const entry of [...this.entries.slice(from), ...this.entries.slice(0, from)]) {
      if (this.#tried.has(entry) || skip(entry)) continue;
      const before = this.state(entry);
      if (!this.#wants(entry, before) || this.#missing(entry).length > 0) continue;
      const lease = this.#lease(entry);
      if (!(lease instanceof Lease)) continue;
      // Another process may have finished it between the look and the lock.
      if (entry.folder.result()) {
        lease.release();
        continue;
      }
      this.#tried.add(entry);
      return { ...entry, before, lease, release: () => lease.release() };
    }
    return undefined;
  }

  #lease(entry: LedgerTrial<T>): Lease | Ownership | undefined {
    try {
      entry.folder.requireOwn();
      return Lease.take(entry.folder.path, this.options);
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      this.#tried.add(entry);
      this.refused.push({ entry, error });
      return undefined;
    }
  }

  /** Where a trial lies that the entry's trial depends on. */
  folderOf(source: TrialRef): RunFolder {
    return new RunFolder(this.runs, source);
  }

  /** Whether there is a trial to do that is only waiting for others, which may still be done by someone. */
  awaits(skip: (entry: LedgerTrial<T>) => boolean = () => false): boolean {
    return this.entries.some((entry) => {
      if (this.#tried.has(entry) || skip(entry) || !this.#wants(entry, this.state(entry))) return false;
      const missing = this.#missing(entry);
      return missing.length > 0 && missing.every((source) => this.#mayCome(source, skip));
    });
  }

  /** Trials that cannot be trained: what they depend on is not done, and no process works on it. */
  blocked(): { entry: LedgerTrial<T>; by: { trial: TrialRef; state: TrialState }[] }[] {
    return this.entries.flatMap((entry) => {
      if (!this.#wants(entry, this.state(entry))) return [];
      const by = this.#missing(entry)
        .map((trial) => ({ trial, state: this.folderOf(trial).state(this.options) }))
        .filter(({ trial }) => !this.#isUnderWay(trial));
      return by.length > 0 ? [{ entry, by }] : [];
    });
  }

  /** What an entry's trial depends on and is not done. */
  #missing({ trial }: LedgerTrial<T>): TrialRef[] {
    return Object.values(trial.sources).filter((source) => this.folderOf(source).result() === undefined);
  }

  #isUnderWay(trial: TrialRef): boolean {
    return [trial, ...Object.values(trial.sources)].some(
      (each) => this.folderOf(each).state(this.options) === 'running',
    );
  }

  #mayCome(source: TrialRef, skip: (entry: LedgerTrial<T>) => boolean): boolean {
    const state = this.folderOf(source).state(this.options);
    if (state === 'running' || state === 'done') return true;
    const entry = this.entries.find(({ trial }) => isSame(trial, source));
    if (!entry || this.#tried.has(entry) || skip(entry) || !this.#wants(entry, state)) return false;
    return Object.values(entry.trial.sources).every((before) => this.#mayCome(before, skip));
  }

  #wants({ folder }: LedgerTrial<T>, state: TrialState): boolean {
    if (state === 'done' || state === 'running') return false;
    if (this.options.only && !this.options.only.includes(state)) return false;
    const before = this.attempts[folder.name] ?? { failures: 0, deaths: 0 };
    // What another process has just tried fails again.
    if (state === 'failed') return folder.failures() <= before.failures;
    if (state !== 'stale') return true;
    // A process may die of its machine, so another one takes over; of two that died the trial is the reason.
    const deaths = folder.owner(this.options)?.deaths ?? 0;
    return deaths <= before.deaths || deaths < MOST_DEATHS;
  }
}

/** Copies of a trial are the same trial. */
const isSame = (a: TrialRef, b: TrialRef): boolean =>
  a.row === b.row && a.seed === b.seed && a.hash === b.hash;

/** Processes that may die over a trial before this process leaves it alone. */
const MOST_DEATHS = 2;
