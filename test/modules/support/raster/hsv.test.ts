// Colours through HSV in WebAssembly against the same steps in plain JavaScript, to the last bit, for every kind of colour:
// grey, black, ties of channels. What OpenCV does is compared in test/modules/transforms/atrc.test.ts.
import { expect } from 'chai';
import { workspace } from '../../../../modules/support/raster/workspace.js';
import { randomStream } from '../../../../registry/random.js';

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function inJavaScript(
  [r, g, b]: number[],
  change: (h: number, s: number) => number[],
  toByte: (x: number) => number,
): number[] {
  const f = Math.fround;
  const value = Math.max(r, g, b);
  const range = value - Math.min(r, g, b);
  const turn = value === r ? g - b : value === g ? b - r + 2 * range : r - g + 4 * range;
  const byRange = range === 0 ? 0 : roundEven((180 << 12) / (6 * range));
  const byValue = value === 0 ? 0 : roundEven((255 << 12) / value);
  const degrees = (turn * byRange + 2048) >> 12;
  const [hue, saturation] = change(degrees < 0 ? degrees + 180 : degrees, (range * byValue + 2048) >> 12);
  const [s, v, sixths] = [f(saturation * f(1 / 255)), f(value * f(1 / 255)), f(hue * f(6 / 180))];
  const sector = Math.floor(sixths);
  const rest = f(sixths - sector);
  const p = f(v * f(1 - s));
  const q = f(v * f(1 - s * rest));
  const t = f(v * f(1 - s * f(1 - rest)));
  const rgb = [
    [v, t, p],
    [q, v, p],
    [p, v, t],
    [p, q, v],
    [t, p, v],
    [v, p, q],
  ][sector];
  return rgb.map((x) => toByte(f(x * 255)));
}

const random = randomStream('hsv');
const COLOURS = Array.from({ length: 8001 }, (_, i) => {
  const [a, b] = [random.integer(256), random.integer(256)];
  const ties = [
    [a, a, b],
    [a, b, a],
    [b, a, a],
    [a, a, a],
    [0, 0, b],
  ];
  return i % 3 === 0 ? ties[i % 5] : [a, b, random.integer(256)];
});

describe('HSV kernels', () => {
  const through = (kernel: 'saturateCut' | 'saturateRound' | 'turnCut' | 'turnRound', by: number) => {
    const space = workspace();
    const at = space.allocate(3 * COLOURS.length);
    space.bytes(at, 3 * COLOURS.length).set(COLOURS.flat());
    space.kernels[kernel](at, at + 3 * COLOURS.length, by);
    return [...space.bytes(at, 3 * COLOURS.length)];
  };

  for (const [ending, toByte] of [
    ['Cut', Math.trunc],
    ['Round', roundEven],
  ] as const) {
    it(`multiply saturation, results ${ending}`, () => {
      for (const factor of [0.5, 1, 1.37]) {
        const change = (h: number, s: number) => [
          h,
          Math.trunc(Math.min(255, Math.fround(s * Math.fround(factor)))),
        ];
        const expected = COLOURS.flatMap((colour) => inJavaScript(colour, change, toByte));
        expect(through(`saturate${ending}`, factor)).to.deep.equal(expected);
      }
    });

    it(`turn hue, results ${ending}`, () => {
      for (const by of [0, 17, 162]) {
        const change = (h: number, s: number) => [(h + by) % 180, s];
        const expected = COLOURS.flatMap((colour) => inJavaScript(colour, change, toByte));
        expect(through(`turn${ending}`, by)).to.deep.equal(expected);
      }
    });
  }
});
