// mtcp list: lists the components.
import type { Command } from 'commander';
import { KINDS, type Kind } from '../../../registry/entry.js';
import { display } from '../../config/index.js';
import { columns } from '../text.js';
import { fullCatalog, isKind, plain, unknownKind } from '../catalog.js';
import { JSON_DOCUMENT, PLUGINS } from '../flags.js';

export function declare(command: Command): void {
  command
    .description('Lists all components, or those of one kind, with a line about each.')
    .argument('[kind]', 'backbone, decoder, interaction, loss, scheme, ...')
    .option(...PLUGINS)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      '\nExamples:\n  mtcp list\n  mtcp list scheme\n  mtcp list interaction --file my.yaml',
    )
    .action(list);
}

interface Options {
  file?: string;
  json?: boolean;
}

async function list(kind: string | undefined, { file, json }: Options): Promise<void> {
  if (kind !== undefined && !isKind(kind)) throw unknownKind(kind);
  const entries = (await fullCatalog(file)).list(kind);
  if (json) {
    process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
    return;
  }
  const kinds = kind === undefined ? (Object.keys(KINDS) as Kind[]) : [kind];
  const width = Math.max(...entries.map(({ name }) => name.length));
  const parts = kinds.map((each) => {
    const rows = entries
      .filter((entry) => entry.kind === each)
      .map(({ name, summary, plugin }) => [
        name.padEnd(width),
        plugin === undefined ? summary : `${summary} (${display(plugin)})`,
      ]);
    return `${each}: ${KINDS[each]}\n${rows.length > 0 ? columns(rows, 2) : '  none'}`;
  });
  process.stdout.write(
    `${parts.join('\n\n')}\n\nmtcp describe NAME shows the options of a component, mtcp new component KIND NAME begins one.\n`,
  );
}
