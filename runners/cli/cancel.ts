// mtcp cancel: takes back jobs of a batch system.
import { openExperiment } from '../config/open.js';
import { Jobs } from '../launching/jobs.js';
import { choiceOf, type RunsOptions } from './flags.js';
import { MtcpError } from '../../registry/errors.js';

export async function cancel(
  file: string,
  overrides: string[],
  { runs, json, ...choice }: RunsOptions,
): Promise<void> {
  const { name, trials } = openExperiment(file, choiceOf(choice, overrides));
  const jobs = Jobs.of(runs, name);
  if (!jobs.any)
    throw new MtcpError('usage', 'nothing of it was ever handed to a cluster', {
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
      `cancelled ${names.length <= 20 ? names.join(', ') : `${names.length} tasks`}; mtcp run goes on from their checkpoints\n`,
    );
}
