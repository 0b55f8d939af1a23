// mtcp cancel: cancels jobs of a batch system.
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { JSON_DOCUMENT, RUNS, experimentCommand, choiceOf, type RunsOptions } from '../flags.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .description(
      'Cancels the jobs that wait for a trial or train one. Those that train save a checkpoint first, so that the next run continues from there.',
    )
    .option(...RUNS)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp cancel experiments/table3.yaml
  mtcp cancel experiments/table3.yaml --row "MT-CP" --seeds 1`,
    )
    .action(cancel);
}

async function cancel(
  file: string,
  overrides: string[],
  { runs, json, ...choice }: RunsOptions,
): Promise<void> {
  const { openExperiment } = await import('../../config/open.js');
  const { Jobs } = await import('../../launching/jobs.js');
  const { name, trials } = openExperiment(file, { ...choiceOf(choice, overrides), runs });
  const jobs = Jobs.of(runs, name);
  if (!jobs.any)
    throw new MtcpError('usage', 'no job of it was ever submitted to a cluster', {
      where: file,
      hint: `looked in ${runs}; --runs names another folder. What runs here is stopped with Ctrl-C`,
    });
  await jobs.refresh();
  if (jobs.fault !== undefined) throw new MtcpError('io', jobs.fault, { where: file });
  const tasks = new Map(
    trials.flatMap((trial) => {
      const job = jobs.job(trial);
      return job && job.phase !== 'ended' ? [[job.name, job] as const] : [];
    }),
  );
  await jobs.cancel([...tasks.values()]);
  const names = [...tasks.keys()];
  if (json) process.stdout.write(`${JSON.stringify({ experiment: name, cancelled: names }, null, 2)}\n`);
  else if (names.length === 0) process.stdout.write('no job waits or runs\n');
  else
    process.stdout.write(
      `cancelled ${names.length <= 20 ? names.join(', ') : `${names.length} tasks`}; mtcp run continues from their checkpoints\n`,
    );
}
