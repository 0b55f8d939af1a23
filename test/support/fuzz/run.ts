// Damages files from a seed and counts what their readers do.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    // What is read of the sound file may change the folder: it has one of its own.
    const whole = join(folder, 'sound');
    mkdirSync(whole);
    const sound = text(await target.read(await target.make(whole)));
    for (; !enough(figures.files); figures.files++) {
      const place = join(folder, String(figures.files));
      mkdirSync(place);
      const path = await target.make(place);
      const { bytes, what } = damaged(readFileSync(path), randomStream(seed, name, figures.files));
      writeFileSync(path, bytes);
      const outcome = await attempt(target, path, sound);
      if (typeof outcome === 'string') figures[outcome]++;
      else figures.faults.push(`${name}, seed ${seed}, file ${figures.files} (${what}): ${outcome.fault}`);
      rmSync(place, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
