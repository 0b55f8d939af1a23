// Predictions and labels as pictures: a colour for each class, depth from near and warm to far and dark, normals as
// colours of directions, probabilities as brightness. Also the legends of these colours.
import type { MapData } from '../../registry/contracts/data.js';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';

export type Colour = readonly [number, number, number];
/** RGB, row-major. */
export interface Picture {
  width: number;
  height: number;
  data: Buffer;
}

/** What nothing is known about. */
const UNKNOWN: Colour = [40, 40, 40];

/** What the colours of a task's pictures mean. */
export type Legend =
  | { kind: 'swatches'; entries: { name: string; colour: string }[] }
  /** Colours from low to high. */
  | { kind: 'scale'; low: string; high: string; colours: string[] };

export function photograph({ width, height, data }: MapData): Picture {
  const bytes = Uint8Array.from(data, (v) => Math.max(0, Math.min(255, Math.round(v))));
  return { width, height, data: Buffer.from(bytes) };
}

/** @param range what the ends of the colour scale stand for, where there is one */
export function paint(
  { width, height, channels, data }: MapData,
  { kind }: Task,
  [low, high]: readonly [number, number] = [0, 1],
): Picture {
  const out = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const first = data[i * channels];
    let colour: Colour = UNKNOWN;
    if (first !== IGNORE) {
      if (kind === 'classes') colour = classColour(first);
      else if (kind === 'depth') colour = depthColour((first - low) / (high - low));
      else if (kind === 'normals') colour = normalColour(first, data[i * 3 + 1], data[i * 3 + 2]);
      else colour = probabilityColour(first);
    }
    for (let k = 0; k < 3; k++) out[i * 3 + k] = Math.max(0, Math.min(255, Math.round(colour[k])));
  }
  return { width, height, data: out };
}

/**
 * @param maps what the legend is for: only classes that occur are listed
 * @param range as given to `paint`
 */
export function legendOf(
  task: Task,
  maps: readonly MapData[],
  [low, high]: readonly [number, number],
): Legend {
  switch (task.kind) {
    case 'classes': {
      const found = new Set<number>();
      for (const { data } of maps) for (const value of data) if (value !== IGNORE) found.add(value);
      return {
        kind: 'swatches',
        entries: [...found]
          .sort((a, b) => a - b)
          .map((index) => ({
            name: task.classes?.[index] ?? String(index),
            colour: css(classColour(index)),
          })),
      };
    }
    case 'depth':
      return {
        kind: 'scale',
        low: `${low.toFixed(1)} m`,
        high: `${high.toFixed(1)} m`,
        colours: scaleOf(depthColour),
      };
    case 'normals':
      return {
        kind: 'swatches',
        entries: (
          [
            ['towards the camera', [0, 0, -1]],
            ['left', [-1, 0, 0]],
            ['right', [1, 0, 0]],
            ['up', [0, -1, 0]],
            ['down', [0, 1, 0]],
          ] as const
        ).map(([name, [x, y, z]]) => ({ name, colour: css(normalColour(x, y, z)) })),
      };
    case 'binary':
      return { kind: 'scale', low: '0', high: '1', colours: scaleOf(probabilityColour) };
  }
}

/** The range of a map's known positive values. */
export function rangeOf(...maps: readonly MapData[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { data } of maps)
    for (const value of data) {
      if (value === IGNORE || value <= 0) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return high > low ? [low, high] : [0, 1];
}

/**
 * Colours of classes, each as far from those before it as the colours of a grid allow, as seen (CIE Lab): neighbours
 * in the list of classes are far apart, and no two of the 64 are alike.
 */
const CLASS_COLOURS: readonly Colour[] = farApart(64);

export const classColour = (index: number): Colour => CLASS_COLOURS[index % CLASS_COLOURS.length];

function farApart(count: number): Colour[] {
  const steps = [20, 67, 114, 161, 208, 255];
  const left = steps.flatMap((r) =>
    steps.flatMap((g) =>
      steps.map((b): { colour: Colour; lab: Colour } => ({ colour: [r, g, b], lab: labOf([r, g, b]) })),
    ),
  );
  // What is unknown is dark grey, and pages are white.
  const taken = [labOf(UNKNOWN), labOf([255, 255, 255])];
  const nearest = left.map(({ lab }) => Math.min(...taken.map((other) => distance(lab, other))));
  return Array.from({ length: count }, () => {
    const best = nearest.indexOf(Math.max(...nearest));
    left.forEach(({ lab }, i) => (nearest[i] = Math.min(nearest[i], distance(lab, left[best].lab))));
    return left[best].colour;
  });
}

function distance(a: Colour, b: Colour): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** sRGB to CIE Lab under D65. */
export function labOf(colour: Colour): Colour {
  const [r, g, b] = colour.map((v) =>
    v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  );
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Near is warm and bright, far is cool and dark. */
function depthColour(t: number): Colour {
  const u = Math.max(0, Math.min(1, t));
  return [255 * (1 - u) ** 0.8, 255 * (0.9 - 0.75 * u) * (1 - 0.3 * u), 80 + 120 * u * (1.2 - u)];
}

const probabilityColour = (p: number): Colour => [255 * p, 255 * p, 255 * p];

/** Colours from 0 to 1, in steps that a legend shows side by side. */
const scaleOf = (colour: (t: number) => Colour): string[] =>
  Array.from({ length: 9 }, (_, i) => css(colour(i / 8)));

/** x right, y down, z forward; what faces the camera is light blue, what faces up green. */
const normalColour = (x: number, y: number, z: number): Colour => [
  127.5 * (x + 1),
  127.5 * (1 - y),
  127.5 * (1 - z),
];

const css = (colour: Colour): string =>
  `#${colour
    .map((v) =>
      Math.max(0, Math.min(255, Math.round(v)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
