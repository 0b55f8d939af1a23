// mtcp cancel
import type { Command } from 'commander';
import { experimentCommand, JSON_DOCUMENT, RUNS } from '../flags.js';

export function cancel(program: Command): void {
  experimentCommand(program.command('cancel'))
    .summary("take back an experiment's jobs on a cluster")
    .description(
      'Cancels the jobs that wait for a trial or train one. Those that train save a checkpoint first, so that the next run goes on from there.',
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
    .action(async (file, overrides, options) =>
      (await import('../cancel.js')).cancel(file, overrides, options),
    );
}
