// Damages files from a seed and counts what their readers do.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { randomStream } from '../../../registry/random.js';
import { damaged } from './damage.js';
import { attempt, text, type Target } from './targets.js';

export interface Figures {
  files: number;
  refused: number;
  accepted: number;
  /** Everything that must not be, with what repeats it. */
  faults: string[];
}

/** @param enough asked after each file, with how many there have been */
export async function fuzz(
  name: string,
  target: Target,
  seed: number,
  enough: (files: number) => boolean,
): Promise<Figures> {
  const figures: Figures = { files: 0, refused: 0, accepted: 0, faults: [] };
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-fuzz-'));
  try {
    // What is read of a sound file may change its folder, so that each has a copy.
    const template = join(folder, 'template');
    mkdirSync(template);
    const file = relative(template, await target.make(template));
    const copy = (name: string): string => {
      cpSync(template, join(folder, name), { recursive: true });
      return join(folder, name, file);
    };
    const sound = text(await target.read(copy('sound')));
    const bytesOf = readFileSync(join(template, file));
    for (; !enough(figures.files); figures.files++) {
      const path = copy('damaged');
      const { bytes, what } = damaged(bytesOf, randomStream(seed, name, figures.files));
      writeFileSync(path, bytes);
      const outcome = await attempt(target, path, sound);
      if (typeof outcome === 'string') figures[outcome]++;
      else figures.faults.push(`${name}, seed ${seed}, file ${figures.files} (${what}): ${outcome.fault}`);
      rmSync(join(folder, 'damaged'), { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
