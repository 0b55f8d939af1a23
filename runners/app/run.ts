// Runs an experiment: every trial that is wanted and not done yet, in this process or in several, and then the
// table. A trial that fails does not stop the others; a trial that was interrupted goes on where it was.
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { InvocationOutcome, TrackerMessage, TrackerSession } from '../../registry/contracts/tracking.js';
import { MtcpError } from '../../registry/errors.js';
import { withSources, type Experiment, type TrialSpec } from '../config/index.js';
import { DataSources, type DataEvent } from '../training/data-sources.js';
import { openExperiment, type OpenOptions } from '../config/open.js';
import { isBatchLauncher } from '../../registry/contracts/launching.js';
import { createLauncher, launcherSlot, siteHere } from '../launching/index.js';
import { Jobs } from '../launching/jobs.js';
import { runInProcesses } from '../launching/local.js';
import { planBatch, runInJobs, wantedIn, type BatchPlan, type JobEvent } from '../launching/submit.js';
import { writeWhole } from '../support/files.js';
import { requireOwn } from '../support/own.js';
import { Ledger, type LedgerOptions } from '../store/ledger/ledger.js';
import type { RunFolder, TrialState } from '../store/ledger/run-folder.js';
import type { RowResult } from '../reporting/measure.js';
import type { Report } from '../reporting/report.js';
import { rowsOf } from './report.js';
import { writeReport } from './write-report.js';
import { track } from '../tracking/index.js';
import { checkTrials } from '../model/check.js';
import { inspect } from '../training/inspect.js';
import { checkStart } from '../store/weights/start.js';
import { workThrough, type Failure, type WorkEvent, type Worked } from '../training/work.js';

export interface RunOptions extends OpenOptions {
  /** Folder of all runs. */
  runs: string;
  /** Only trials in one of these states; by default every trial that is not done. */
  only?: readonly TrialState[];
  /** Start every trial anew; what there was of it is set aside. */
  fresh?: boolean;
  /** Trials that run at once, each in a process of its own, with the machine's threads shared out. */
  jobs?: number | 'auto';
  /** Where trials are trained, such as `slurm`, instead of where the file and the site file say. */
  launcher?: string;
  /** Of a batch system: return when the jobs are handed in. */
  detach?: boolean;
  /** What was typed, for the records of jobs. */
  command?: string;
  /** Also write the report as a page, report.html. */
  page?: boolean;
  /** How ownership of trials is told and judged; see ledger/lease.ts. */
  ledger?: Omit<LedgerOptions, 'only'>;
  observe?(event: RunEvent): void;
  stopRequested?(): boolean;
}

export type RunEvent =
  | {
      event: 'experiment';
      name: string;
      title: string;
      profile: string | null;
      trials: { row: string; seed: number; state: TrialState }[];
    }
  | DataEvent
  | WorkEvent
  | JobEvent
  /** About the experiment file or the report: a trial's own warnings say which trial. */
  | { event: 'warning'; message: string }
  /** A tracker has something to say; see registry/contracts/tracking.ts. */
  | ({ event: 'tracking' } & TrackerMessage);

export interface RunOutcome extends Worked {
  report: Report;
  /** Parts of the report that could not be made; warnings say why. */
  missing: string[];
  /** Folder of the experiment's runs and report. */
  folder: string;
  /** Trials that other processes work on. */
  elsewhere: { row: string; seed: number }[];
  /** Whether jobs of a batch system go on with the rest. */
  detached: boolean;
}

export async function runExperiment(file: string, options: RunOptions): Promise<RunOutcome> {
  const experiment = openExperiment(file, options);
  const tell = options.observe ?? (() => {});
  for (const warning of experiment.warnings) tell({ event: 'warning', message: warning.format() });
  const tracking = track(experiment, options.runs, (message) => tell({ event: 'tracking', ...message }));
  let ended: InvocationOutcome = 'failed';
  try {
    const outcome = await runTrials(file, experiment, {
      ...options,
      observe(event) {
        if (event.event === 'trial' && event.state !== 'done') tracking.trial(resolve(event.folder));
        // Jobs write into the shared folder; this process is the one that shows it to others.
        if (event.event === 'job' && event.state !== 'queued') tracking.trial(resolve(event.folder), true);
        tell(event);
      },
    });
    if (outcome.interrupted || outcome.detached) ended = 'interrupted';
    else if (outcome.failed.length === 0) ended = 'finished';
    return outcome;
  } finally {
    await endTracking(tracking, ended, options.stopRequested);
  }
}

