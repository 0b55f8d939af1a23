// Submits an experiment's trials to a batch system and, if wanted, waits for them. The jobs need nothing of this
// process: it may end, or be started again and watch on. Trials that wait in a job or run already are not submitted
// twice.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { PRIVATE_FILE, writeWhole } from '../support/files.js';
import type { Worked } from '../training/work.js';
import type { Group } from './submission-formats.js';
import type { BatchContext } from './batch-context.js';
import { planBatch, wantedIn, type BatchPlan } from './plan-batch.js';
import { failuresIn, watch } from './watch-jobs.js';

/**
 * Submits the trials that are not done and watches until no job is left.
 * @throws MtcpError if the batch system does not answer or takes no job
 */
export async function runInJobs(
  context: BatchContext,
  { detach = false, stopRequested }: { detach?: boolean; stopRequested(): boolean },
): Promise<Worked & { detached: boolean }> {
  const { jobs, launcher } = context;
  if (jobs.any) await jobs.refresh();
  // Without the state of earlier jobs, everything would be submitted again.
  if (jobs.fault !== undefined)
    throw new MtcpError('io', jobs.fault, { where: `launcher ${launcher.system}` });
  const wanted = wantedIn(context);
  if (wanted.length > 0) await submit(context, await planBatch(context, wanted));
  if (detach) return { failed: [], interrupted: false, detached: true };
  const ended = await watch(context, stopRequested);
  return { failed: ended ? failuresIn(context) : [], interrupted: !ended, detached: !ended };
}

/**
 * Writes everything that jobs need, then submits the scripts. If the system refuses one, the jobs before it are
 * cancelled and all files are removed.
 */
export async function submit(context: BatchContext, plan: BatchPlan): Promise<void> {
  const { launcher, observe, jobs } = context;
  const { folder, record, trials, scripts } = plan;
  const handed: { job: string; group: Group }[] = [];
  try {
    folder.writeTrials(trials, context.ledger.attempts);
    writeWhole(join(folder.logs, '.keep'), '');
    writeWhole(join(folder.tasks, '.keep'), '');
    for (const { path, text } of scripts) writeWhole(path, text, PRIVATE_FILE);
    folder.write(record);
    for (const group of record.groups) {
      const script = folder.script(group.name);
      group.job = await launcher.submit(script, [...group.afterJobs, ...handed.map(({ job }) => job)]);
      handed.push({ job: group.job, group });
      folder.write(record);
    }
  } catch (error) {
    const tasks = handed.flatMap(({ job, group }) =>
      Array.from({ length: group.tasks }, (_, task) => ({ job, task })),
    );
    await launcher.cancel(tasks).catch(() => {});
    rmSync(folder.path, { recursive: true, force: true });
    throw error;
  }
  jobs.add(folder, record);
  for (const { job, group } of handed)
    observe({
      event: 'submitted',
      system: launcher.system,
      job,
      tasks: group.tasks,
      trials: group.trials,
      script: folder.script(group.name),
    });
}
