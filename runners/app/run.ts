// Runs an experiment in five phases: open, check, prepare data, work, conclude. Every trial that is wanted and not done
// yet is trained, in this process or in several. Then the table is written. A trial that fails does not stop the others,
// and a trial that was interrupted continues from its last checkpoint.
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Slot } from '../../registry/container.js';
import type { InvocationOutcome, RunTracker } from '../../registry/contracts/tracking.js';
import { MtcpError } from '../../registry/errors.js';
import { shareOf, type Experiment, type TrialSpec } from '../config/index.js';
import { takesDevice } from '../engine/index.js';
import { DataSources, storedConstant } from '../training/data-sources.js';
import { Interrupted } from '../training/interrupted.js';
import { openExperiment } from '../config/open.js';
import { isBatchLauncher, type Launcher } from '../../registry/contracts/launching.js';
import { createLauncher, launcherSlot, siteHere } from '../launching/index.js';
import { Jobs } from '../launching/jobs.js';
import { runInProcesses } from '../launching/local.js';
import { processesIn, processesOf, requireShared } from '../launching/processes.js';
import { runInJobs } from '../launching/submit.js';
import { writeWhole } from '../support/files.js';
import { requireOwn } from '../support/own.js';
import { Ledger, type LedgerTrial } from '../store/ledger/ledger.js';
import type { RowResult } from '../reporting/row-result.js';
import { rowsOf } from './report.js';
import { writeReport } from './write-report.js';
import { propose } from './search/propose.js';
import { requireObjective } from './search/objective.js';
import { keyOf, measure } from '../reporting/measure.js';
import { searchOf } from '../reporting/search.js';
import { primaryMetrics } from '../model/primary-metrics.js';
import { statusOf } from '../store/ledger/status.js';
import { track } from '../tracking/index.js';
import { checkTrials } from '../model/check.js';
import { inspect } from '../training/inspect.js';
import { checkGradients } from './check-gradients.js';
import { workThrough, type Failure, type Worked } from '../training/work.js';
import { ledgerOptions, type RunEvent, type RunOptions, type RunOutcome } from './run-options.js';
import { leftOver } from './left.js';
import { otherCodeNote } from './other-code.js';
import { setAside, setAsideIfDataChanged } from './set-aside.js';
import { Stopwatch } from './timings.js';

export async function runExperiment(file: string, options: RunOptions): Promise<RunOutcome> {
  const watch = new Stopwatch();
  const experiment = openExperiment(file, options);
  const tell = options.observe ?? (() => {});
  for (const warning of experiment.warnings) tell({ event: 'warning', message: warning.format() });
  const note = options.fresh ? undefined : otherCodeNote(options.runs, experiment.needed);
  if (note !== undefined) tell({ event: 'warning', message: note });
  for (const fitted of experiment.fitted) tell({ event: 'fitted', ...fitted });
  const tracking = track(experiment, options.runs, (message) => tell({ event: 'tracking', ...message }));
  let ended: InvocationOutcome = 'failed';
  try {
    const outcome = await runTrials(
      file,
      experiment,
      {
        ...options,
        observe(event) {
          if (event.event === 'trial' && event.state !== 'done') tracking.trial(resolve(event.folder));
          // Jobs write into the shared folder; this process is the one that shows it to others.
          if (event.event === 'job' && event.state !== 'queued') tracking.trial(resolve(event.folder), true);
          if ('seed' in event && event.event !== 'job') watch.see(event);
          tell(event);
        },
      },
      watch,
    );
    if (outcome.interrupted || outcome.detached) ended = 'interrupted';
    else if (outcome.failed.length === 0) ended = 'finished';
    return outcome;
  } finally {
    await endTracking(tracking, ended, options.stopRequested);
  }
}

