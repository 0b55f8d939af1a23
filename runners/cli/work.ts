// mtcp work: what a job runs.
import { workOn } from '../launching/job.js';
import { secondsIn } from '../launching/slurm/queue.js';
import { parseCount, parseWhole } from './flags.js';
import { narrator } from './narrate.js';
import { Progress } from './progress.js';
import { STOPPED, takeStopSignals } from './signals.js';

interface Options {
  group?: string;
  task?: string;
  timeLeft?: string;
  warning: string;
}

export async function work(
  submission: string,
  { group, task, timeLeft = '', warning }: Options,
): Promise<void> {
  const left = secondsIn(timeLeft);
  const margin = parseCount(warning, '--warning');
  const until = left === undefined ? Infinity : performance.now() + (left - margin) * 1000;
  // A batch system may say it several times, to the process and to its parents; it kills when it means it.
  const stop = takeStopSignals(() => {}, { insist: false });
  const progress = new Progress(process.stderr, false);
  try {
    const { failed, interrupted } = await workOn(submission, {
      group,
      task: task === undefined ? undefined : parseWhole(task, '--task'),
      observe: narrator(progress),
      stopRequested: () => stop.requested() || performance.now() >= until,
    });
    progress.clear();
    for (const { row, seed, message } of failed)
      process.stderr.write(`\nfailed: ${row}, seed ${seed}\n${message}\n`);
    if (interrupted) {
      process.stderr.write(
        `stopped after a checkpoint: ${stop.requested() ? 'told to' : 'the time of the job is nearly over'}\n`,
      );
      process.exitCode = STOPPED;
    } else if (failed.length > 0) process.exitCode = 1;
  } finally {
    stop.end();
  }
}
