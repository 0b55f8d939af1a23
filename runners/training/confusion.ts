// Which classes a model takes for which: counts over a split, and confusion.<task>.png of a trial. A row is a true class,
// a column what was predicted; each row adds up to 100 %.
import { join } from 'node:path';
import sharp from 'sharp';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import { FONT, useOwnFonts } from '../drawing/fonts.js';
import { xmlText } from '../support/escape.js';
import { writeWhole } from '../support/files.js';
import { distinctNames } from '../support/names.js';
import type { Predicted } from './evaluation.js';

export class Confusion {
  /** By task of a kind with classes: rows of true classes, one after the other. */
  readonly #counts: ReadonlyMap<Task, Float64Array>;

  constructor(tasks: readonly Task[]) {
    const withClasses = tasks.filter((task) => kindOf(task).batch === 'indices');
    this.#counts = new Map(withClasses.map((task) => [task, new Float64Array(task.channels ** 2)]));
  }

  add({ sample, compared }: Pick<Predicted, 'sample' | 'compared'>): void {
    for (const [{ name, channels }, counts] of this.#counts) {
      const [label, prediction] = [sample.labels[name].data, compared[name].data];
      for (let i = 0; i < label.length; i++)
        if (label[i] !== IGNORE) counts[label[i] * channels + prediction[i]]++;
    }
  }

  /** Pixels of a true class (rows) that were predicted as each class. */
  of(task: string): number[][] | undefined {
    const found = [...this.#counts].find(([{ name }]) => name === task);
    if (!found) return undefined;
    const [{ channels }, counts] = found;
    return Array.from({ length: channels }, (_, c) => [...counts.subarray(c * channels, (c + 1) * channels)]);
  }

  /** Writes a picture for each task with classes of which a pixel is known. */
  async write(folder: string): Promise<void> {
    const tasks = [...this.#counts.keys()];
    const names = distinctNames(tasks.map(({ name }) => name));
    for (const [i, task] of tasks.entries()) {
      const counts = this.of(task.name)!;
      if (counts.flat().every((count) => count === 0)) continue;
      useOwnFonts();
      const picture = await sharp(Buffer.from(confusionSvg(task, counts)))
        .png()
        .toBuffer();
      writeWhole(join(folder, `confusion.${names[i]}.png`), picture);
    }
  }
}

/** Sizes in pixels: a cell, the margin for names of classes, and the size of text. */
const [CELL, MARGIN, TEXT] = [30, 130, 11];

export function confusionSvg(task: Task, counts: readonly (readonly number[])[]): string {
  const side = MARGIN + counts.length * CELL;
  const nameOf = (c: number) => xmlText(String(task.classes?.[c] ?? c).slice(0, 18));
  const label = (x: number, y: number, content: string, more = '') =>
    `<text x="${x}" y="${y}" font-family="${FONT}, sans-serif" font-size="${TEXT}" fill="#222" ${more}>${content}</text>`;
  const parts: string[] = [label(4, 14, `${xmlText(task.name)}: true (rows), predicted`)];
  counts.forEach((row, r) => {
    const y = MARGIN + r * CELL;
    parts.push(label(MARGIN - 6, y + 19, nameOf(r), 'text-anchor="end"'));
    const x = MARGIN + r * CELL + 19;
    parts.push(label(x, MARGIN - 6, nameOf(r), `transform="rotate(-60 ${x} ${MARGIN - 6})"`));
    const total = row.reduce((sum, count) => sum + count, 0);
    row.forEach((count, c) => {
      const share = total > 0 ? count / total : 0;
      const shade = Math.round(255 - 200 * share);
      const fill = total > 0 ? `rgb(${shade},${shade},255)` : '#eee';
      parts.push(
        `<rect x="${MARGIN + c * CELL}" y="${y}" width="${CELL - 1}" height="${CELL - 1}" fill="${fill}"/>`,
      );
      if (share >= 0.005)
        parts.push(
          label(
            MARGIN + c * CELL + CELL / 2,
            y + 19,
            String(Math.round(100 * share)),
            'text-anchor="middle"',
          ),
        );
    });
  });
  const size = side + 70;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${side + 10}"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`;
}
