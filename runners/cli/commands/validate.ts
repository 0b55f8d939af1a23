// mtcp validate
import type { Command } from 'commander';
import { JSON_DOCUMENT } from '../flags.js';

export function validate(program: Command): void {
  program
    .command('validate')
    .summary('check experiment files')
    .description(
      'Checks every profile and row of the files and reports all faults. Nothing is run. With --deep it also builds every network on shapes alone, as plan and run do before they begin: channels that cannot match, a head for a task that the data set lacks, a window larger than the map.',
    )
    .argument('<files...>', 'experiment files')
    .option('--profile <name>', 'only this profile')
    .option('--deep', 'build the networks too; takes seconds instead of a moment')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp validate experiments/*.yaml
  mtcp validate --deep --profile embedded my.yaml`,
    )
    .action(async (files, options) => (await import('../validate.js')).validate(files, options));
}
