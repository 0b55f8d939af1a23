// Loss weighting: LPS against an independent NumPy implementation for every reading of Eq 4, the worked example
// of the protocol, and what each scheme makes of losses.
import '../../../modules/index.js';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import type { Scheme } from '../../../registry/contracts/scheme.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { readJson } from '../../reference/fixtures.js';

const tasks: Task[] = ['semseg', 'depth', 'normals'].map((name) => ({ name, kind: 'depth', channels: 1 }));
const create = (type: string, options = {}) =>
  createTrialContainer(tasks).create('scheme', { type, ...options });
const named = (values: number[]) => Object.fromEntries(tasks.map(({ name }, i) => [name, values[i]]));

const fixture = readJson('schemes.json') as {
  losses: number[][];
  cases: { history: number; spread: number; reading: string; weights: number[][] }[];
  warmUps: {
    warmUp: number;
    stepsPerEpoch: number;
    losses: (number | null)[][];
    spread: number;
    weights: number[][];
    without: number[][];
  }[];
  minWeight: unknown;
  example: unknown;
};

function course(scheme: Scheme, losses: number[][]): number[][] {
  return losses.map((values, epoch) => {
    scheme.epochEnd!({ epoch, raw: named(values), projected: named(values) });
    return Object.values(scheme.weights());
  });
}

function expectCourse(actual: number[][], expected: number[][]): void {
  expected.forEach((weights, epoch) =>
    weights.forEach((weight, i) =>
      expect(actual[epoch][i], `epoch ${epoch}, task ${i}`).to.be.closeTo(weight, 1e-9),
    ),
  );
}

