// Colours that pictures of several kinds of tasks share.
import type { Colour, Legend, Range } from '../../../registry/index.js';

/** What nothing is known about. */
export const UNKNOWN: Colour = [40, 40, 40];

/**
 * Colours of classes, each as far from those before it as the colours of a grid allow, as seen (CIE Lab): neighbours
 * in the list of classes are far apart, and no two of the 64 are alike.
 */
let classColours: readonly Colour[] | undefined;

export function classColour(index: number): Colour {
  // Made when it is first asked for: threads that load data draw nothing.
  classColours ??= farApart(64);
  return classColours[index % classColours.length];
}

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

/** Low is warm and bright, high is cool and dark: near and far, for depth. */
export function warmToCool(t: number): Colour {
  const u = Math.max(0, Math.min(1, t));
  return [255 * (1 - u) ** 0.8, 255 * (0.9 - 0.75 * u) * (1 - 0.3 * u), 80 + 120 * u * (1.2 - u)];
}

export const grey = (p: number): Colour => [255 * p, 255 * p, 255 * p];

/** Where a value lies in a range, 0 at its low end and 1 at its high end. */
export const shareOf = (value: number, [low, high]: Range): number => (value - low) / (high - low);

/** A legend with the colours from low to high, in steps that it shows side by side. */
export const scale = (low: string, high: string, colour: (t: number) => Colour): Legend => ({
  kind: 'scale',
  low,
  high,
  colours: Array.from({ length: 9 }, (_, i) => css(colour(i / 8))),
});

export const css = (colour: Colour): string =>
  `#${colour
    .map((v) =>
      Math.max(0, Math.min(255, Math.round(v)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
