// A contact sheet of predictions: for each image a row with the image and, for every task, label and prediction.
import { writeFile } from 'node:fs/promises';
import sharp, { type OverlayOptions } from 'sharp';
import type { MapData, Sample } from '../../registry/contracts/data.js';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';

type Colour = readonly [number, number, number];
const UNKNOWN: Colour = [40, 40, 40];
/** Cells are drawn about this wide. */
const CELL = 192;
const GAP = 4;

export async function writePredictions(
  path: string,
  rows: { sample: Sample; predictions: Record<string, MapData> }[],
  tasks: readonly Task[],
): Promise<void> {
  if (rows.length === 0) return;
  const { height, width } = rows[0].sample.image;
  const cellHeight = Math.round((CELL * height) / width);
  const pieces: OverlayOptions[] = [];
  for (const [r, { sample, predictions }] of rows.entries()) {
    const cells = [photograph(sample.image)];
    for (const task of tasks) {
      const label = sample.labels[task.name];
      const range = task.kind === 'depth' ? rangeOf(label) : ([0, 1] as const);
      cells.push(paint(label, task, range), paint(predictions[task.name], task, range));
    }
    for (const [c, cell] of cells.entries()) {
      const raw = { width: cell.width, height: cell.height, channels: 3 } as const;
      const input = await sharp(cell.data, { raw })
        .resize(CELL, cellHeight, { kernel: 'nearest', fit: 'fill' })
        .png()
        .toBuffer();
      pieces.push({ input, left: c * (CELL + GAP), top: r * (cellHeight + GAP) });
    }
  }
  const columns = 1 + 2 * tasks.length;
  const canvas = {
    width: columns * (CELL + GAP) - GAP,
    height: rows.length * (cellHeight + GAP) - GAP,
    channels: 3,
    background: '#fff',
  } as const;
  await writeFile(path, await sharp({ create: canvas }).composite(pieces).png().toBuffer());
}

interface Picture {
  width: number;
  height: number;
  data: Buffer;
}

function photograph({ width, height, data }: MapData): Picture {
  return {
    width,
    height,
    data: Buffer.from(Uint8Array.from(data, (v) => Math.max(0, Math.min(255, Math.round(v))))),
  };
}

function paint(
  { width, height, channels, data }: MapData,
  { kind }: Task,
  [near, far]: readonly [number, number],
): Picture {
  const out = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const first = data[i * channels];
    let colour: Colour = UNKNOWN;
    if (first !== IGNORE) {
      if (kind === 'classes') colour = classColour(first);
      else if (kind === 'depth') colour = depthColour((first - near) / (far - near));
      else if (kind === 'normals')
        colour = [first, -data[i * 3 + 1], -data[i * 3 + 2]].map((v) => 127.5 * (v + 1)) as unknown as Colour;
      else colour = [first * 255, first * 255, first * 255];
    }
    for (let k = 0; k < 3; k++) out[i * 3 + k] = Math.max(0, Math.min(255, colour[k]));
  }
  return { width, height, data: out };
}

/** Hues spread by the golden angle, in three brightnesses. */
function classColour(index: number): Colour {
  const hue = (index * 137.508) % 360;
  const value = [0.95, 0.7, 0.5][index % 3];
  const channel = (shift: number) => {
    const k = (shift + hue / 60) % 6;
    return 255 * (value - value * 0.65 * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Near is warm and bright, far is cool and dark. */
function depthColour(t: number): Colour {
  const u = Math.max(0, Math.min(1, t));
  return [255 * (1 - u) ** 0.8, 255 * (0.9 - 0.75 * u) * (1 - 0.3 * u), 80 + 120 * u * (1.2 - u)];
}

function rangeOf({ data }: MapData): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    if (value === IGNORE || value <= 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high > low ? [low, high] : [0, 1];
}
