// mtcp data synth
import type { Command } from 'commander';
import { MtcpError } from '../../../../registry/errors.js';
import { didYouMean } from '../../../../registry/support/near.js';
import { parseCount, parseSize, parseWhole } from '../../flags.js';
import type { generateRooms } from '../../../../modules/datasets/rendered/rooms/generate.js';
import type { generateScenes } from '../../../../modules/datasets/rendered/scenes/generate.js';
import { progressOf } from './progress.js';

export function synthCommand(data: Command): void {
  data
    .command('synth')
    .summary('render a data set')
    .description(
      'Renders scenes with exact labels: rooms with semantics, depth and normals, written like NYUD_MT, or scenes with people, animals and vehicles with semantics, human parts, saliency and normals, written like PASCAL_MT.',
    )
    .requiredOption('-o, --out <dir>', 'folder to write; must be empty or hold the same data set')
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
    .action(synth);
}

/** What each layout is filled with. */
const LAYOUTS: Readonly<Record<string, () => Promise<typeof generateRooms | typeof generateScenes>>> = {
  nyud: async () => (await import('../../../../modules/datasets/rendered/rooms/generate.js')).generateRooms,
  pascal: async () =>
    (await import('../../../../modules/datasets/rendered/scenes/generate.js')).generateScenes,
};

interface SynthOptions {
  out: string;
  layout: string;
  train: string;
  val: string;
  size: string;
  seed: string;
  json?: boolean;
}

async function synth({ out, layout, json, ...texts }: SynthOptions): Promise<void> {
  if (!Object.hasOwn(LAYOUTS, layout))
    throw new MtcpError('usage', `unknown layout "${layout}"`, {
      where: `argument "--layout ${layout}"`,
      hint: didYouMean(layout, Object.keys(LAYOUTS)),
    });
  const [train, val] = [parseCount(texts.train, '--train'), parseCount(texts.val, '--val')];
  const progress = progressOf(json);
  const generate = await LAYOUTS[layout]();
  const manifest = await generate(
    out,
    {
      train,
      val,
      size: parseSize(texts.size, (n) => n >= 8, 'height x width, at least 8x8, such as 96x128'),
      seed: parseWhole(texts.seed, '--seed'),
    },
    progress.report,
  );
  progress.end();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ event: 'data', root: out, digest: manifest.digest, counts: { train, val } })}\n`,
    );
  else
    process.stdout.write(
      `${train} training and ${val} validation scenes in ${out} (digest ${manifest.digest})\n`,
    );
}
