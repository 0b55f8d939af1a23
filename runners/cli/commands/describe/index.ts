// mtcp describe: components and their options, sections of a trial, or the networks of a file.
import type { Command } from 'commander';
import { JSON_DOCUMENT, PLUGINS, collect } from '../../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'Shows the options of a component or of a section such as train. For an experiment file it shows the blocks of the network of each row and the shapes of the maps between them; --format svg draws one row.',
    )
    .argument('<name...>', 'name, kind and name, section, or experiment file with path=value arguments')
    .option(...PLUGINS)
    .option('--row <name>', 'with an experiment file: only this row; may be given several times', collect)
    .option('--profile <name>', 'with an experiment file: embedded (default), full, smoke or another')
    .option('--format <name>', 'with an experiment file: text (default) or svg')
    .option('-o, --out <file>', 'with an experiment file: file to write; stdout if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      '\nExamples:\n  mtcp describe cfm\n  mtcp describe scheme lps\n  mtcp describe train\n  mtcp describe my-block --file my.yaml\n  mtcp describe experiments/table1.yaml --row InvPT --format svg -o invpt.svg',
    )
    .action(async (names: string[], options) =>
      /\.ya?ml$/.test(names[0])
        ? (await import('./network.js')).draw(names[0], names.slice(1), options)
        : (await import('./components.js')).describe(names, options),
    );
}
