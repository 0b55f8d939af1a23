// mtcp run
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { STATES, type TrialState } from '../store/ledger/run-folder.js';
import { MOST_THREADS, threadsHint } from '../config/limits.js';
import { runExperiment } from '../app/run.js';
import { planJobs } from '../app/plan-jobs.js';
import { commandLine } from '../tracking/mlflow/invocation.js';
import { choiceOf, parseThreads, type EngineOptions, type RunsOptions } from './flags.js';
import { narrator } from './narrate.js';
import { Progress } from './progress.js';
import { STOPPED, takeStopSignals } from './signals.js';

interface Options extends RunsOptions, EngineOptions {
  data?: string;
  only?: string;
  needed?: boolean;
  fresh?: boolean;
  jobs?: string;
  launcher?: string;
  detach?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
}

export async function run(file: string, overrides: string[], options: Options): Promise<void> {
  const progress = new Progress(process.stderr, Boolean(options.quiet || options.json));
  const jobs = parseJobs(options.jobs);
  if (options.dryRun) return show(file, overrides, options);
  const narrate = narrator(progress, { parallel: jobs !== 1 });
  let inJobs = false;
  const stop = takeStopSignals((signal) =>
    process.stderr.write(
      `\n${signal}: ${inJobs ? 'not watching any longer' : 'stopping; a step under way is finished and saved first'}; again to stop at once\n`,
    ),
  );
  try {
    const outcome = await runExperiment(file, {
      ...runOptions(options, overrides),
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
    if (options.json) process.stdout.write(`${JSON.stringify(outcome.report.json)}\n`);
    else process.stdout.write(`${outcome.report.text}\nruns and report: ${outcome.folder}\n`);
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

/** Options of `runExperiment` that also say what a dry run would do. */
const runOptions = (options: Options, overrides: string[]) => ({
  ...choiceOf(options, overrides),
  runs: options.runs,
  data: options.data,
  engine: options.engine,
  threads: parseThreads(options.threads),
  only: parseOnly(options),
  launcher: options.launcher,
  command: commandLine(),
});

/** --dry-run */
async function show(file: string, overrides: string[], options: Options): Promise<void> {
  const plan = await planJobs(file, runOptions(options, overrides));
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
