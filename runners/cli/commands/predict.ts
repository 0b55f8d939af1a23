// mtcp predict
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import type { PredictSource } from '../../inference/predict.js';
import { didYouMean } from '../../../registry/support/near.js';
import { CHECKPOINT, QUIET, sizeOfInput } from '../flags.js';
import { Progress } from '../progress.js';

export function declare(command: Command): void {
  command
    .description(
      'Predicts every task for images of any size and writes a colour map for each, a contact sheet with legends (predictions.png), and a list of the files written (predictions.json).',
    )
    .argument(
      '<run>',
      'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d; or an experiment file, with --weights',
    )
    .argument('<images...>', 'image files')
    .requiredOption('-o, --out <dir>', 'folder to write into')
    .option('--raw <format>', 'also the values themselves: npy (float32) or png16')
    .option(
      '--size <HxW>',
      "size of the network's input; native is the image's own. By default the size it was trained at",
    )
    .option(
      '--window',
      "images larger than the network's input are predicted in overlapping windows of its size, at their own resolution, and averaged",
    )
    .option(
      '--weights <file>',
      'with an experiment file: weights of the whole network, as `mtcp weights import --row` writes them',
    )
    .option('--row <name>', 'with an experiment file: the row whose network is used')
    .option('--profile <name>', 'with an experiment file: the profile')
    .option(...CHECKPOINT)
    .option('--json', 'list of the files written, as one JSON document')
    .option(...QUIET)
    .addHelpText(
      'after',
      `
Examples:
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d photos/*.jpg -o maps
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d room.png -o maps --raw npy --size native
  mtcp predict experiments/table1.yaml --row InvPT --profile full --weights invpt.safetensors room.png -o maps`,
    )
    .action(predict);
}

interface Options {
  out: string;
  raw?: string;
  size?: string;
  window?: boolean;
  checkpoint?: string;
  weights?: string;
  row?: string;
  profile?: string;
  json?: boolean;
  quiet?: boolean;
}

async function predict(folder: string, images: string[], options: Options): Promise<void> {
  const { predict: run } = await import('../../inference/predict.js');
  const progress = new Progress(process.stderr, Boolean(options.quiet || options.json));
  const result = await run({
    ...(await sourceOf(folder, options)),
    images,
    out: options.out,
    raw: parseRaw(options.raw),
    size: sizeOfInput(options.size),
    window: windowed(options),
    checkpoint: options.checkpoint,
    observe: (done, total, image) => progress.state(`${image} (${done + 1}/${total})`, done, total),
  });
  progress.clear();
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else if (result.sheet)
    process.stdout.write(
      `${result.images.length} image${result.images.length === 1 ? '' : 's'} by ${result.trial.row}, seed ${result.trial.seed}: ${options.out}\nall together: ${result.sheet}\n`,
    );
  for (const { message } of result.failed) process.stderr.write(`${message}\n`);
  if (result.failed.length > 0) process.exitCode = 1;
}

/** A folder of a trial, or a row of an experiment file with weights from elsewhere. */
async function sourceOf(run: string, { weights, row, profile, checkpoint }: Options): Promise<PredictSource> {
  if (weights === undefined) {
    if (row === undefined && profile === undefined) return { folder: run };
    throw new MtcpError(
      'usage',
      '--row and --profile choose a row of an experiment file, which needs --weights',
    );
  }
  if (checkpoint !== undefined)
    throw new MtcpError(
      'usage',
      '--checkpoint chooses a checkpoint of a trained trial, --weights a file: give only one of them',
    );
  const { oneTrial } = await import('../one-trial.js');
  const trial = oneTrial(run, [], { row: row === undefined ? undefined : [row], profile });
  return { network: { trial, weights } };
}

function windowed({ window, size }: Options): boolean {
  if (window && size === 'native')
    throw new MtcpError(
      'usage',
      "--size native is the image's own size, which leaves nothing to cut into windows",
      {
        where: 'argument "--window"',
        hint: 'leave out one of the two, or give the size of a window, such as --size 480x640',
      },
    );
  return window ?? false;
}

function parseRaw(text: string | undefined): 'npy' | 'png16' | undefined {
  if (text === undefined || text === 'npy' || text === 'png16') return text;
  throw new MtcpError('usage', `there is no raw format "${text}"`, {
    where: `argument "--raw ${text}"`,
    hint: didYouMean(text, ['npy', 'png16']),
  });
}
