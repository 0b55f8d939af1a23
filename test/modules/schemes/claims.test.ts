// What gradient schemes promise of the combined gradient d, on gradients of three tasks that conflict.
import '../../../modules/index.js';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import type { Scheme } from '../../../registry/contracts/scheme.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { randomStream } from '../../../registry/random.js';
import { gramOf } from '../../../runners/training/step/task-gradients.js';

const NAMES = ['a', 'b', 'c'];
const tasks: Task[] = NAMES.map((name) => ({ name, kind: 'depth', channels: 1 }));
const random = randomStream('claims');
const LENGTHS = [1, 20, 0.1];

/** The second task against the first, lengths far apart. */
function draw(count = 3): Float32Array[] {
  const vectors = Array.from({ length: count }, () =>
    Float32Array.from({ length: 16 }, () => random.normal()),
  );
  vectors[1] = vectors[1].map((x, i) => 0.4 * x - vectors[0][i]);
  return vectors.map((vector, t) => vector.map((x) => LENGTHS[t] * x));
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const length = (a: ArrayLike<number>) => Math.sqrt(dot(a, a));

function combination(scheme: Scheme, vectors: Float32Array[], step = 0) {
  const losses = vectors.map(() => 1);
  return scheme.needs!.gradients!.combine(
    {
      tasks: NAMES.slice(0, vectors.length),
      vectors,
      groups: [{ name: 'w', start: 0, end: vectors[0].length }],
      gram: gramOf(vectors),
      raw: losses,
      terms: losses,
    },
    { epoch: 1, step, random: randomStream('claims', step) },
  );
}

function mix(scheme: Scheme, vectors: Float32Array[], step = 0) {
  const { coefficients, combined } = combination(scheme, vectors, step);
  const sum = vectors[0].map((_, i) =>
    coefficients.reduce((total, factor, t) => total + factor * vectors[t][i], 0),
  );
  return { coefficients, d: combined ?? sum };
}

const create = (slot: Slot, count = 3) => createTrialContainer(tasks.slice(0, count)).create('scheme', slot);

describe('what gradient schemes promise', () => {
  const rounds = Array.from({ length: 20 }, (_, i) => i);

  it('mgda: no task objects, and d is the shortest', () => {
    for (const _ of rounds) {
      const vectors = draw();
      const { d } = mix(create({ type: 'mgda' }), vectors);
      for (const g of vectors) {
        expect(dot(d, g)).to.be.at.least(dot(d, d) * (1 - 1e-4) - 1e-9);
        expect(length(d)).to.be.at.most(length(g) * (1 + 1e-6));
      }
    }
  });

  it('pcgrad: of two tasks neither gets worse', () => {
    for (const step of rounds) {
      const vectors = draw(2);
      expect(dot(vectors[0], vectors[1])).to.be.below(0);
      const { d } = mix(create({ type: 'pcgrad' }, 2), vectors, step);
      for (const g of vectors) expect(dot(d, g) / length(g) ** 2).to.be.at.least(-1e-6);
    }
  });

  it('cagrad: the worst-off task fares better than with the mean gradient, within the ball', () => {
    for (const _ of rounds) {
      const vectors = draw();
      const { d } = mix(create({ type: 'cagrad', c: 0.5, rescale: 0 }), vectors);
      const mean = vectors[0].map((__, i) => vectors.reduce((sum, g) => sum + g[i] / 3, 0));
      const worst = (x: Float32Array) => Math.min(...vectors.map((g) => dot(x, g)));
      expect(worst(d)).to.be.above(worst(mean));
      expect(length(d.map((x, i) => x - mean[i]))).to.be.at.most(0.5 * length(mean) * (1 + 1e-5));
    }
  });

  it('imtl_g: the projections on all gradients are equal', () => {
    for (const _ of rounds) {
      const vectors = draw();
      const { d, coefficients } = mix(create({ type: 'imtl_g' }), vectors);
      const projections = vectors.map((g) => dot(d, g) / length(g));
      for (const projection of projections) expect(projection / projections[0]).to.be.closeTo(1, 1e-3);
      expect(coefficients.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-9);
    }
  });

  for (const scale of [1e-3, 0.1, 1, 10, 1e3])
    it(`nash_mtl: every task's a_i (M a)_i is 1, with losses times ${scale}`, () => {
      for (const _ of rounds) {
        const vectors = draw().map((vector) => vector.map((x) => scale * x));
        const { d, coefficients } = mix(create({ type: 'nash_mtl', max_norm: null }), vectors);
        const gains = vectors.map((g, t) => coefficients[t] * dot(d, g));
        for (const gain of gains) expect(gain).to.be.closeTo(1, 1e-3);
        expect(length(d)).to.be.closeTo(Math.sqrt(vectors.length), 1e-3);
      }
    });

  it('nash_mtl: outside the shared set the weights count unclipped', () => {
    const vectors = draw();
    const [free, clipped] = [null, 0.01].map((max_norm) =>
      combination(create({ type: 'nash_mtl', max_norm }), vectors),
    );
    expect(clipped.outside).to.deep.equal(free.coefficients);
    expect(clipped.coefficients[0]).to.be.below(free.coefficients[0]);
  });

  it('nash_mtl: the combined gradient is not longer than allowed', () => {
    const { d } = mix(create({ type: 'nash_mtl', max_norm: 0.01 }), draw());
    expect(length(d)).to.be.closeTo(0.01, 1e-5);
  });

  it('gradvac: of two tasks the cosine rises to what is wanted', () => {
    const scheme = create({ type: 'gradvac', beta: 1 }, 2);
    const agreeing = draw(2);
    agreeing[1] = agreeing[0].map((x, i) => 20 * (x + 0.01 * agreeing[1][i]));
    mix(scheme, agreeing);
    const wanted = dot(agreeing[0], agreeing[1]) / (length(agreeing[0]) * length(agreeing[1]));
    const vectors = draw(2);
    const { coefficients } = mix(scheme, vectors, 1);
    // Each task's own gradient, turned towards the other: d is their sum, so that the coefficients exceed 1.
    expect(wanted).to.be.above(0.5);
    expect(Math.min(...coefficients)).to.be.above(1);
  });

  it('aligned_mtl: rescaling a gradient does not change the direction much', () => {
    const vectors = draw();
    const scaled = vectors.map((g, t) => (t === 0 ? g.map((x) => 100 * x) : g));
    const cosine = (type: string) => {
      const [a, b] = [mix(create({ type }), vectors).d, mix(create({ type }), scaled).d];
      return dot(a, b) / (length(a) * length(b));
    };
    expect(cosine('gradient_sum')).to.be.below(0.1);
    expect(cosine('aligned_mtl')).to.be.above(0.6);
  });

  it('db_mtl: every task brings a gradient of the same length', () => {
    const vectors = draw();
    const { coefficients } = mix(create({ type: 'db_mtl', shared: 'all', beta: 0 }), vectors);
    const lengths = vectors.map((g, t) => coefficients[t] * length(g));
    for (const each of lengths) expect(each / Math.max(...lengths)).to.be.closeTo(1, 1e-5);
  });

  it('gradnorm: the lengths of weighted gradients approach each other', () => {
    const scheme = create({ type: 'gradnorm', rate: 0.05 });
    const vectors = draw();
    const gap = () => {
      const { coefficients } = mix(scheme, vectors);
      const lengths = vectors.map((g, t) => coefficients[t] * length(g));
      return Math.log(Math.max(...lengths) / Math.min(...lengths));
    };
    scheme.epochEnd!({ epoch: 0, raw: { a: 1, b: 1, c: 1 }, projected: { a: 1, b: 1, c: 1 } });
    const before = gap();
    for (let step = 0; step < 200; step++) {
      mix(scheme, vectors);
      scheme.stepEnd!({ epoch: 1, step, rate: 1, raw: {}, projected: {} });
    }
    expect(gap()).to.be.below(0.2 * before);
  });

  it('excess_mtl: a task whose gradient does not shrink gains weight on one that is done', () => {
    const scheme = create({ type: 'excess_mtl', shared: 'all' });
    let weights: readonly number[] = [];
    for (let step = 0; step < 50; step++) {
      const vectors = draw().map((g, t) => (t === 2 ? g.map((x) => x * 0.8 ** step) : g));
      weights = mix(scheme, vectors, step).coefficients;
    }
    expect(weights[2]).to.be.below(Math.min(weights[0], weights[1]));
    expect(weights.reduce((a, b) => a + b, 0)).to.be.closeTo(3, 1e-9);
  });
});
