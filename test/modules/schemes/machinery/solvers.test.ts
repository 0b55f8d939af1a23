// The small optimisation problems behind gradient schemes: optimality conditions on random Gram matrices of all
// scales, and what is done where gradients are collinear, opposite or zero.
import { expect } from 'chai';
import { ascentWeights } from '../../../../modules/schemes/machinery/solvers/ascent.js';
import { randomStream } from '../../../../registry/random.js';
import {
  dot,
  eigenSymmetric,
  form,
  solve,
  times,
  type Matrix,
} from '../../../../modules/schemes/machinery/solvers/linear.js';
import { dualConeWeights } from '../../../../modules/schemes/machinery/solvers/dual-cone.js';
import { fairWeights } from '../../../../modules/schemes/machinery/solvers/fair.js';
import {
  conflictAverse,
  minimumNorm,
  nearestInSimplex,
  simplexQuadratic,
} from '../../../../modules/schemes/machinery/solvers/simplex.js';

const random = randomStream('solvers');
const normals = (count: number) => Array.from({ length: count }, () => random.normal());
const gramOf = (vectors: readonly (readonly number[])[]): number[][] =>
  vectors.map((a) => vectors.map((b) => dot(a, b)));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Gradients of K tasks whose lengths differ by up to 10^4, some of them nearly against each other. */
function gradients(tasks: number): number[][] {
  const vectors = Array.from({ length: tasks }, () => normals(12));
  if (random.uniform() < 0.5) vectors[1] = vectors[0].map((x, i) => -x + 0.1 * vectors[1][i]);
  return vectors.map((vector) => {
    const length = 10 ** (4 * random.uniform() - 2);
    return vector.map((x) => length * x);
  });
}

const CASES = Array.from({ length: 60 }, (_, i) => gramOf(gradients(2 + (i % 5))));

/** Slopes of tasks in use are equal and no other lies below, relative to the lengths of the gradients. */
function expectOptimal(w: readonly number[], slopes: readonly number[], scale: number): void {
  expect(sum(w)).to.be.closeTo(1, 1e-12);
  expect(Math.min(...w)).to.be.at.least(0);
  const level = dot(w, slopes);
  slopes.forEach((slope, i) => {
    expect((level - slope) / scale, `slope of task ${i}`).to.be.at.most(1e-7);
    expect((w[i] * Math.abs(slope - level)) / scale, `complementarity of task ${i}`).to.be.at.most(1e-7);
  });
}

