// mtcp work: what a job runs.
import type { Command } from 'commander';
import { secondsIn } from '../../launching/slurm/queue.js';
import { parseCount, parseWhole } from '../flags.js';
import { narrator } from '../narrate.js';
import { Progress } from '../progress.js';
import { STOPPED, takeStopSignals } from '../signals.js';

export function declare(command: Command): void {
  command
    .description(
      'Trains the trials of a submission that are not done and that no other process owns. Jobs of a cluster run it; started by hand on any machine that can reach the folder of runs, it helps them. SIGTERM saves a checkpoint and exits with code 75.',
    )
    .argument('<submission>', 'folder of the submission, such as runs/table3/.jobs/20260101120000-1a2b')
    .option('--group <name>', 'only trials of this group')
    .option(
      '--task <n>',
      'number of a task of the job array: train its trials first, and no more than its share',
    )
    .option('--time-left <time>', 'time until the job is ended, as squeue writes it: [D-]HH:MM:SS')
    .option('--warning <seconds>', 'seconds before that at which to stop', '120')
    .addHelpText(
      'after',
      `
Example:
  mtcp work runs/table3/.jobs/20260101120000-1a2b`,
    )
    .action(work);
}

interface Options {
  group?: string;
  task?: string;
  timeLeft?: string;
  warning: string;
}

async function work(submission: string, { group, task, timeLeft = '', warning }: Options): Promise<void> {
  const { workOn } = await import('../../launching/job.js');
  const left = secondsIn(timeLeft);
  const margin = parseCount(warning, '--warning');
  const until = left === undefined ? Infinity : performance.now() + (left - margin) * 1000;
  // A batch system may say it several times, to the process and to its parents; it kills when it means it.
  const stop = takeStopSignals(() => {}, { insist: false });
  const progress = new Progress(process.stderr, false);
  const narrate = narrator(progress);
  let gotFurther = false;
  try {
    const { failed, interrupted, lost, alone } = await workOn(submission, {
      group,
      task: task === undefined ? undefined : parseWhole(task, '--task'),
      observe(event) {
        gotFurther ||= event.event === 'checkpoint';
        narrate(event);
      },
      stopRequested: () => stop.requested() || performance.now() >= until,
    });
    progress.clear();
    for (const { row, seed, message } of failed)
      process.stderr.write(`\nfailed: ${row}, seed ${seed}\n${message}\n`);
    if (lost)
      process.stderr.write('\nthis process cannot use its device any more; other tasks take what is left\n');
    if (interrupted) {
      process.stderr.write(
        `stopped after a checkpoint: ${stop.requested() ? 'told to' : 'the time of the job is nearly over'}\n`,
      );
      process.exitCode = STOPPED;
    } else if (alone && gotFurther) {
      // Without a new checkpoint it might go on like this for ever.
      process.stderr.write('stopped: it goes on from the last checkpoint when all nodes are there\n');
      process.exitCode = STOPPED;
    } else if (failed.length > 0) process.exitCode = 1;
  } finally {
    stop.end();
  }
}
