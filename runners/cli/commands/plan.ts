// mtcp plan
import type { Command } from 'commander';
import { DATA, experimentCommand, JSON_DOCUMENT, RUNS } from '../flags.js';

export function plan(program: Command): void {
  experimentCommand(program.command('plan'))
    .summary('show what a run would do')
    .option(...RUNS)
    .option(...DATA)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp plan experiments/table3.yaml
  mtcp plan experiments/table3.yaml --profile full --row "MT-CP" --json`,
    )
    .action(async (file, overrides, options) => (await import('../plan.js')).plan(file, overrides, options));
}
