// mtcp status
import type { Command } from 'commander';
import { experimentCommand, JSON_DOCUMENT, RUNS } from '../flags.js';

export function status(program: Command): void {
  experimentCommand(program.command('status'))
    .summary('show what became of the trials of an experiment')
    .description(
      'Shows each trial: queued, running (and where), done, failed (and why), interrupted (stopped after a checkpoint) or stale (its process died without a word); and what its job on a cluster does, if there is one.',
    )
    .option(...RUNS)
    .option('-w, --watch', 'show it again and again until nothing is under way')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp status experiments/table3.yaml
  mtcp status experiments/table3.yaml --profile full --watch`,
    )
    .action(async (file, overrides, options) =>
      (await import('../status.js')).status(file, overrides, options),
    );
}
