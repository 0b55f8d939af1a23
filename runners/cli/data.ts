// mtcp data: making data sets.
import { generateRooms } from '../../modules/rooms/generate.js';
import { generateScenes } from '../../modules/scenes/generate.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import { Progress } from './progress.js';

/** What each layout is filled with. */
const LAYOUTS: Readonly<Record<string, typeof generateRooms | typeof generateScenes>> = {
  nyud: generateRooms,
  pascal: generateScenes,
};

export interface SynthOptions {
  out: string;
  layout: string;
  train: string;
  val: string;
  size: string;
  seed: string;
  json?: boolean;
}

export async function synth({ out, layout, json, ...texts }: SynthOptions): Promise<void> {
  if (!Object.hasOwn(LAYOUTS, layout))
    throw new MtcpError('usage', `unknown layout "${layout}"`, {
      where: `argument "--layout ${layout}"`,
      hint: didYouMean(layout, Object.keys(LAYOUTS)),
    });
  const [train, val] = [count('--train', texts.train), count('--val', texts.val)];
  const progress = new Progress(process.stderr, Boolean(json));
  const manifest = await LAYOUTS[layout](
    out,
    { train, val, size: parseSize(texts.size), seed: wholeNumber('--seed', texts.seed) },
    (done, total, what) => {
      if (json) process.stdout.write(`${JSON.stringify({ event: 'preparing', what, done, total })}\n`);
      else progress.state(`${what} ${done}/${total}`, done, total);
    },
  );
  progress.clear();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ event: 'data', root: out, digest: manifest.digest, counts: { train, val } })}\n`,
    );
  else
    process.stdout.write(
      `${train} training and ${val} validation scenes in ${out} (digest ${manifest.digest})\n`,
    );
}

function parseSize(text: string): [number, number] {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const size = match ? ([Number(match[1]), Number(match[2])] as [number, number]) : undefined;
  if (!size || size.some((n) => n < 8))
    throw new MtcpError('usage', `"${text}" is not a size`, {
      where: `argument "--size ${text}"`,
      hint: 'height x width, at least 8x8, such as 96x128',
    });
  return size;
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value))
    throw new MtcpError('usage', `"${text}" is not a whole number`, { where: `argument "${flag} ${text}"` });
  return value;
}

function count(flag: string, text: string): number {
  const value = wholeNumber(flag, text);
  if (value < 1)
    throw new MtcpError('usage', 'there must be at least one scene', { where: `argument "${flag} ${text}"` });
  return value;
}
