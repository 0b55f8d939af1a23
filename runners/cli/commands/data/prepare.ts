// mtcp data prepare
import type { Command } from 'commander';
import type { PreparedManifest } from '../../../../modules/datasets/prepare/target.js';
import { MtcpError } from '../../../../registry/errors.js';
import { didYouMean } from '../../../../registry/support/near.js';
import { progressOf } from './progress.js';

export function prepareCommand(data: Command): void {
  data
    .command('prepare')
    .summary('build a benchmark from its official files')
    .description(
      'Builds NYUD_MT or PASCAL_MT from what the authors of the data distribute. Continues where it was interrupted; a finished folder lists its files with their digests.',
    )
    .argument('<benchmark>', 'nyud-v2 or pascal-context')
    .requiredOption('-o, --out <dir>', 'folder to write')
    .option('--from <file>', 'nyud-v2: nyu_depth_v2_labeled.mat')
    .option('--splits <file>', 'nyud-v2: splits.mat')
    .option('--classes <file>', 'nyud-v2: classMapping40.mat')
    .option(
      '--normals <dir>',
      'nyud-v2: folder of <id>.npy or <id>.png, or "derive" to compute them from depth; no normals if left out',
    )
    .option(
      '--edges <dir>',
      'nyud-v2: folder edge of NYUD_MT, with <id>.npy or <id>.png; no edges if left out',
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
    .action(prepare);
}

interface PrepareOptions {
  out: string;
  json?: boolean;
  /** nyud-v2 */
  from?: string;
  splits?: string;
  classes?: string;
  normals?: string;
  edges?: string;
  /** pascal-context */
  voc?: string;
  voc12?: string;
  context?: string;
  parts?: string;
  distilled?: string;
}

async function prepare(benchmark: string, options: PrepareOptions): Promise<void> {
  const { prepareNyud } = await import('../../../../modules/datasets/prepare/nyud.js');
  const { preparePascal } = await import('../../../../modules/datasets/prepare/pascal.js');
  const { out, json } = options;
  const progress = progressOf(json);
  const given = <K extends keyof PrepareOptions>(...names: K[]) =>
    Object.fromEntries(names.map((name) => [name, needed(name, options[name])])) as Record<K, string>;
  let manifest: PreparedManifest;
  if (benchmark === 'nyud-v2') {
    const { from, splits, classes } = given('from', 'splits', 'classes');
    const { normals, edges } = options;
    const sources = { labeled: from, splits, classes, normals, edges };
    manifest = await prepareNyud(out, sources, progress.report);
  } else if (benchmark === 'pascal-context') {
    const sources = given('voc', 'context', 'parts');
    const { voc12, distilled } = options;
    manifest = await preparePascal(out, { ...sources, voc12, distilled }, progress.report);
  } else
    throw new MtcpError('usage', `unknown benchmark "${benchmark}"`, {
      where: `argument "${benchmark}"`,
      hint: didYouMean(benchmark, ['nyud-v2', 'pascal-context']),
    });
  progress.end();
  const files = Object.keys(manifest.files).length;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ event: 'prepared', root: out, files, notes: manifest.notes })}\n`,
    );
  else
    process.stdout.write(
      [`${files} files in ${out}, listed with their digests in prepared.json`, ...manifest.notes, ''].join(
        '\n',
      ),
    );
}

function needed(name: string, value: string | boolean | undefined): string {
  if (typeof value === 'string') return value;
  throw new MtcpError('usage', `--${name} is missing`, {
    where: 'mtcp data prepare',
    hint: 'mtcp data prepare --help lists the files of each benchmark',
  });
}
