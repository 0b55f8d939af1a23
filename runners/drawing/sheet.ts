// A contact sheet as in the figures of papers: a row for each image, titled columns, and a legend for each task.
import sharp, { type OverlayOptions } from 'sharp';
import { xmlText } from '../support/escape.js';
import { FONT, useOwnFonts } from './fonts.js';
import type { Legend } from '../../registry/contracts/task-kind.js';
import type { Picture } from './paint.js';

export interface Sheet {
  /** Titles of the columns. */
  columns: readonly string[];
  /** A picture for each column. */
  rows: readonly (readonly Picture[])[];
  /** A line above each row. */
  captions?: readonly string[];
  legends: readonly { title: string; legend: Legend }[];
}

/** Cells are drawn this wide. */
const CELL = 192;
const GAP = 4;
const HEADER = 24;
const LINE = 18;

/** @returns a PNG */
export async function drawSheet({ columns, rows, captions, legends }: Sheet): Promise<Buffer> {
  useOwnFonts();
  const { height, width } = rows[0][0];
  const cell = Math.round((CELL * height) / width);
  const total = columns.length * (CELL + GAP) - GAP;
  const above = captions ? LINE : 0;
  const topOf = (row: number) => HEADER + row * (above + cell + GAP) + above;
  const pieces: OverlayOptions[] = [];
  for (const [r, caption] of (captions ?? []).entries())
    pieces.push({
      input: Buffer.from(svgOf(total, LINE, text(2, 13, caption))),
      left: 0,
      top: topOf(r) - above,
    });
  for (const [r, pictures] of rows.entries())
    for (const [c, picture] of pictures.entries())
      pieces.push({
        input: await png(picture, CELL, cell),
        left: c * (CELL + GAP),
        top: topOf(r),
      });
  const below = topOf(rows.length) - above;
  const { svg, height: used } = legendSvg(legends, total);
  pieces.push(
    { input: Buffer.from(headerSvg(columns, total)), left: 0, top: 0 },
    ...(used > 0 ? [{ input: Buffer.from(svg), left: 0, top: below }] : []),
  );
  const canvas = { width: total, height: below + used, channels: 3, background: '#fff' } as const;
  return sharp({ create: canvas }).composite(pieces).png().toBuffer();
}

/** Enlarged without smoothing: a label map has no colours between its own. */
export function png({ width, height, data }: Picture, toWidth = width, toHeight = height): Promise<Buffer> {
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  const scaled =
    toWidth === width && toHeight === height
      ? picture
      : picture.resize(toWidth, toHeight, { kernel: 'nearest', fit: 'fill' });
  return scaled.png().toBuffer();
}

const text = (x: number, y: number, content: string, size = 12): string =>
  `<text x="${x}" y="${y}" font-family="${FONT}, sans-serif" font-size="${size}" fill="#222">${xmlText(content)}</text>`;

const svgOf = (width: number, height: number, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;

const headerSvg = (columns: readonly string[], width: number): string =>
  svgOf(width, HEADER, columns.map((title, c) => text(c * (CELL + GAP) + 2, 16, title)).join(''));

function legendSvg(legends: Sheet['legends'], width: number): { svg: string; height: number } {
  const parts: string[] = [];
  let y = 4;
  for (const { title, legend } of legends) {
    parts.push(text(2, y + 13, title));
    let x = 96;
    if (legend.kind === 'scale') {
      const step = 160 / legend.colours.length;
      parts.push(text(x, y + 13, legend.low, 11));
      legend.colours.forEach((colour, i) =>
        parts.push(
          `<rect x="${x + 44 + i * step}" y="${y + 3}" width="${step + 0.5}" height="12" fill="${colour}"/>`,
        ),
      );
      parts.push(
        // White on white would look as if the scale ended before.
        `<rect x="${x + 44}" y="${y + 3}" width="160" height="12" fill="none" stroke="#888" stroke-width="0.5"/>`,
        text(x + 44 + 160 + 6, y + 13, legend.high, 11),
      );
    } else
      for (const { name, colour } of legend.entries) {
        const wide = 30 + name.length * 7;
        if (x + wide > width) {
          x = 96;
          y += LINE;
        }
        parts.push(
          `<rect x="${x}" y="${y + 3}" width="12" height="12" fill="${colour}" stroke="#888" stroke-width="0.5"/>`,
          text(x + 16, y + 13, name, 11),
        );
        x += wide;
      }
    y += LINE + 4;
  }
  return { svg: svgOf(width, y, parts.join('')), height: legends.length > 0 ? y : 0 };
}
