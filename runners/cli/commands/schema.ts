// mtcp schema: the JSON Schema of experiment files, for editors.
import type { Command } from 'commander';
import { bundledSchema } from '../../config/schema-files.js';
import { writeOutput } from '../../support/files.js';
import { SCHEMAS } from '../../config/schemas.js';
import { fullCatalog } from '../catalog.js';
import { PLUGINS } from '../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'Writes one JSON Schema of experiment files that refers to no other file. Editors need it only for experiments with plugins; for others the schemas that come with mtcp are enough.',
    )
    .option(...PLUGINS)
    .option('-o, --out <file>', 'file to write; stdout if left out')
    .addHelpText('after', '\nExample:\n  mtcp schema --file my.yaml --out my.schema.json')
    .action(schema);
}

/** One schema for editors: experiment files with the components of this file's plugins. */
async function schema({ file, out }: { file?: string; out?: string }): Promise<void> {
  const text = `${JSON.stringify(bundledSchema(await fullCatalog(file), SCHEMAS), null, 2)}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  writeOutput(out, text);
  process.stdout.write(
    `${out}\nThe first line of an experiment file beside it: # yaml-language-server: $schema=${out}\n`,
  );
}
