// mtcp list
import type { Command } from 'commander';
import { JSON_DOCUMENT, PLUGINS } from '../flags.js';

export function list(program: Command): void {
  program
    .command('list')
    .summary('list components')
    .argument('[kind]', 'backbone, decoder, interaction, loss, scheme, ...')
    .option(...PLUGINS)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      '\nExamples:\n  mtcp list\n  mtcp list scheme\n  mtcp list interaction --file my.yaml',
    )
    .action(async (kind, options) => (await import('../catalog.js')).list(kind, options));
}
