// Angles and sums in WebAssembly against the functions of JavaScript, one pixel at a time.
import { expect } from 'chai';
import { ANGLE_LIMITS, BINS } from '../../../../modules/metrics/machinery/angles.js';
import { TRUNCATED } from '../../../../modules/metrics/machinery/depth-errors.js';
import { angleSums, depthSums } from '../../../../modules/metrics/machinery/kernels.js';
import { randomStream } from '../../../../registry/random.js';

/** More than two blocks, and an odd number. */
const PIXELS = 5001;
const DEGREES = 180 / Math.PI;

/** Vectors that are far apart, close together, the same, opposite, zero, and of all lengths. */
function vectors(): [Float32Array, Float32Array] {
  const random = randomStream('test', 'vectors');
  const [p, g] = [new Float32Array(3 * PIXELS), new Float32Array(3 * PIXELS)];
  for (let i = 0; i < PIXELS; i++) {
    const scale = 10 ** random.integer(7) / 1e3;
    for (let k = 0; k < 3; k++) {
      const at = 3 * i + k;
      g[at] = random.normal();
      p[at] = [
        () => random.normal() * scale,
        () => g[at] * (1 + 1e-3 * random.normal()),
        () => g[at] * scale,
        () => -g[at],
        () => 0,
      ][i % 5]();
    }
  }
  return [p, g];
}

const dot = (a: Float32Array, b: Float32Array, i: number): number =>
  a[i] * b[i] + a[i + 1] * b[i + 1] + a[i + 2] * b[i + 2];
const norm = (a: Float32Array, i: number): number => Math.sqrt(dot(a, a, i));

const BY_PIXEL = {
  acos(p: Float32Array, g: Float32Array, i: number) {
    const cosine = dot(p, g, i) / (norm(p, i) * norm(g, i) || 1);
    return Math.acos(Math.max(-1, Math.min(1, cosine))) * DEGREES;
  },
  atan2(p: Float32Array, g: Float32Array, i: number) {
    const [a, b] = [norm(p, i) + 1e-12, norm(g, i) + 1e-12];
    const combined = (sign: number) =>
      Math.hypot(...[0, 1, 2].map((k) => p[i + k] / a + (sign * g[i + k]) / b));
    return 2 * Math.atan2(combined(-1), combined(1)) * DEGREES;
  },
};

const vector = (data: Float32Array, i: number): Float32Array => data.subarray(3 * i, 3 * i + 3);
const angleOf = (form: 'acos' | 'atan2', p: Float32Array, g: Float32Array): number =>
  angleSums(form, p, g).angles;

