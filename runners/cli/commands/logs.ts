// mtcp logs
import type { Command } from 'commander';
import { experimentCommand, RUNS } from '../flags.js';

export function logs(program: Command): void {
  experimentCommand(program.command('logs'), 'experiment file, or the folder of a trial')
    .summary('show what happened in the trials of an experiment')
    .option(...RUNS)
    .option('-f, --follow', 'go on showing what happens until the trials end')
    .option('--json', 'the events as they are, one a line')
    .addHelpText(
      'after',
      `
Examples:
  mtcp logs experiments/table3.yaml --row "MT-CP" --follow
  mtcp logs runs/table3/mt-cp-s0-1a2b3c4d --json`,
    )
    .action(async (file, overrides, options) => (await import('../logs.js')).logs(file, overrides, options));
}