/** A wish to stop that comes while the tracker is waited for ends the wait. */
async function endTracking(
  tracking: TrackerSession,
  ended: InvocationOutcome,
  stopRequested: () => boolean = () => false,
): Promise<void> {
  const before = stopRequested();
  const leave = new AbortController();
  const poll = setInterval(() => {
    if (!before && stopRequested()) leave.abort();
  }, 100);
  try {
    await tracking.end(ended, leave.signal);
  } finally {
    clearInterval(poll);
  }
}

async function runTrials(
  file: string,
  experiment: Experiment,
  options: RunOptions & { observe(event: RunEvent): void },
): Promise<RunOutcome> {
  const { observe } = options;
  const stopRequested = options.stopRequested ?? (() => false);
  const { name, title, profile } = experiment;
  // Rows that others lean on run even if they were not asked for.
  const trials = withSources(experiment.trials);
  const slot = launcherSlot(experiment, { chosen: options.launcher, site: siteHere() });
  const launcher = createLauncher(slot);
  const jobsBefore = Jobs.of(options.runs, name);
  const ledger = new Ledger(options.runs, trials, ledgerOptions(options, jobsBefore));
  const folder = join(options.runs, name);
  observe({
    event: 'experiment',
    name,
    title,
    profile,
    trials: ledger.entries.map((entry) => ({ ...about(entry.trial), state: ledger.state(entry) })),
  });
  // Everything that can be wrong with a trial's components is wrong before the first one is trained.
  const wanted = ledger.entries.filter((entry) => options.fresh || ledger.state(entry) !== 'done');
  await checkTrials(
    wanted.map(({ trial }) => trial),
    (done, total) => observe({ event: 'preparing', what: 'checking networks', done, total }),
  );
  for (const trial of trials) checkStart(trial);
  requireWritable(folder, options.runs);

  const sources = new DataSources(folder, observe);
  await sources.prepare(trials);
  for (const entry of ledger.entries) {
    if (options.fresh) setAside(ledger.state(entry), entry.folder, 'replaced');
    else setAsideIfDataChanged(ledger.state(entry), entry.folder, sources.about(entry.trial).digest);
    if (ledger.state(entry) === 'done')
      observe({
        event: 'trial',
        ...about(entry.trial),
        index: entry.index,
        of: trials.length,
        state: 'done',
        folder: entry.folder.path,
      });
  }

  const work = async (): Promise<Worked & { detached?: boolean }> => {
    if (isBatchLauncher(launcher)) {
      const { only, command = '', runs, detach } = options;
      const context = { experiment, ledger, runs, launcher, slot, jobs: jobsBefore, only, command, observe };
      return runInJobs(context, { detach, stopRequested });
    }
    const asked = options.jobs ?? launcher.jobs;
    const jobs = asked === 'auto' ? await jobsFor(wanted.map(({ trial }) => trial)) : asked;
    return jobs > 1
      ? runInProcesses(file, { ...options, jobs, observe, stopRequested }, trials.length)
      : workThrough({ ledger, sources, observe, stopRequested });
  };
  // Whatever ends the work, what was trained until then is reported.
  let broken: { error: unknown } | undefined;
  const worked = await work().catch((error: unknown): Worked & { detached?: boolean } => {
    broken = { error };
    return { failed: [], interrupted: false };
  });
  // As the file has them, not as they ran.
  const asked = new Map(experiment.trials.map((trial, i) => [trial, i]));
  const place = ({ trial }: RowResult) => asked.get(trial) ?? asked.size;
  const rows = rowsOf(ledger).sort((a, b) => place(a) - place(b));
  // What one process died of another one may have finished.
  const finished = (failure: Failure) =>
    rows.some(
      ({ trial, state }) => state === 'done' && trial.row === failure.row && trial.seed === failure.seed,
    );
  const failed = worked.failed.filter(
    (failure, i, all) => !finished(failure) && i === all.findIndex((other) => isSame(other, failure)),
  );
  if (!worked.interrupted && !worked.detached) failed.push(...blockedIn(ledger));
  const { report, missing } = await writeReport(experiment, rows, {
    folder,
    trials,
    constant: sources.constant,
    page: Boolean(options.page) && !worked.interrupted && !worked.detached,
    warn: (message) => observe({ event: 'warning', message }),
  });
  if (broken) throw broken.error;
  const elsewhere = rows.filter(({ state }) => state === 'running').map(({ trial }) => about(trial));
  const { interrupted, detached = false } = worked;
  return { report, missing, folder, failed, interrupted, elsewhere, detached };
}

