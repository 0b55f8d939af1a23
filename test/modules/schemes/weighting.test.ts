// Every scheme against the independent PyTorch/NumPy implementation (test/reference), over the same course of losses
// and gradients: derivatives of the objective by TensorFlow.js, combined gradients, and that a scheme restored from
// its state at any step goes on in the same way.
import '../../../modules/index.js';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import { catalog } from '../../../registry/catalog.js';
import type { PerTask, Scheme } from '../../../registry/contracts/scheme.js';
import type { RandomStream } from '../../../registry/random.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { putArrays, takeArrays } from '../../../runners/store/state-arrays.js';
import { gramOf } from '../../../runners/training/step/task-gradients.js';
import { readJson } from '../../reference/fixtures.js';

interface Case {
  scheme: Slot;
  derivatives: number[][];
  combined: number[][];
  /** Samples that each step has; 2 where the second gradients count, too. */
  samples?: number;
}

const fixture = readJson('weighting.json') as {
  tasks: string[];
  stepsPerEpoch: number;
  rate: number;
  groups: { name: string; start: number; end: number }[];
  losses: number[][];
  again: number[][];
  gradients: number[][][];
  second: number[][][];
  uniforms: number[][];
  normals: number[][];
  integers: number[][];
  metrics: number[][];
  lossSchemes: Record<string, Case>;
  gradientSchemes: Record<string, Case>;
};
const { tasks: names, stepsPerEpoch, losses } = fixture;
const tasks: Task[] = names.map((name) => ({ name, kind: 'depth', channels: 1 }));
const create = (slot: Slot) => createTrialContainer(tasks).create('scheme', slot);
const perTask = (values: readonly number[]): PerTask<number> =>
  Object.fromEntries(names.map((name, i) => [name, values[i]]));

/** The random numbers that the reference had at this step. */
function recorded(step: number): RandomStream {
  const [normals, integers, uniforms] = [fixture.normals, fixture.integers, fixture.uniforms].map((all) => [
    ...all[step],
  ]);
  return {
    uniform: () => uniforms.shift()!,
    normal: () => normals.shift()!,
    integer: () => integers.shift()!,
  };
}

/** What the objective's gradient is multiplied by, for each raw loss, by TensorFlow.js. */
function derivatives(scheme: Scheme, raw: PerTask<number>): number[] {
  const inputs = {
    weights: mapTensors(scheme.weights()),
    scalars: mapTensors(scheme.scalars?.() ?? {}),
  };
  const objective = (...values: tf.Tensor[]) => {
    const entries = names.map((name, i) => [
      name,
      { value: scheme.project(values[i] as tf.Scalar), present: tf.scalar(1) },
    ]);
    const combined = scheme.combine(undefined as never, Object.fromEntries(entries), inputs);
    return combined instanceof tf.Tensor ? combined : (tf.addN(Object.values(combined)) as tf.Scalar);
  };
  return tf
    .grads(objective as never)(names.map((name) => tf.scalar(raw[name])))
    .map((gradient) => gradient.dataSync()[0]);
}

/** The same by what the scheme says of itself: factor on the projected loss, times the projection's derivative. */
function stated(scheme: Scheme, raw: PerTask<number>): number[] {
  const factors = { ...scheme.weights(), ...scheme.effective?.(raw) };
  return names.map((name) => {
    const slope = tf
      .grad((x) => scheme.project(x as tf.Scalar).mul(1))(tf.scalar(raw[name]))
      .dataSync()[0];
    return factors[name] * slope;
  });
}

const mapTensors = (numbers: Record<string, number>) =>
  Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, tf.scalar(value)]));

/** Takes a scheme through the course; `visit` sees every step before its update. */
function walk(scheme: Scheme, visit: (step: number, scheme: Scheme) => Scheme | void): void {
  let sums = names.map(() => 0);
  losses.forEach((values, step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    const info = { epoch, step, random: recorded(step) };
    scheme.stepBegin?.(info);
    scheme = visit(step, scheme) ?? scheme;
    scheme.stepEnd?.({
      ...info,
      rate: fixture.rate,
      raw: perTask(values),
      projected: perTask(values),
      again: perTask(fixture.again[step]),
    });
    sums = sums.map((sum, i) => sum + values[i]);
    if ((step + 1) % stepsPerEpoch !== 0) return;
    const means = perTask(sums.map((sum) => sum / stepsPerEpoch));
    scheme.epochEnd?.({ epoch, raw: means, projected: means });
    const [miou, rmse, angle] = fixture.metrics[epoch];
    scheme.evaluated?.({
      a: { value: miou, unit: '%', better: 'higher' },
      b: { value: rmse, unit: 'm', better: 'lower' },
      c: { value: angle, unit: 'deg', better: 'lower' },
    });
    sums = names.map(() => 0);
  });
}

