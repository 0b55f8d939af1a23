// mtcp logs: prints the recorded events of trials.
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricValues } from '../../../registry/contracts/learning.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrialJob } from '../../launching/jobs.js';
import { tail } from '../../launching/submission.js';
import { duration, formatNumber } from '../../reporting/numbers.js';
import { readLog, type LoggedEvent } from '../../store/ledger/events.js';
import { RunFolder } from '../../store/ledger/run-folder.js';
import { rungText } from '../text.js';
import { RUNS, experimentCommand, choiceOf, type RunsOptions } from '../flags.js';

export function declare(command: Command): void {
  experimentCommand(command, 'experiment file, or the folder of a trial')
    .description(
      'Prints the recorded events of trials, and the last output of cluster jobs that ended early.',
    )
    .option(...RUNS)
    .option('-f, --follow', 'continue to show events until the trials end')
    .option('--json', 'the recorded events, one JSON object per line')
    .addHelpText(
      'after',
      `
Examples:
  mtcp logs experiments/table3.yaml --row "MT-CP" --follow
  mtcp logs runs/table3/mt-cp-s0-1a2b3c4d --json`,
    )
    .action(logs);
}

const POLL = 500;

async function logs(
  file: string,
  overrides: string[],
  options: RunsOptions & { follow?: boolean },
): Promise<void> {
  const { folders, jobs } = await logsOf(file, overrides, options);
  const several = folders.length > 1;
  const shown = folders.map(() => 0);
  const told = new Set<string>();
  for (;;) {
    const ended = folders.every((folder) =>
      ['done', 'failed', 'interrupted', 'stale'].includes(folder.state()),
    );
    for (const [i, { path, events }] of folders.entries()) {
      const { events: all, fault } = readLog(events);
      if (fault !== undefined && !told.has(fault)) {
        told.add(fault);
        process.stderr.write(`warning: ${fault}\n`);
      }
      // A resume makes events void: what was shown stays, and what is new comes after it.
      const from = Math.min(shown[i], all.length);
      const about = several ? `${path.split('/').at(-1)}  ` : '';
      for (const event of all.slice(from))
        process.stdout.write(options.json ? `${JSON.stringify(event)}\n` : `${about}${line(event)}\n`);
      shown[i] = all.length;
    }
    if (!options.follow || ended) break;
    await sleep(POLL);
  }
  if (!options.json) for (const job of jobs) process.stdout.write(await printed(job));
}

/** Lines of a job's output to show. */
const SHOWN = 40;

/** What a job printed last. */
async function printed(job: TrialJob): Promise<string> {
  const { endOf } = await import('../../launching/jobs.js');
  const lines = tail(job.log, SHOWN);
  if (lines.length === 0) return `\n${endOf(job)}; it printed nothing\n`;
  return `\n${endOf(job)}; ${job.log} ends with\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

interface Logs {
  folders: RunFolder[];
  /** Jobs that ended before their trial was done. */
  jobs: TrialJob[];
}

async function logsOf(file: string, overrides: string[], options: RunsOptions): Promise<Logs> {
  const { openExperiment } = await import('../../config/open.js');
  const { isLost, Jobs } = await import('../../launching/jobs.js');
  if (existsSync(join(file, 'events.jsonl'))) return { folders: [new RunFolder(file)], jobs: [] };
  const { runs } = options;
  const { name, trials } = openExperiment(file, { ...choiceOf(options, overrides), runs: options.runs });
  const folders = trials.map((trial) => new RunFolder(runs, trial));
  const known = Jobs.of(runs, name);
  if (known.any) await known.refresh();
  const jobs = new Map<string, TrialJob>();
  for (const [i, trial] of trials.entries()) {
    const job = known.job(trial);
    if (job?.phase !== 'ended' || known.fault !== undefined) continue;
    const state = folders[i].state({ probes: known.probes });
    if (state === 'failed' || isLost(state, job)) jobs.set(job.name, job);
  }
  if (jobs.size === 0 && !folders.some(({ events }) => existsSync(events)))
    throw new MtcpError('usage', 'none of its trials has been started', {
      where: file,
      hint: `looked in ${runs}; --runs names another folder, --profile another profile`,
    });
  return { folders, jobs: [...jobs.values()] };
}

function line(event: LoggedEvent): string {
  return `${event.time.slice(0, 19).replace('T', ' ')}  ${text(event)}`;
}

function text(event: LoggedEvent): string {
  const numbers = (values: MetricValues) =>
    Object.entries(values)
      .map(([key, value]) => `${key} ${value === null ? '-' : formatNumber(value)}`)
      .join(', ');
  switch (event.event) {
    case 'started':
      return `started: ${event.row}, seed ${event.seed}, on ${event.data.caption}`;
    case 'shared':
      return `steps are shared by ${event.processes.join(', ')}`;
    case 'class weights':
      return `classes of ${event.task} weigh ${event.weights.map(formatNumber).join(', ')}`;
    case 'pretrained':
      return `${event.tensors} tensors start from ${event.source}`;
    case 'resumed':
      return `goes on after step ${event.step} (epoch ${event.epoch})`;
    case 'compiled':
      return `compiled ${event.program}: ${event.nodes} nodes in ${duration(event.recordSeconds + event.sessionSeconds)}`;
    case 'model':
      return `${event.trained.toLocaleString('en-US')} parameters, ${event.stepsPerEpoch} steps an epoch`;
    case 'epoch':
      return `epoch ${event.epoch}: ${numbers(event.losses)}; objective ${formatNumber(event.objective)}; rate ${event.rate.toPrecision(3)}; ${duration(event.seconds)}`;
    case 'evaluated':
      return `evaluated epoch ${event.epoch}: ${numbers(wholeTasks(event.metrics))}; ${duration(event.seconds)}`;
    case 'judged':
      return `judged epoch ${event.epoch} on ${event.split} images: ${numbers(wholeTasks(event.metrics))}`;
    case 'rung':
      return rungText(event);
    case 'checkpoint':
      return `checkpoint ${event.path}`;
    case 'finished':
      return `done in ${duration(event.seconds)} of training`;
    case 'interrupted':
      return `stopped after step ${event.step} (epoch ${event.epoch})`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'failed':
      return `failed: ${event.message}`;
  }
}

/** Without the metrics of single classes, such as semseg.IoU.wall. */
const wholeTasks = (metrics: MetricValues): MetricValues =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => !/^[^.]+\.[^.]+\.[a-z]/.test(name)));