/** Several processes may have found the same. */
const isSame = (a: Failure, b: Failure): boolean =>
  a.row === b.row && a.seed === b.seed && a.message === b.message;

const blockedIn = (ledger: Ledger): Failure[] =>
  ledger.blocked().map(({ entry, by }) => {
    const reasons = by.map(({ trial, state }) => `"${trial.row}", seed ${trial.seed}, which is ${state}`);
    return { ...about(entry.trial), message: `it leans on row ${reasons.join(' and on ')}` };
  });

/**
 * The scripts that a run would hand to a batch system. Nothing is written and nothing is handed in.
 * @throws MtcpError `usage` if trials would be trained here
 */
export async function planJobs(file: string, options: RunOptions): Promise<BatchPlan | undefined> {
  const experiment = openExperiment(file, options);
  const slot = launcherSlot(experiment, { chosen: options.launcher, site: siteHere() });
  const launcher = createLauncher(slot);
  if (!isBatchLauncher(launcher))
    throw new MtcpError('usage', `launcher "${slot.type}" has no jobs to show`, {
      where: 'argument "--dry-run"',
      hint: 'name a batch system, such as --launcher slurm; mtcp plan shows what would be trained here',
    });
  const { runs, only, command = '' } = options;
  const jobs = Jobs.of(runs, experiment.name);
  const ledger = new Ledger(runs, withSources(experiment.trials), ledgerOptions(options, jobs));
  if (jobs.any) await jobs.refresh();
  const wanted = wantedIn({ ledger, jobs, only });
  if (wanted.length === 0) return undefined;
  return planBatch({ experiment, ledger, runs, launcher, slot, jobs, command, observe: () => {} }, wanted);
}

/** Owners of locks may be jobs, wherever this runs. */
const ledgerOptions = ({ ledger, only }: RunOptions, jobs: Jobs): LedgerOptions => ({
  ...ledger,
  probes: [...(ledger?.probes ?? []), ...jobs.probes],
  only,
});

/** Bytes up to which a training process is small: its operators run on one thread each. */
const SMALL = 1e9;

/** Small networks leave cores idle, so there is a process for each core; a large one uses all of them itself. */
async function jobsFor(trials: readonly TrialSpec[]): Promise<number> {
  if (trials.length < 2) return 1;
  const { memory } = await inspect(trials[0]);
  return memory < SMALL ? Math.min(availableParallelism(), trials.length) : 1;
}

/** Otherwise an hour of training could end with a folder that refuses its checkpoint. */
function requireWritable(folder: string, runs: string): void {
  requireOwn(folder, 'folder');
  const probe = join(folder, '.writable');
  try {
    writeWhole(probe, '');
    rmSync(probe);
  } catch (error) {
    if (!MtcpError.is(error, 'io')) throw error;
    throw new MtcpError('usage', `the folder ${error.message}`, {
      where: `argument "--runs ${runs}"`,
      hint: 'name another folder with --runs',
      cause: error,
    });
  }
}

const about = ({ row, seed }: TrialSpec) => ({ row, seed });

/** A trial that somebody works on stays where it is. */
function setAside(state: TrialState, folder: RunFolder, why: string): void {
  if (state === 'queued') return;
  if (state === 'running')
    throw new MtcpError('busy', 'another process works on this trial', {
      where: folder.path,
      hint: 'stop it first, or leave out --fresh',
    });
  folder.setAside(`${why}-${new Date().toISOString().replace(/[:.]/g, '')}`);
}

/** What was trained on other data than today's is not this trial. */
function setAsideIfDataChanged(state: TrialState, folder: RunFolder, digest: string): void {
  const old = folder.dataDigest();
  if (state !== 'running' && old !== undefined && old !== digest) folder.setAside(`data-${old}`);
}