describe('solvers of gradient schemes', () => {
  it('linear systems, singular ones included', () => {
    for (const gram of CASES) {
      const x = normals(gram.length);
      const found = solve(gram, times(gram, x))!;
      const lengths = gram.map((row, i) => Math.sqrt(row[i]));
      found.forEach((value, i) =>
        expect(value * lengths[i]).to.be.closeTo(x[i] * lengths[i], 1e-4 * Math.max(...lengths)),
      );
    }
    expect(
      solve(
        [
          [1, 2],
          [2, 4],
        ],
        [1, 1],
      ),
    ).to.equal(undefined);
    expect(
      solve(
        [
          [0, 2],
          [3, 0],
        ],
        [4, 9],
      ),
    ).to.deep.equal([3, 2]);
  });

  it('eigenvectors', () => {
    for (const gram of CASES) {
      const { values, vectors } = eigenSymmetric(gram);
      values.forEach((value, k) => {
        times(gram, vectors[k]).forEach((x, i) =>
          expect(x).to.be.closeTo(value * vectors[k][i], 1e-12 * values[0]),
        );
        vectors.forEach((other, l) => expect(dot(vectors[k], other)).to.be.closeTo(k === l ? 1 : 0, 1e-12));
        if (k > 0) expect(value).to.be.at.most(values[k - 1]);
      });
    }
  });

  it('quadratic problems over the simplex satisfy their KKT conditions', () => {
    for (const gram of CASES) {
      const linear = normals(gram.length).map((x, i) => x * gram[i][i]);
      const w = simplexQuadratic(gram, linear);
      const slopes = times(gram, w).map((x, i) => x + linear[i]);
      expectOptimal(w, slopes, Math.max(...gram.map((row, i) => row[i])));
    }
  });

  it('the shortest vector makes at least its own square with every gradient', () => {
    for (const gram of CASES) {
      const w = minimumNorm(gram);
      const square = form(w, gram, w);
      const scale = Math.min(...gram.map((row, i) => row[i]));
      times(gram, w).forEach((product) => expect(product).to.be.at.least(square - 1e-7 * scale));
      gram.forEach((row, i) => expect(square).to.be.at.most(row[i] * (1 + 1e-12)));
    }
  });

  it('the shortest of two vectors, in closed form', () => {
    for (const gram of CASES.filter((matrix) => matrix.length === 2)) {
      const [[aa, ab], [, bb]] = gram;
      const w = Math.min(1, Math.max(0, (bb - ab) / (aa + bb - 2 * ab)));
      expect(minimumNorm(gram)[0]).to.be.closeTo(w, 1e-9);
    }
  });

  it('CAGrad: the slopes of g_w . g_0 + radius |g_w| are optimal', () => {
    for (const gram of CASES) {
      const mean = gram.map(() => 1 / gram.length);
      const radius = 0.5 * Math.sqrt(form(mean, gram, mean));
      const w = conflictAverse(gram, radius);
      const length = Math.sqrt(form(w, gram, w));
      const slopes = times(gram, mean).map((x, i) => x + (radius * times(gram, w)[i]) / length);
      expectOptimal(w, slopes, Math.max(...gram.map((row, i) => row[i])));
    }
  });

  it('Nash: M a = 1 / a', () => {
    for (const gram of CASES) {
      const a = fairWeights(gram)!;
      expect(a.every((x) => x > 0)).to.equal(true);
      times(gram, a).forEach((x, i) => expect(x * a[i]).to.be.closeTo(1, 1e-9));
    }
  });

  it('fair weights: M a = a^(-1/alpha), whatever the scale of the gradients', () => {
    for (const gram of CASES)
      for (const alpha of [0.5, 5])
        for (const scale of [1e-4, 1e4]) {
          const scaled = gram.map((row) => row.map((x) => scale * x));
          const a = fairWeights(scaled, alpha)!;
          expect(a.every((x) => x > 0)).to.equal(true);
          times(scaled, a).forEach((x, i) => expect(x * a[i] ** (1 / alpha)).to.be.closeTo(1, 1e-7));
        }
  });

  it('dual cone: no task objects, and only tasks that would are given more weight', () => {
    let conflicts = 0;
    for (const gram of CASES) {
      const lengths = gram.map((row, i) => Math.sqrt(row[i]));
      for (const wanted of [
        gram.map(() => 1),
        ...gram.map((_, k) => gram.map((__, i) => (i === k ? 1 : 0))),
      ]) {
        const v = dualConeWeights(gram, wanted);
        const gains = times(gram, v).map((x, i) => x / lengths[i]);
        const scale = Math.max(...wanted.map((u, i) => u * lengths[i]));
        gains.forEach((gain, i) => {
          expect(gain / scale, `gain of ${i}`).to.be.at.least(-1e-7);
          expect(v[i]).to.be.at.least(wanted[i]);
          if (v[i] > wanted[i]) {
            conflicts++;
            expect(Math.abs(gain) / scale, `complementarity of ${i}`).to.be.at.most(1e-7);
          }
        });
      }
    }
    expect(conflicts).to.be.above(50);
    const [g, against] = [
      [3, 4],
      [-6, -8],
    ];
    for (const vectors of [
      [g, g],
      [g, against],
    ])
      expect(dualConeWeights(gramOf(vectors), [1, 0]).every(Number.isFinite)).to.equal(true);
  });

  it('the nearest point of the simplex', () => {
    for (let i = 0; i < 50; i++) {
      const v = normals(2 + (i % 5)).map((x) => 2 * x);
      const w = nearestInSimplex(v);
      // Minimum of |w - v|^2 / 2: the slopes w - v.
      expectOptimal(
        w,
        w.map((x, t) => x - v[t]),
        1,
      );
    }
    expect(nearestInSimplex([0.25, 0.75])).to.deep.equal([0.25, 0.75]);
    expect(nearestInSimplex([5, 0])).to.deep.equal([1, 0]);
  });

  it('collinear, opposite and zero gradients', () => {
    const g = [3, 4];
    const collinear = gramOf([g, g.map((x) => 2 * x)]);
    const opposite = gramOf([g, g.map((x) => -2 * x)]);
    const equal = gramOf([g, g]);
    const zero: Matrix = [
      [0, 0],
      [0, 0],
    ];
    expect(minimumNorm(collinear)).to.deep.equal([1, 0]);
    const balanced = minimumNorm(opposite);
    expect(balanced[0]).to.be.closeTo(2 / 3, 1e-6);
    expect(form(balanced, opposite, balanced)).to.be.below(1e-9);
    expect(minimumNorm(equal).every(Number.isFinite)).to.equal(true);
    expect(minimumNorm(zero).every(Number.isFinite)).to.equal(true);
    expect(sum(minimumNorm(zero))).to.equal(1);
    // Nash: along one direction the shares are equal; against each other there is no bargain.
    fairWeights(collinear)!.forEach((a, i) => expect(a * 5 * (i + 1)).to.be.closeTo(Math.SQRT1_2, 1e-9));
    expect(fairWeights(opposite)).to.equal(undefined);
    expect(fairWeights(zero)).to.equal(undefined);
    for (const gram of [collinear, opposite, equal, zero]) {
      const w = conflictAverse(gram, 1);
      expect(sum(w)).to.be.closeTo(1, 1e-12);
      expect(Math.min(...w)).to.be.at.least(0);
    }
  });

  it("FORUM's weights: nothing feasible is better, whichever of its three problems has the solution", () => {
    const random = randomStream('forum');
    const seen = { inside: 0, free: 0, plane: 0 };
    for (let draw = 0; draw < 150; draw++) {
      const size = 6;
      const vector = () => Array.from({ length: size }, () => random.normal());
      const q = vector().map((x) => (0.3 + (draw % 3)) * x);
      const bias = [0, 0.8, -1.5][draw % 3];
      const g = Array.from({ length: 3 }, () => vector().map((x, i) => x + bias * q[i]));
      const [square, phi] = [dot(q, q), random.uniform()];
      const along = g.map((each) => dot(each, q));
      const pi = along.map((x) => phi - x / square);
      const gram = g.map((a) => g.map((b) => dot(a, b)));
      const value = (w: readonly number[], nu: number) => {
        const sum = q.map((x, i) => nu * x + w.reduce((all, share, t) => all + share * g[t][i], 0));
        return dot(sum, sum) - nu * phi * square;
      };
      const w = ascentWeights(gram, along, { square, pi, phi });
      expect(w.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-9);
      expect(Math.min(...w)).to.be.at.least(0);
      const asked = dot(w, pi);
      seen[Math.abs(asked) < 1e-7 ? 'plane' : asked > 0 ? 'inside' : 'free']++;
      const best = value(w, Math.max(0, asked));
      let least = Infinity;
      for (let trial = 0; trial < 400; trial++) {
        // Near the solution, and anywhere.
        const raw = w.map((x) => (trial % 2 ? x + 1e-2 * random.uniform() : random.uniform() ** 3));
        const other = raw.map((x) => x / sum(raw));
        const nu = Math.max(0, dot(other, pi)) + (trial % 3 === 0 ? 0.1 * random.uniform() : 0);
        least = Math.min(least, value(other, nu));
      }
      expect(least, `draw ${draw}`).to.be.at.least(best - 1e-7 * Math.max(1, Math.abs(best)));
    }
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.above(2);
  });
});
