// `mtcp run --dry-run`: the scripts that a batch system would get.
import { MtcpError } from '../../registry/errors.js';
import { openExperiment } from '../config/open.js';
import { isBatchLauncher } from '../../registry/contracts/launching.js';
import { createLauncher, launcherSlot, siteHere } from '../launching/index.js';
import { Jobs } from '../launching/jobs.js';
import { planBatch, wantedIn, type BatchPlan } from '../launching/plan-batch.js';
import { processesIn, requireShared } from '../launching/processes.js';
import { Ledger } from '../store/ledger/ledger.js';
import { ledgerOptions, type RunOptions } from './run-options.js';

/**
 * The scripts that a run would submit to a batch system. Nothing is written and nothing is submitted.
 * @throws MtcpError `usage` if trials would be trained here
 */
export async function planJobs(file: string, options: RunOptions): Promise<BatchPlan | undefined> {
  const experiment = openExperiment(file, options);
  const slot = launcherSlot(experiment, { chosen: options.launcher, site: siteHere() });
  const launcher = createLauncher(slot);
  if (!isBatchLauncher(launcher))
    throw new MtcpError('usage', `launcher "${slot.type}" has no jobs to show`, {
      where: 'argument "--dry-run"',
      hint: 'name a batch system, such as --launcher slurm; mtcp plan shows what would be trained here',
    });
  const { runs, only, command = '' } = options;
  const jobs = Jobs.of(runs, experiment.name);
  const ledger = new Ledger(runs, experiment.needed, ledgerOptions(options, jobs));
  if (jobs.any) await jobs.refresh();
  const wanted = wantedIn({ ledger, jobs, only });
  if (wanted.length === 0) return undefined;
  requireShared(
    wanted.map(({ trial }) => trial),
    processesIn(options, launcher),
    { isLocal: false },
  );
  return planBatch({ experiment, ledger, runs, launcher, slot, jobs, command, observe: () => {} }, wanted);
}
