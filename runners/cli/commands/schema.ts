// mtcp schema
import type { Command } from 'commander';
import { PLUGINS } from '../flags.js';

export function schema(program: Command): void {
  program
    .command('schema')
    .summary('write the JSON Schema of experiment files, for editors')
    .description(
      'Writes one JSON Schema of experiment files that refers to no other file. Editors need it only for plugins: without, the schemas that come with mtcp do.',
    )
    .option(...PLUGINS)
    .option('-o, --out <file>', 'file to write; stdout if left out')
    .addHelpText('after', '\nExample:\n  mtcp schema --file my.yaml --out my.schema.json')
    .action(async (options) => (await import('../catalog.js')).schema(options));
}
