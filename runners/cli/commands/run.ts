// mtcp run
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { MOST_THREADS, threadsHint } from '../../config/limits.js';
import { STATES, type TrialState } from '../../store/ledger/run-folder.js';
import {
  DATA,
  QUIET,
  RUNS,
  choiceOf,
  parseCount,
  engineOptions,
  experimentCommand,
  parseDevices,
  parseThreads,
  type EngineOptions,
  type RunsOptions,
} from '../flags.js';
import { narrator } from '../narrate.js';
import { Progress } from '../progress.js';
import { STOPPED, takeStopSignals } from '../signals.js';
import { timingsText } from '../timings.js';

export function declare(command: Command): void {
  engineOptions(experimentCommand(command))
    .description(
      'Trains every row that is not done yet, one after the other. Interrupted rows continue from their checkpoint; a row that fails does not stop the others. Several processes, on one machine or many, may run the same file in the same folder of runs: each takes rows that no other has. The table goes to stdout, progress to stderr. Ctrl-C saves a checkpoint and stops, a second one stops at once.',
    )
    .option(...RUNS)
    .option(...DATA)
    .option('--needed', 'train every trial that is not done, whatever its state; the default')
    .option('--only <states>', 'train only trials in these states: queued, failed, interrupted, stale')
    .option('--fresh', 'train everything again; existing folders are renamed, not deleted')
    .option(
      '--jobs <n>',
      'trials at once, each in its own process with its share of the threads; auto (the default): one for each core if the networks are small',
    )
    .option(
      '--processes <n>',
      'processes that share the steps of each trial, and its threads: each computes some of its micro-batches (train.accumulate)',
    )
    .option('--launcher <name>', 'where to train: local, or slurm for the jobs of a cluster')
    .option('--detach', 'with slurm: return as soon as the jobs are submitted')
    .option('--dry-run', 'with slurm: print the scripts of the jobs without submitting them')
    .option('--timings', 'print where the time went: phases of the run, and what its trials did')
    .option('--json', 'events as JSON, one object per line, the table last')
    .option(...QUIET)
    .addHelpText(
      'after',
      `
Examples:
  mtcp run experiments/table3.yaml
  mtcp run experiments/table3.yaml --row "MT-CP" --seeds 0,1,2 --jobs 2
  mtcp run my.yaml --profile full --engine onnx:cuda train.epochs=5
  mtcp run my.yaml train.accumulate=4 --processes 2      two micro-batches of each step in each process
  mtcp run my.yaml --launcher slurm --dry-run           the script of the job array
  mtcp run my.yaml --launcher slurm --detach            then mtcp status and mtcp cancel`,
    )
    .action(run);
}

interface Options extends RunsOptions, EngineOptions {
  data?: string;
  only?: string;
  needed?: boolean;
  fresh?: boolean;
  jobs?: string;
  processes?: string;
  launcher?: string;
  detach?: boolean;
  dryRun?: boolean;
  timings?: boolean;
  quiet?: boolean;
}

