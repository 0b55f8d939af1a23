// mtcp data
import type { Command } from 'commander';
import { collect, DATA, JSON_DOCUMENT, PROFILE } from '../flags.js';

export function data(program: Command): void {
  const data = program.command('data').summary('make, build, check and look at data sets');
  data
    .command('synth')
    .summary('render a data set')
    .description(
      'Renders scenes with exact labels: rooms with semantics, depth and normals, written like NYUD_MT, or scenes with people, animals and vehicles with semantics, human parts, saliency and normals, written like PASCAL_MT.',
    )
    .requiredOption('--out <dir>', 'folder to write; must be empty or hold the same data set')
    .option('--layout <name>', 'nyud or pascal', 'nyud')
    .option('--train <n>', 'training scenes', '240')
    .option('--val <n>', 'validation scenes', '60')
    .option('--size <HxW>', 'height x width', '96x128')
    .option('--seed <n>', 'seed', '0')
    .option('--json', 'progress as JSON lines')
    .addHelpText(
      'after',
      `
Examples:
  mtcp data synth --out NYUD_MT
  mtcp data synth --layout pascal --train 40 --val 10 --out PASCAL_MT`,
    )
    .action(async (options) => (await import('../data.js')).synth(options));
  data
    .command('prepare')
    .summary('build a benchmark from its official files')
    .description(
      'Builds NYUD_MT or PASCAL_MT from what the authors of the data distribute. Goes on where it was interrupted; a finished folder lists its files with their digests.',
    )
    .argument('<benchmark>', 'nyud-v2 or pascal-context')
    .requiredOption('--out <dir>', 'folder to write')
    .option('--from <file>', 'nyud-v2: nyu_depth_v2_labeled.mat')
    .option('--splits <file>', 'nyud-v2: splits.mat')
    .option('--classes <file>', 'nyud-v2: classMapping40.mat')
    .option(
      '--normals <dir>',
      'nyud-v2: folder of <id>.npy or <id>.png, or "derive" from depth; none if absent',
    )
    .option('--voc <dir>', 'pascal-context: VOC2010')
    .option('--voc12 <dir>', 'pascal-context: VOC2012, for its class maps')
    .option('--context <dir>', "pascal-context: PASCAL-Context's <id>.mat")
    .option('--parts <dir>', "pascal-context: PASCAL-Part's <id>.mat")
    .option('--distilled <dir>', 'pascal-context: PASCAL_MT with sal_distill/ and normals_distill/')
    .option('--json', 'progress as JSON lines')
    .addHelpText(
      'after',
      `
Examples:
  mtcp data prepare nyud-v2 --from nyu_depth_v2_labeled.mat --splits splits.mat --classes classMapping40.mat --out NYUD_MT
  mtcp data prepare pascal-context --voc VOC2010 --voc12 VOC2012 --context trainval --parts Annotations_Part --out PASCAL_MT`,
    )
    .action(async (benchmark, options) => (await import('../data.js')).prepare(benchmark, options));
  data
    .command('check')
    .summary('find everything that is wrong with a data folder')
    .description('Reads every file of a NYUD_MT or PASCAL_MT once. Exit code 2 if anything is wrong.')
    .argument('<dir>', 'the folder')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp data check NYUD_MT`,
    )
    .action(async (directory, options) => (await import('../data.js')).check(directory, options));
  data
    .command('show')
    .summary('pictures of samples and their labels, raw and augmented')
    .argument('<file>', 'experiment file; its first row counts')
    .argument('[overrides...]', 'path=value')
    .requiredOption('-o, --out <dir>', 'folder for raw.png and augmented.png')
    .option('--samples <n>', 'training samples', '6')
    .option('--draws <n>', 'augmented versions of each', '2')
    .option(...PROFILE)
    .option('--row <name>', 'the row whose pipeline is shown', collect)
    .option(...DATA)
    .addHelpText(
      'after',
      `
Example:
  mtcp data show experiments/table3.yaml -o samples --samples 3`,
    )
    .action(async (file, overrides, options) => (await import('../data.js')).show(file, overrides, options));
}
