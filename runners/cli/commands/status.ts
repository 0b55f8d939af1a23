// mtcp status: the state of each trial of an experiment.
import type { Command } from 'commander';
import type { Jobs } from '../../launching/jobs.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../../config/index.js';
import type { JobStatus } from '../../launching/status.js';
import { duration, formatNumber } from '../../reporting/numbers.js';
import { textTable, type Column } from '../../reporting/table.js';
import { Ledger } from '../../store/ledger/ledger.js';
import { STATES } from '../../store/ledger/run-folder.js';
import { JSON_DOCUMENT, RUNS, experimentCommand, choiceOf, type RunsOptions } from '../flags.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .description(
      'Shows each trial: queued, running (and where), done, failed (and why), interrupted (stopped after a checkpoint) or stale (its process died); and the state of its job on a cluster, if there is one.',
    )
    .option(...RUNS)
    .option('-w, --watch', 'repeat until no trial is running and no job waits')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp status experiments/table3.yaml
  mtcp status experiments/table3.yaml --profile full --watch`,
    )
    .action(status);
}

interface Options extends RunsOptions {
  watch?: boolean;
}

/** Milliseconds between two looks of --watch, and how many times longer than a look itself. */
const POLL = 2000;
const RARER = 20;

async function status(
  file: string,
  overrides: string[],
  { runs, json, watch, ...choice }: Options,
): Promise<void> {
  const { openExperiment } = await import('../../config/open.js');
  const { Jobs } = await import('../../launching/jobs.js');
  const { jobStatusOf, noteOn } = await import('../../launching/status.js');
  const experiment = openExperiment(file, { ...choiceOf(choice, overrides), runs });
  const { name, trials } = experiment;
  const { otherCodeNote } = await import('../../app/other-code.js');
  const note = json ? undefined : otherCodeNote(runs, trials);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  let shown = '';
  for (;;) {
    const began = performance.now();
    const jobs = Jobs.of(runs, name);
    if (jobs.any) await jobs.refresh();
    const all = jobStatusOf(new Ledger(runs, trials, { probes: jobs.probes }), jobs);
    const text = json ? asJson(experiment, all, watch) : asTable(experiment, all, jobs, noteOn, watch);
    if (watch && process.stdout.isTTY && !json) process.stdout.write(`\u001b[2J\u001b[H${text}`);
    else if (text !== shown) process.stdout.write(text);
    shown = text;
    if (!watch || !all.some(isUnderWay)) return;
    await sleep(Math.max(POLL, RARER * (performance.now() - began)));
  }
}

const isUnderWay = ({ state, job }: JobStatus): boolean =>
  state === 'running' || (state !== 'done' && job !== null && job.phase !== 'ended');

function countsOf(trials: readonly JobStatus[]): Record<string, number> {
  const counts = STATES.map((state) => [state, trials.filter((trial) => trial.state === state).length]);
  return Object.fromEntries(counts.filter(([, count]) => Number(count) > 0)) as Record<string, number>;
}

function asJson({ name, profile }: Experiment, trials: readonly JobStatus[], watch = false): string {
  const document = { experiment: name, profile, counts: countsOf(trials), trials };
  return `${JSON.stringify(document, null, watch ? 0 : 2)}\n`;
}

function asTable(
  { title, profile }: Experiment,
  trials: readonly JobStatus[],
  jobs: Jobs,
  noteOn: (trial: JobStatus) => string,
  watch = false,
): string {
  const summary = Object.entries(countsOf(trials)).map(([state, count]) => `${count} ${state}`);
  const lost = trials.filter((trial) => trial.lost).length;
  if (lost > 0) summary.push(`${lost} without a job (mtcp run --only failed hands them in again)`);
  const right = (title: string): Column => ({ title, align: 'right' });
  const columns = [
    { title: 'row' },
    right('seed'),
    { title: 'state' },
    right('epoch'),
    right('objective'),
    right('training'),
    right('left'),
    { title: 'last sign' },
    { title: '' },
  ];
  // On a screen that is too small for all of them, those that are under way are worth looking at.
  const room = watch ? (process.stdout.rows ?? Infinity) - 6 : Infinity;
  const seen = trials.length <= room ? trials : trials.filter(isUnderWay).slice(0, room);
  return [
    `${title}${profile ? `, profile ${profile}` : ''}: ${summary.join(', ')}`,
    ...(jobs.fault === undefined ? [] : [`jobs are not known: ${jobs.fault}`]),
    '',
    ...(seen.length > 0
      ? [
          textTable(
            columns,
            seen.map((trial) => cells(trial, noteOn(trial))),
          ),
        ]
      : []),
    ...(seen.length < trials.length ? [`and ${trials.length - seen.length} more`] : []),
    ...trials.flatMap(({ damaged }) => damaged.map((file) => `damaged: ${file}`)),
    '',
  ].join('\n');
}

function cells(trial: JobStatus, note: string): string[] {
  const { row, seed, state, epoch, epochs, objective, seconds, left, updated } = trial;
  return [
    row,
    String(seed),
    state,
    state === 'queued' ? '' : `${epoch}/${epochs}`,
    objective === null ? '' : formatNumber(objective),
    seconds > 0 ? duration(seconds) : '',
    left ? duration(left) : '',
    updated ? `${duration(Math.max(0, (Date.now() - Date.parse(updated)) / 1000))} ago` : '',
    note,
  ];
}