async function run(file: string, overrides: string[], options: Options): Promise<void> {
  const progress = new Progress(process.stderr, Boolean(options.quiet || options.json));
  const jobs = parseJobs(options.jobs);
  if (options.dryRun) return show(file, overrides, options);
  const { runExperiment } = await import('../../app/run.js');
  const narrate = narrator(progress, { parallel: jobs !== 1 });
  let inJobs = false;
  const stop = takeStopSignals((signal) =>
    process.stderr.write(
      `\n${signal}: ${inJobs ? 'not watching any longer' : 'stopping; a step under way is finished and saved first'}; again to stop at once\n`,
    ),
  );
  try {
    const outcome = await runExperiment(file, {
      ...(await runOptions(options, overrides)),
      fresh: options.fresh,
      jobs,
      detach: options.detach,
      page: true,
      stopRequested: stop.requested,
      observe(event) {
        inJobs ||= event.event === 'submitted' || event.event === 'jobs';
        if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`);
        else narrate(event);
      },
    });
    progress.clear();
    if (outcome.detached) {
      process.stderr.write(
        `jobs go on; the same command watches them, mtcp status ${file} shows them, mtcp cancel ${file} stops them\n`,
      );
      if (outcome.interrupted) process.exitCode = STOPPED;
      return;
    }
    if (options.timings && options.json)
      process.stdout.write(`${JSON.stringify({ event: 'timings', ...outcome.timings })}\n`);
    else if (options.timings) process.stderr.write(`${timingsText(outcome.timings)}\n`);
    if (options.json) process.stdout.write(`${JSON.stringify(outcome.report.json)}\n`);
    else process.stdout.write(`${outcome.report.text}\nruns and report: ${outcome.folder}\n`);
    if (isPart(options, overrides) && !options.json && !options.quiet)
      process.stderr.write(
        `its report is of the rows, seeds and values asked for; mtcp report ${file} --format html writes the page of the file as it is\n`,
      );
    for (const { row, seed, message } of outcome.failed)
      process.stderr.write(`\nfailed: ${row}, seed ${seed}\n${message}\n`);
    if (outcome.elsewhere.length > 0)
      process.stderr.write(
        `${outcome.elsewhere.length} of the trials run in other processes (mtcp status ${file})\n`,
      );
    if (outcome.interrupted || stop.requested()) {
      process.stderr.write('stopped; the same command goes on from here\n');
      process.exitCode = STOPPED;
    } else if (outcome.failed.length > 0 || outcome.missing.length > 0) process.exitCode = 1;
  } finally {
    stop.end();
  }
}

/** Whether other trials of the file may have been in the report before. */
const isPart = ({ row, seeds }: Options, overrides: string[]): boolean =>
  row !== undefined || seeds !== undefined || overrides.length > 0;

/** Options of `runExperiment` that also say what a dry run would do. */
const runOptions = async (options: Options, overrides: string[]) => ({
  ...choiceOf(options, overrides),
  runs: options.runs,
  data: options.data,
  engine: options.engine,
  threads: parseThreads(options.threads),
  processes: options.processes === undefined ? undefined : parseCount(options.processes, '--processes'),
  devices: parseDevices(options.devices),
  only: parseOnly(options),
  launcher: options.launcher,
  command: (await import('../../tracking/mlflow/invocation.js')).commandLine(),
});

/** --dry-run */
async function show(file: string, overrides: string[], options: Options): Promise<void> {
  const { planJobs } = await import('../../app/plan-jobs.js');
  const plan = await planJobs(file, await runOptions(options, overrides));
  if (options.json) {
    const scripts = plan?.scripts ?? [];
    process.stdout.write(`${JSON.stringify({ groups: plan?.record.groups ?? [], scripts }, null, 2)}\n`);
  } else if (plan)
    for (const { path, text, command } of plan.scripts)
      process.stdout.write(`# ==> ${path}\n# ==> ${command}\n${text}\n`);
  else process.stderr.write('nothing to hand in: every trial is done, under way, or has a job\n');
}

function parseJobs(text: string | undefined): number | 'auto' | undefined {
  if (text === 'auto' || text === undefined) return text;
  const jobs = Number(text);
  if (Number.isSafeInteger(jobs) && jobs > MOST_THREADS)
    throw new MtcpError('usage', `${jobs} processes at once are too many`, {
      where: `argument "--jobs ${text}"`,
      hint: threadsHint(),
    });
  if (Number.isSafeInteger(jobs) && jobs > 0) return jobs;
  throw new MtcpError('usage', `"${text}" is not a number of jobs`, {
    where: `argument "--jobs ${text}"`,
    hint: 'a whole number from 1, or auto: one for each core where the networks are small',
  });
}

/** --needed is what counts without --only: whatever is not done. */
function parseOnly({ only, needed, fresh }: Options): TrialState[] | undefined {
  const given = [only !== undefined && '--only', needed && '--needed', fresh && '--fresh'].filter(Boolean);
  if (given.length > 1)
    throw new MtcpError('usage', `${given.join(' and ')} exclude each other`, {
      where: `argument "${given[1]}"`,
    });
  return only?.split(',').map((name) => {
    const state = STATES.find((known) => known === name.trim());
    if (state && state !== 'done' && state !== 'running') return state;
    throw new MtcpError('usage', `"${name}" is not a state that a run can start from`, {
      where: `argument "--only ${only}"`,
      hint: didYouMean(
        name,
        STATES.filter((known) => known !== 'done' && known !== 'running'),
      ),
    });
  });
}