describe('kernels of metrics', () => {
  for (const form of ['acos', 'atan2'] as const)
    it(`angles by ${form}`, () => {
      const [p, g] = vectors();
      const expected = Array.from({ length: PIXELS }, (_, i) => BY_PIXEL[form](p, g, 3 * i));
      // acos turns the rounding of a cosine near 1 into a millionth of a degree.
      const tolerance = form === 'acos' ? 2e-6 : 1e-11;
      expected.forEach((angle, i) =>
        expect(angleOf(form, vector(p, i), vector(g, i)), `pixel ${i}`).to.be.closeTo(angle, tolerance),
      );
      const sums = angleSums(form, p, g);
      const sum = (f: (angle: number) => number) => expected.reduce((total, angle) => total + f(angle), 0);
      expect(sums.count).to.equal(PIXELS);
      expect(sums.angles).to.be.closeTo(
        sum((angle) => angle),
        tolerance * PIXELS,
      );
      expect(sums.squares).to.be.closeTo(
        sum((angle) => angle ** 2),
        360 * tolerance * PIXELS,
      );
      for (const bin of [0, ...ANGLE_LIMITS.map((limit) => 100 * limit), 4500, BINS - 1])
        expect(
          sums.bins.slice(bin).reduce((a, b) => a + b),
          `from bin ${bin}`,
        ).to.equal(sum((angle) => Number(Math.min(BINS - 1, Math.floor(angle * 100)) >= bin)));
    });

  it('arc cosines of all sizes to the last digits', () => {
    for (let i = -1000; i <= 1000; i++) {
      const p = Float32Array.of(i / 1000, Math.sqrt(1 - (i / 1000) ** 2), 0);
      const expected = Math.acos(p[0] / norm(p, 0)) * DEGREES;
      expect(angleOf('acos', p, Float32Array.of(1, 0, 0))).to.be.closeTo(expected, 4e-12);
    }
  });

  it('unknown vectors are left out of sums and of the histogram', () => {
    const [p, g] = vectors();
    for (let i = 0; i < PIXELS; i += 2) g[3 * i] = 255;
    const { count, bins } = angleSums('acos', p, g);
    expect(count).to.equal((PIXELS - 1) / 2);
    expect(bins.reduce((a, b) => a + b)).to.equal(count);
  });

  it('limits are edges between bins', () => {
    // Vectors of all angles around a limit, in steps smaller than a bin.
    for (const form of ['acos', 'atan2'] as const)
      for (const limit of ANGLE_LIMITS) {
        const degrees = Array.from({ length: 41 }, (_, i) => limit + (i - 20) / 1e4);
        const p = Float32Array.from(
          degrees.flatMap((d) => [Math.cos(d / DEGREES), Math.sin(d / DEGREES), 0]),
        );
        const g = Float32Array.from(degrees.flatMap(() => [1, 0, 0]));
        const expected = degrees.filter((_, i) => BY_PIXEL[form](p, g, 3 * i) < limit).length;
        const { bins } = angleSums(form, p, g);
        expect(bins.slice(0, 100 * limit).reduce((a, b) => a + b)).to.equal(expected);
        expect(expected).to.be.within(15, 25);
      }
  });

  it('what is no number gives no number', () => {
    const one = Float32Array.of(1, 0, 0);
    for (const form of ['acos', 'atan2'] as const) {
      const { angles, bins } = angleSums(form, Float32Array.of(NaN, 0, 0), one);
      expect([angles, bins.at(-1)]).to.deep.equal([NaN, 1]);
    }
    const { count, squares, logs } = depthSums(Float32Array.of(NaN), Float32Array.of(1));
    expect([count, squares, logs]).to.deep.equal([1, NaN, NaN]);
    expect(depthSums(Float32Array.of(Infinity), Float32Array.of(1)).logs).to.deep.equal(NaN);
    // A pixel that is not known is left out, whatever is predicted there.
    expect(depthSums(Float32Array.of(NaN, 2), Float32Array.of(255, 2)).squares).to.equal(0);
  });

  it('sums of depth errors', () => {
    const random = randomStream('test', 'depths');
    const draw = (odd: () => number) =>
      Float32Array.from({ length: PIXELS }, (_, i) => (i % 7 === 0 ? odd() : 10 * random.uniform() + 1e-3));
    const g = draw(() => [255, 0, -1][random.integer(3)]);
    const p = draw(() => [0, -3, 1e-6, 1e6][random.integer(4)]);
    const expected = {
      count: 0,
      squares: 0,
      near: 0,
      nearSquares: 0,
      logs: 0,
      relative: 0,
      squaredRelative: 0,
      within1: 0,
      within2: 0,
      within3: 0,
    };
    for (let i = 0; i < PIXELS; i++) {
      if (g[i] === 255 || g[i] <= 0) continue;
      const guess = p[i] <= 0 ? 1e-9 : p[i];
      const square = (guess - g[i]) ** 2;
      const ratio = Math.max(guess / g[i], g[i] / guess);
      expected.count++;
      expected.squares += square;
      expected.near += Number(g[i] < TRUNCATED);
      expected.nearSquares += g[i] < TRUNCATED ? square : 0;
      expected.logs += (Math.log(guess) - Math.log(g[i])) ** 2;
      expected.relative += Math.abs(guess - g[i]) / g[i];
      expected.squaredRelative += square / g[i];
      expected.within1 += Number(ratio < 1.25);
      expected.within2 += Number(ratio < 1.25 ** 2);
      expected.within3 += Number(ratio < 1.25 ** 3);
    }
    const actual = depthSums(p, g);
    for (const [name, value] of Object.entries(expected))
      expect(actual[name as keyof typeof expected], name).to.be.closeTo(value, 1e-12 * value);
    expect(expected.near).to.be.within(1, expected.count - 1);
  });
});
