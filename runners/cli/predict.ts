// mtcp predict
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { predict as run } from '../inference/predict.js';
import { parseSize } from './flags.js';
import { Progress } from './progress.js';

interface Options {
  output: string;
  raw?: string;
  size?: string;
  checkpoint?: string;
  json?: boolean;
  quiet?: boolean;
}

export async function predict(folder: string, images: string[], options: Options): Promise<void> {
  const progress = new Progress(process.stderr, Boolean(options.quiet || options.json));
  const result = await run({
    folder,
    images,
    out: options.output,
    raw: parseRaw(options.raw),
    size: sizeOfInput(options.size),
    checkpoint: options.checkpoint,
    observe: (done, total, image) => progress.state(`${image} (${done + 1}/${total})`, done, total),
  });
  progress.clear();
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else if (result.sheet)
    process.stdout.write(
      `${result.images.length} image${result.images.length === 1 ? '' : 's'} by ${result.trial.row}, seed ${result.trial.seed}: ${options.output}\nall together: ${result.sheet}\n`,
    );
  for (const { message } of result.failed) process.stderr.write(`${message}\n`);
  if (result.failed.length > 0) process.exitCode = 1;
}

function parseRaw(text: string | undefined): 'npy' | 'png16' | undefined {
  if (text === undefined || text === 'npy' || text === 'png16') return text;
  throw new MtcpError('usage', `there is no raw format "${text}"`, {
    where: `argument "--raw ${text}"`,
    hint: didYouMean(text, ['npy', 'png16']),
  });
}

export function sizeOfInput(text: string | undefined): [number, number] | 'native' | undefined {
  if (text === undefined || text === 'native') return text;
  return parseSize(
    text,
    (n) => n > 0 && n % 32 === 0,
    'height x width in multiples of 32, such as 480x640, or native',
  );
}
