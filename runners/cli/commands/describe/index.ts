// mtcp describe: components and their options, sections of a trial, or the networks of a file.
import type { Command } from 'commander';
import { JSON_DOCUMENT, PLUGINS, collect } from '../../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'The name of a component, or of a section such as train, shows its options. An experiment file shows what the networks of its rows are made of and what flows through them; --format svg draws one row.',
    )
    .argument('<name...>', 'name, kind and name, section, or experiment file')
    .option(...PLUGINS)
    .option('--row <name>', 'of an experiment file: only this row; may be given several times', collect)
    .option('--profile <name>', 'of an experiment file: embedded (default), full, smoke or another')
    .option('--format <name>', 'of an experiment file: text (default) or svg')
    .option('-o, --out <file>', 'of an experiment file: file to write; stdout if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      '\nExamples:\n  mtcp describe cfm\n  mtcp describe scheme lps\n  mtcp describe train\n  mtcp describe my-block --file my.yaml\n  mtcp describe experiments/table1.yaml --row InvPT --format svg -o invpt.svg',
    )
    .action(async (names: string[], options) =>
      /\.ya?ml$/.test(names[0])
        ? (await import('./network.js')).draw(names[0], options)
        : (await import('./components.js')).describe(names, options),
    );
}