describe('loss weighting', () => {
  for (const { history, spread, reading, weights } of fixture.cases)
    it(`lps: history ${history}, spread ${spread}, ${reading}`, () => {
      expectCourse(
        course(create('lps', { history, spread, reading, min_weight: null }), fixture.losses),
        weights,
      );
      expectCourse(
        course(create('prioritization', { history, spread, reading, min_weight: null }), fixture.losses),
        weights,
      );
    });

  it('lps by hand: losses that fall by 20, 10 and 50 percent', () => {
    // Shares before: 3, 1, .42 of 4.42; after: 2.4, .9, .21 of 3.51. Weights are the ratios of the shares.
    const before = [3, 1, 0.42];
    const after = [2.4, 0.9, 0.21];
    const ratios = after.map((l, i) => l / 3.51 / (before[i] / 4.42));
    const [w] = [course(create('lps', { spread: 1 }), [before, after])[1]];
    w.forEach((weight, i) => expect(weight).to.be.closeTo(ratios[i], 1e-12));
    expect(w.map((x) => Number(x.toFixed(3)))).to.deep.equal([1.007, 1.133, 0.63]);
    // Deviations from their mean, times 7.5, would turn the last weight negative: it is cut at 0 unless asked for.
    const mean = (ratios[0] + ratios[1] + ratios[2]) / 3;
    const wide = mean + 7.5 * (ratios[2] - mean);
    expect(wide).to.be.below(-1);
    expect(course(create('lps', { spread: 7.5 }), [before, after])[1][2]).to.equal(0);
    expect(course(create('lps', { spread: 7.5, min_weight: null }), [before, after])[1][2]).to.be.closeTo(
      wide,
      1e-12,
    );
  });

  for (const { warmUp, stepsPerEpoch, losses, spread, weights, without } of fixture.warmUps)
    it(`the first epoch by its last ${warmUp} steps, also from a checkpoint inside it`, () => {
      const means = (rows: (number | null)[][]) =>
        tasks.map((_, t) => {
          const known = rows.map((row) => row[t]).filter((loss) => loss !== null);
          return known.reduce((a, b) => a + b, 0) / known.length;
        });
      const walk = (type: string, warm_up: number | null) => {
        let scheme = create(type, { warm_up, spread });
        const found: number[][] = [];
        losses.forEach((row, step) => {
          const epoch = Math.floor(step / stepsPerEpoch);
          const entries = tasks.map(({ name }, t) => [name, row[t]]).filter(([, loss]) => loss !== null);
          const known = Object.fromEntries(entries) as Record<string, number>;
          const info = { epoch, step, rate: 1, random: undefined as never };
          scheme.stepEnd?.({ ...info, raw: known, projected: known });
          if (step === stepsPerEpoch - 2) {
            const copy = create(type, { warm_up, spread });
            copy.restore(JSON.parse(JSON.stringify(scheme.state())));
            scheme = copy;
          }
          if ((step + 1) % stepsPerEpoch !== 0) return;
          const mean = named(means(losses.slice(step + 1 - stepsPerEpoch, step + 1)));
          scheme.epochEnd!({ epoch, raw: mean, projected: mean });
          found.push(Object.values(scheme.weights()));
        });
        return found;
      };
      for (const type of ['lps', 'prioritization']) {
        expectCourse(walk(type, warmUp), weights);
        expectCourse(walk(type, null), without);
      }
      expect(weights[1]).to.not.deep.equal(without[1]);
    });

  it('lps by hand: three epochs back, every reading of Eq 4', () => {
    // Projected losses, their sums 4, 2.5, 2, 2, and so the shares
    //   .5 .25 .25    .6 .2 .2    .4 .4 .2    .5 .25 .25
    const losses = [
      [2, 1, 1],
      [1.5, 0.5, 0.5],
      [0.8, 0.8, 0.4],
      [1, 0.5, 0.5],
    ];
    const expected: [options: object, epoch: number, weights: number[]][] = [
      // One epoch back: .4/.6, .4/.2, .2/.2.
      [{ history: 1 }, 2, [2 / 3, 2, 1]],
      // Mean of 1.2 and 2/3, of .8 and 2, of .8 and 1.
      [{ history: 2 }, 2, [14 / 15, 1.4, 0.9]],
      // .4/.5, .4/.25, .2/.25, and their roots.
      [{ history: 2, reading: 'endpoint' }, 2, [0.8, 1.6, 0.8]],
      [{ history: 2, reading: 'geometric' }, 2, [Math.sqrt(0.8), Math.sqrt(1.6), Math.sqrt(0.8)]],
      // Means of the last two shares (.45 .325 .225) over those of the two before (.55 .225 .225).
      [{ history: 2, reading: 'window' }, 3, [9 / 11, 13 / 9, 1]],
      // Eq 5 and 6: mean 11/9, deviations -5/9, 7/9, -2/9, times 2.5; the first would be -1/6.
      [{ history: 1, spread: 2.5 }, 2, [0, 19 / 6, 2 / 3]],
      [{ history: 1, spread: 2.5, min_weight: null }, 2, [-1 / 6, 19 / 6, 2 / 3]],
    ];
    for (const [options, epoch, weights] of expected) {
      const found = course(create('lps', { spread: 1, ...options }), losses)[epoch];
      weights.forEach((weight, i) =>
        expect(found[i], `${JSON.stringify(options)}, task ${i}`).to.be.closeTo(weight, 1e-12),
      );
    }
  });

  it('lps keeps the share of a task that had no valid pixel in an epoch', () => {
    const scheme = create('lps', { spread: 1 });
    scheme.epochEnd!({ epoch: 0, raw: {}, projected: { semseg: 2, depth: 1, normals: 1 } });
    scheme.epochEnd!({ epoch: 1, raw: {}, projected: { semseg: 2, depth: 2 } });
    expect(scheme.weights().normals).to.equal(1);
    expect(Object.values(scheme.weights()).every(Number.isFinite)).to.equal(true);
  });

  it('lps variants: what the released code prints and what it trains with', () => {
    const losses = [
      [3, 1, 0.5],
      [2, 0.9, 0.4],
    ];
    expect(
      course(
        create('lps', { variant: 'code', first: 'inverse_share', min_weight: null, spread: 7.5 }),
        losses,
      )[1],
    ).to.deep.equal([1, 1, 1]);
    const intended = course(
      create('lps', { variant: 'code_intended', first: 'inverse_share', min_weight: null, spread: 7.5 }),
      losses,
    );
    intended[0].forEach((weight, i) => expect(weight).to.be.closeTo(4.5 / losses[0][i], 1e-12));
    expect(intended[1]).not.to.deep.equal([1, 1, 1]);
  });

  it('state is restored exactly', () => {
    const first = create('lps', { history: 2 });
    course(first, fixture.losses.slice(0, 4));
    const second = create('lps', { history: 2 });
    second.restore(JSON.parse(JSON.stringify(first.state())));
    expect(course(second, fixture.losses.slice(4))).to.deep.equal(course(first, fixture.losses.slice(4)));
  });

  it('objectives: sums of losses, of their logarithms, weighted', async () => {
    await tf.setBackend('cpu');
    const losses = { semseg: tf.scalar(3), depth: tf.scalar(0.5), normals: tf.scalar(0.2) };
    const value = (scheme: Scheme) => {
      const projected = Object.fromEntries(
        Object.entries(losses).map(([task, loss]) => [
          task,
          { value: scheme.project(loss), present: tf.scalar(1) },
        ]),
      );
      const weights = Object.fromEntries(
        Object.entries(scheme.weights()).map(([task, w]) => [task, tf.scalar(w)]),
      );
      const terms = scheme.combine(undefined as never, projected, { weights, scalars: {} });
      return tf.addN(Object.values(terms as Record<string, tf.Scalar>)).dataSync()[0];
    };
    const logs = [3, 0.5, 0.2].map((l) => Math.log(1 + 1e-6 + l)).reduce((a, b) => a + b);
    expect(value(create('equal'))).to.be.closeTo(3.7, 1e-6);
    expect(value(create('manual', { weights: { depth: 10 } }))).to.be.closeTo(8.2, 1e-6);
    expect(value(create('log'))).to.be.closeTo(logs, 1e-6);
    expect(value(create('lps'))).to.be.closeTo(logs, 1e-6);
    expect(value(create('prioritization'))).to.be.closeTo(3.7, 1e-6);
  });

  it('manual weights for a task that is not there are refused', () => {
    expect(() => create('manual', { weights: { dept: 2 } })).to.throw(/no task "dept"/);
  });
});