/** Waits for the tracker; a request to stop ends the wait. */
async function endTracking(
  tracking: RunTracker,
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

/** A run in progress: the trials to train, and where their state is recorded. */
interface Run {
  readonly experiment: Experiment;
  readonly options: RunOptions;
  readonly slot: Slot;
  readonly launcher: Launcher;
  readonly jobs: Jobs;
  /** Processes that share each trial. */
  readonly processes: number;
  readonly ledger: Ledger;
  /** Entries that are not done, or all of them for a fresh start. */
  readonly wanted: readonly LedgerTrial[];
  /** Of the experiment's runs and report. */
  readonly folder: string;
  readonly sources: DataSources;
  readonly watch: Stopwatch;
  observe(event: RunEvent): void;
  stopRequested(): boolean;
}

type Ended = Worked & { detached?: boolean };

async function runTrials(
  file: string,
  experiment: Experiment,
  options: Observed,
  watch: Stopwatch,
): Promise<RunOutcome> {
  const failed: Failure[] = [];
  let rounds = 0;
  for (let round = await nextRound(file, experiment, options); ;) {
    const run = open(round, rounds++ > 0 ? { ...options, fresh: false } : options, watch);
    await check(run);
    watch.over('checking');
    const isReady = await prepareData(run);
    watch.over('preparing data');
    // Even if the work ends with an error, what was trained until then is reported.
    let broken: { error: unknown } | undefined;
    const ended: Ended = isReady
      ? await work(run).catch((error: unknown) => {
          broken = { error };
          return { failed: [], interrupted: false };
        })
      : { failed: [], interrupted: true };
    watch.over('training');
    failed.push(...ended.failed);
    const isOver = broken || ended.interrupted || ended.detached || options.only;
    const next = isOver ? round : await nextRound(file, round, options);
    if (next === round) {
      const outcome = await conclude(run, { ...ended, failed });
      if (broken) throw broken.error;
      return outcome;
    }
    round = next;
  }
}

/**
 * The experiment with further proposals of its search; the same if it has none, its budget is used up, or proposals
 * are left to be trained.
 */
async function nextRound(file: string, experiment: Experiment, options: Observed): Promise<Experiment> {
  const { search, trials } = experiment;
  if (!search) return experiment;
  const jobs = Jobs.of(options.runs, experiment.name);
  const ledger = new Ledger(options.runs, trials, ledgerOptions(options, jobs));
  const rows = rowsOf(ledger);
  if (options.only && rows.length > 0) return experiment;
  const proposed = new Set(search.rows.map(({ row }) => row));
  const open = ledger.entries.filter(
    ({ trial }, i) => proposed.has(trial.row) && !['done', 'failed'].includes(rows[i].state),
  );
  if (open.length > 0) return experiment;
  const primary = primaryMetrics(trials);
  requireObjective(search.spec, experiment, primary);
  const searched = statusOf(ledger).filter(({ row }) => proposed.has(row));
  const asked = options.jobs ?? 'auto';
  const made = await propose(experiment, options.runs, {
    result: searchOf(experiment, measure(experiment, rows, primary), primary)!,
    seconds: searched.reduce((sum, { seconds }) => sum + seconds, 0),
    atOnce: asked === 'auto' ? availableParallelism() : asked,
  });
  return made === 0 ? experiment : openExperiment(file, options);
}

type Observed = RunOptions & { observe(event: RunEvent): void };

/** 1. Finds the trials to train, from the experiment and its folder. */
function open(experiment: Experiment, options: Observed, watch: Stopwatch): Run {
  const { observe, runs, fresh, stopRequested = () => false } = options;
  const { name, title, profile, needed } = experiment;
  const slot = launcherSlot(experiment, { chosen: options.launcher, site: siteHere() });
  const launcher = createLauncher(slot);
  if (options.detach && !isBatchLauncher(launcher))
    throw new MtcpError('usage', `launcher "${slot.type}" submits no jobs to leave alone`, {
      where: 'argument "--detach"',
      hint: 'name a batch system, such as --launcher slurm; to train here in the background, add & to the command',
    });
  const jobs = Jobs.of(runs, name);
  const ledger = new Ledger(runs, needed, ledgerOptions(options, jobs));
  const states = ledger.entries.map((entry) => ({ entry, state: ledger.state(entry) }));
  const trials = states.map(({ entry, state }) => ({ ...about(entry.trial), state }));
  const primary = [...primaryMetrics(needed)].map(([task, info]) => keyOf(task, info));
  observe({ event: 'experiment', name, title, profile, primary, trials });
  const folder = join(runs, name);
  return {
    experiment,
    options,
    slot,
    launcher,
    jobs,
    processes: processesIn(options, launcher),
    ledger,
    wanted: states.flatMap(({ entry, state }) => (fresh || state !== 'done' ? entry : [])),
    folder,
    sources: new DataSources(folder, observe, { stopRequested }),
    watch,
    observe,
    stopRequested,
  };
}

/** 2. Checks all trials before the first one is trained. */
async function check({
  experiment,
  wanted,
  folder,
  options,
  launcher,
  processes,
  observe,
}: Run): Promise<void> {
  const trials = wanted.map(({ trial }) => trial);
  requireShared(trials, processes, { isLocal: !isBatchLauncher(launcher), flag: options.processes });
  await checkTrials(experiment, trials, (done, total) =>
    observe({ event: 'preparing', what: 'checking networks', done, total }),
  );
  await checkGradients(experiment, trials);
  requireWritable(folder, options.runs);
}

/**
 * 3. Prepares data, and sets aside what was trained on other data than today's.
 * @returns whether it was done: false if it was asked to stop
 */
async function prepareData(run: Run): Promise<boolean> {
  const { experiment, ledger, folder, sources, options, observe } = run;
  try {
    await sources.prepare(experiment.needed);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const warn = (message: string) => observe({ event: 'warning', message });
    sources.constant = storedConstant(folder, rowsOf(ledger), warn);
    return false;
  }
  for (const entry of ledger.entries) {
    if (options.fresh) setAside(ledger.state(entry), entry.folder, 'replaced');
    else setAsideIfDataChanged(ledger.state(entry), entry, sources.about(entry.trial).digest, observe);
    const { trial, index, folder } = entry;
    const of = ledger.entries.length;
    if (ledger.state(entry) === 'done')
      observe({ event: 'trial', ...about(trial), index, of, state: 'done', folder: folder.path });
  }
  return true;
}

/** 4. Trains: in jobs of a batch system, in several processes, or in this one. */
async function work(run: Run): Promise<Ended> {
  const { experiment, options, launcher, slot, jobs, processes, ledger, wanted, sources } = run;
  const { observe, stopRequested } = run;
  const { runs, only, detach, command = '' } = options;
  if (isBatchLauncher(launcher)) {
    const context = { experiment, ledger, runs, launcher, slot, jobs, only, command, observe };
    return runInJobs(context, { detach, stopRequested });
  }
  const asked = options.jobs ?? launcher.jobs;
  const atOnce =
    asked === 'auto' ? (processes > 1 ? 1 : await jobsFor(wanted.map(({ trial }) => trial))) : asked;
  const inProcesses = (count: number) =>
    runInProcesses({
      runs,
      experiment: experiment.name,
      trials: experiment.needed,
      only,
      attempts: ledger.attempts,
      tags: options.ledger?.tags,
      jobs: count,
      processes,
      observe,
      stopRequested,
    });
  if (atOnce > 1) return inProcesses(atOnce);
  const settings = processes > 1 ? shareOf(1, processes) : undefined;
  const worked = await workThrough({
    ledger,
    specOf: (trial) => trial,
    sources,
    settings,
    ...processesOf(settings),
    observe,
    stopRequested,
  });
  if (!worked.lost) return worked;
  const rest = await inProcesses(1);
  return { ...rest, failed: [...worked.failed, ...rest.failed] };
}

/** 5. The report, and the outcome of all trials. */
async function conclude(
  run: Run,
  { failed: reported, interrupted, detached = false }: Ended,
): Promise<RunOutcome> {
  const { experiment, ledger, sources, folder, options, observe } = run;
  // In the order of the file, not in the order of training.
  const asked = new Map(experiment.trials.map((trial, i) => [trial, i]));
  const order = ({ trial }: RowResult) => asked.get(trial) ?? asked.size;
  const rows = rowsOf(ledger).sort((a, b) => order(a) - order(b));
  // Another process may have finished a trial at which one failed.
  const isDone = (failure: Failure) =>
    rows.some(
      ({ trial, state }) => state === 'done' && trial.row === failure.row && trial.seed === failure.seed,
    );
  const failed = reported.filter(
    (failure, i, all) => !isDone(failure) && i === all.findIndex((other) => isSame(other, failure)),
  );
  const isOver = !interrupted && !detached;
  if (isOver) {
    failed.push(...blockedIn(ledger));
    // --only leaves the others out on purpose.
    if (!options.only) failed.push(...leftOver(run.wanted, ledger, failed));
  }
  const { report, missing } = await writeReport(experiment, rows, {
    folder,
    trials: experiment.needed,
    constant: sources.constant,
    page: Boolean(options.page) && isOver,
    warn: (message) => observe({ event: 'warning', message }),
  });
  run.watch.over('report');
  const elsewhere = rows.filter(({ state }) => state === 'running').map(({ trial }) => about(trial));
  const timings = run.watch.read();
  return { report, missing, folder, failed, interrupted, elsewhere, detached, timings };
}

/** Several processes may report the same failure. */
const isSame = (a: Failure, b: Failure): boolean =>
  a.row === b.row && a.seed === b.seed && a.message === b.message;

const blockedIn = (ledger: Ledger): Failure[] =>
  ledger.blocked().map(({ entry, by }) => {
    const reasons = by.map(({ trial, state }) => `"${trial.row}", seed ${trial.seed}, which is ${state}`);
    return { ...about(entry.trial), message: `it depends on row ${reasons.join(' and on ')}` };
  });

/** Bytes up to which a training process is small: its operators run on one thread each. */
const SMALL = 1e9;

/**
 * Small networks leave cores idle, so there is a process for each core; a large one uses all of them itself. A device has
 * one process.
 */
async function jobsFor(trials: readonly TrialSpec[]): Promise<number> {
  if (trials.length < 2 || trials.some(({ config }) => takesDevice(config.engine))) return 1;
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