/** A scheme of the same kind that goes on from the state of this one, through the checkpoint's format. */
function copyOf(scheme: Scheme, slot: Slot): Scheme {
  const { rest, arrays } = takeArrays(scheme.state());
  const copy = create(slot);
  copy.restore(putArrays(JSON.parse(JSON.stringify(rest)), arrays));
  return copy;
}

function expectNear(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  const scale = Math.max(...expected.map(Math.abs));
  actual.forEach((value, i) => expect(value, `${what}, ${i}`).to.be.closeTo(expected[i], tolerance * scale));
}

/** The mean over the samples of a step. */
function combine(scheme: Scheme, step: number, samples = 1): number[] {
  const all = [fixture.gradients[step], fixture.second[step]].slice(0, samples);
  const combined = all.map((gradients) => combineSample(scheme, step, gradients));
  return combined[0].map((_, i) => combined.reduce((sum, values) => sum + values[i] / samples, 0));
}

function combineSample(scheme: Scheme, step: number, gradients: number[][]): number[] {
  const vectors = gradients.map((values) => Float32Array.from(values));
  const { coefficients, combined } = scheme.needs!.gradients!.combine(
    {
      tasks: names,
      vectors,
      groups: fixture.groups,
      gram: gramOf(vectors),
      raw: losses[step],
      terms: losses[step],
      ahead: fixture.again[step],
    },
    { epoch: Math.floor(step / stepsPerEpoch), step, random: recorded(step) },
  );
  if (combined) return [...combined];
  return gradients[0].map((_, cell) =>
    coefficients.reduce((sum, factor, t) => sum + factor * vectors[t][cell], 0),
  );
}

describe('schemes against PyTorch and NumPy', () => {
  before(async () => {
    await tf.setBackend('cpu');
  });

  for (const [name, { scheme: slot, derivatives: expected }] of Object.entries(fixture.lossSchemes))
    it(`${name}: ${expected.length} steps`, () => {
      walk(create(slot), (step, scheme) => {
        const raw = perTask(losses[step]);
        expectNear(derivatives(scheme, raw), expected[step], 2e-5, `step ${step}`);
        expectNear(stated(scheme, raw), expected[step], 2e-5, `stated at step ${step}`);
      });
    });

  for (const [name, { scheme: slot, combined: expected, samples }] of Object.entries(fixture.gradientSchemes))
    it(`${name}: ${expected.length} steps`, () => {
      walk(create({ ...slot, shared: 'all' }), (step, scheme) => {
        expect(scheme.needs!.gradients!.samples).to.equal(samples);
        // SciPy's minimisers stop at about 1e-7 of the objective, so their weights are good to about 1e-4.
        const tolerance = /^(mgda|cagrad)/.test(name) ? 2e-4 : 1e-5;
        expectNear(combine(scheme, step, samples), expected[step], tolerance, `step ${step}`);
      });
    });

  for (const [name, { scheme: slot, derivatives: expected }] of Object.entries(fixture.lossSchemes))
    it(`${name}: goes on exactly from its state`, () => {
      const course: number[][] = [];
      walk(create(slot), (step, scheme) => void course.push(derivatives(scheme, perTask(losses[step]))));
      expect(course.length).to.equal(expected.length);
      walk(create(slot), (step, scheme) => {
        const copy = copyOf(scheme, slot);
        copy.stepBegin?.({ epoch: 0, step, random: recorded(step) });
        expect(derivatives(copy, perTask(losses[step]))).to.deep.equal(course[step]);
        return copy;
      });
    });

  for (const [name, { scheme: slot, samples }] of Object.entries(fixture.gradientSchemes))
    it(`${name}: goes on exactly from its state`, () => {
      const course: number[][] = [];
      const all = { ...slot, shared: 'all' };
      walk(create(all), (step, scheme) => void course.push(combine(scheme, step, samples)));
      walk(create(all), (step, scheme) => {
        const copy = copyOf(scheme, all);
        expect(combine(copy, step, samples)).to.deep.equal(course[step]);
        return copy;
      });
    });

  it('every scheme of the catalog is here or in the tests of loss prioritisation', () => {
    const covered = new Set(
      [...Object.values(fixture.lossSchemes), ...Object.values(fixture.gradientSchemes)].map(
        ({ scheme }) => scheme.type,
      ),
    );
    const missing = catalog
      .list('scheme')
      .map((entry) => entry.name)
      .filter((name) => !covered.has(name));
    expect(missing).to.deep.equal(['compose', 'equal', 'log', 'lps', 'manual', 'prioritization']);
  });
});
