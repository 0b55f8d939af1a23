// mtcp data show
import type { Command } from 'commander';
import { DATA, PROFILE, collect, parseCount } from '../../flags.js';
import { progressOf } from './progress.js';
import { makeFolder } from '../../../../registry/support/make-folder.js';

export function showCommand(data: Command): void {
  data
    .command('show')
    .summary('draw samples and their labels, raw and augmented')
    .description(
      'Draws training samples of a row with their labels: as they are stored (raw.png) and as training sees them (augmented.png).',
    )
    .argument('<file>', 'experiment file; its first row if --row is left out')
    .argument('[overrides...]', 'path=value')
    .requiredOption('-o, --out <dir>', 'folder for raw.png and augmented.png')
    .option('--samples <n>', 'training samples', '6')
    .option('--draws <n>', 'augmented versions of each sample', '2')
    .option(...PROFILE)
    .option('--row <name>', 'the row whose pipeline is shown', collect)
    .option(...DATA)
    .addHelpText(
      'after',
      `
Example:
  mtcp data show experiments/table3.yaml -o samples --samples 3`,
    )
    .action(show);
}

interface Options {
  out: string;
  samples: string;
  draws: string;
  profile?: string;
  row?: string[];
  data?: string;
}

async function show(
  file: string,
  overrides: string[],
  { out, samples, draws, profile, row: rows, data }: Options,
): Promise<void> {
  const options = { samples: parseCount(samples, '--samples'), draws: parseCount(draws, '--draws') };
  const { openExperiment } = await import('../../../config/open.js');
  const { showData } = await import('../../../app/show-data.js');
  const { trials } = openExperiment(file, { profile, rows, overrides, data });
  const progress = progressOf(false);
  makeFolder(out);
  const files = await showData(trials[0], out, options, progress.report);
  progress.end();
  process.stdout.write(files.map((name) => `${name}\n`).join(''));
}
