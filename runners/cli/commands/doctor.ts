// mtcp doctor
import type { Command } from 'commander';
import { JSON_DOCUMENT } from '../flags.js';

export function doctor(program: Command): void {
  program
    .command('doctor')
    .summary('show what this machine can compute with')
    .description(
      'Tries every engine in a process of its own, measures a product of matrices with it, and says what to do about those that do not work. Ends with code 1 if the default engine does not.',
    )
    .option('--threads <n>', 'threads of the engines; one per core if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp doctor
  mtcp doctor --threads 2 --json`,
    )
    .action(async (options) => (await import('../doctor.js')).doctor(options));
}
