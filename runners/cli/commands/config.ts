// mtcp config
import type { Command } from 'commander';
import { JSON_DOCUMENT, ROWS } from '../flags.js';

export function config(program: Command): void {
  const config = program.command('config').summary('look at resolved configurations');
  config
    .command('show')
    .summary('print rows with everything filled in')
    .argument('<file>', 'experiment file')
    .argument('[overrides...]', 'path=value')
    .option('--profile <name>', 'embedded (default) or another profile of the file')
    .option(...ROWS)
    .option('--origin', 'beside every value the file and line that wrote it, and what it replaced')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp config show my.yaml --row "MT-CP" --origin
  mtcp config show my.yaml --profile full train.epochs=3`,
    )
    .action(async (file, overrides, options) =>
      (await import('../config.js')).show(file, overrides, options),
    );
  config
    .command('diff')
    .summary('tell two configurations apart')
    .description('Compares rows of the same name; one row against one row whatever they are called.')
    .argument('<a>', 'experiment file, FILE#ROW, or the folder of a run')
    .argument('<b>', 'the same')
    .option('--profile <name>', 'embedded (default) or another profile of the files')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp config diff experiments/table3.yaml my.yaml
  mtcp config diff "my.yaml#MT-CP" "my.yaml#STL depth"
  mtcp config diff runs/table3/mt-cp-s0-1a2b3c4d my.yaml#MT-CP`,
    )
    .action(async (a, b, options) => (await import('../config.js')).diff(a, b, options));
}
