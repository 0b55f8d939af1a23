// What every scheme of the catalog does where there is little to go by: a task without a valid pixel, a loss of 0, a
// single task, gradients that are zero, collinear or opposite. Numbers stay finite, present tasks stay in training,
// and a task that is not there gets nothing.
import '../../../modules/index.js';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { catalog } from '../../../registry/catalog.js';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import type { PerTask, Scheme } from '../../../registry/contracts/scheme.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { randomStream } from '../../../registry/random.js';
import { restoreScheme, schemeState } from '../../../runners/training/scheme-state.js';
import { gramOf } from '../../../runners/training/step/task-gradients.js';
import { MtcpError } from '../../../registry/errors.js';

const REQUIRED: Record<string, object> = {
  manual: { weights: {} },
  compose: { weights: { type: 'lps' }, gradients: { type: 'pcgrad' } },
};
const SLOTS: Slot[] = catalog
  .list('scheme')
  .map(({ name }) => ({ type: name, ...REQUIRED[name] }))
  .map((slot) => (/^(db_mtl|excess_mtl)$/.test(slot.type) ? { ...slot, shared: 'all' } : slot));

const tasksOf = (names: readonly string[]): Task[] =>
  names.map((name) => ({ name, kind: 'depth', channels: 1 }));
const create = (slot: Slot, names: readonly string[]) =>
  createTrialContainer(tasksOf(names)).create('scheme', slot);

/** d objective / d loss of each task; a loss that is undefined belongs to a task without a valid pixel. */
function derivatives(
  scheme: Scheme,
  names: readonly string[],
  losses: PerTask<number | undefined>,
): number[] {
  const constants = (numbers: Record<string, number>) =>
    Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, tf.scalar(value)]));
  const inputs = { weights: constants(scheme.weights()), scalars: constants(scheme.scalars?.() ?? {}) };
  const objective = (...values: tf.Tensor[]) => {
    const entries = names.map((name, i) => {
      const present = losses[name] === undefined ? 0 : 1;
      // As losses are: 0 without a gradient if nothing is valid.
      return [
        name,
        { value: scheme.project(values[i].mul<tf.Scalar>(present)), present: tf.scalar(present) },
      ];
    });
    const combined = scheme.combine(undefined as never, Object.fromEntries(entries), inputs);
    return combined instanceof tf.Tensor ? combined : (tf.addN(Object.values(combined)) as tf.Scalar);
  };
  const { value, grads } = tf.valueAndGrads(objective as never)(
    names.map((name) => tf.scalar(losses[name] ?? 0)),
  );
  expect(Number.isFinite(value.dataSync()[0]), 'objective').to.equal(true);
  return grads.map((gradient) => gradient.dataSync()[0]);
}

/** Three epochs of two steps; `losses` says what the epoch's losses are. */
function train(
  scheme: Scheme,
  names: readonly string[],
  losses: (epoch: number) => PerTask<number | undefined>,
  gradients: (epoch: number) => PerTask<number[]> = () =>
    Object.fromEntries(names.map((name, i) => [name, [1, i]])),
  check: (derivative: PerTask<number>, coefficients: PerTask<number> | undefined, epoch: number) => void,
  read = () => {},
): void {
  for (let step = 0; step < 6; step++) {
    const epoch = Math.floor(step / 2);
    const all = losses(epoch);
    const present = names.filter((name) => all[name] !== undefined);
    const raw = Object.fromEntries(present.map((name) => [name, all[name]!]));
    const info = { epoch, step, random: randomStream('degenerate', step) };
    scheme.stepBegin?.(info);
    const slopes = derivatives(scheme, names, all);
    let coefficients: PerTask<number> | undefined;
    if (scheme.needs?.gradients && present.length > 0) {
      const vectors = present.map((name) => Float32Array.from(gradients(epoch)[name]));
      const { samples = 1, combine, onlyProducts } = scheme.needs.gradients;
      const gram = gramOf(vectors);
      const groups = [{ name: 'w', start: 0, end: vectors[0].length }];
      // What the losses are after virtual steps, for schemes that take them.
      const ahead = Object.values(raw).map((loss) => loss * 0.95);
      const losses = { raw: Object.values(raw), terms: Object.values(raw), ahead };
      const mixed = Array.from({ length: samples }, () =>
        combine(
          { tasks: present, vectors: onlyProducts ? [] : told(vectors, read), groups, gram, ...losses },
          info,
        ),
      );
      const mean = (i: number) => mixed.reduce((sum, { coefficients: c }) => sum + c[i] / samples, 0);
      coefficients = Object.fromEntries(present.map((name, i) => [name, mean(i)]));
      for (const { combined } of mixed)
        expect([...(combined ?? [])].every(Number.isFinite), 'combined gradient').to.equal(true);
    }
    check(Object.fromEntries(names.map((name, i) => [name, slopes[i]])), coefficients, epoch);
    const again = Object.fromEntries(Object.entries(raw).map(([name, loss]) => [name, loss * 0.99]));
    scheme.stepEnd?.({ ...info, rate: 0.01, raw, projected: raw, again });
    if (step % 2 === 0) continue;
    scheme.epochEnd?.({ epoch, raw, projected: raw });
    scheme.evaluated?.(
      Object.fromEntries(
        names.map((name) => [name, { value: epoch / 2, unit: '', better: 'higher' as const }]),
      ),
    );
  }
}

/** The same list; calls `read` when an entry is read. */
const told = (vectors: Float32Array[], read: () => void): Float32Array[] =>
  new Proxy(vectors, {
    get(list, key, receiver) {
      if (key === '0') read();
      return Reflect.get(list, key, receiver) as unknown;
    },
  });

const finite = (values: PerTask<number> | undefined) => Object.values(values ?? {}).every(Number.isFinite);
const THREE = ['a', 'b', 'c'];

describe('schemes with little to go by', () => {
  before(async () => {
    await tf.setBackend('cpu');
  });

  for (const slot of SLOTS)
    describe(slot.type, () => {
      it('a task without a valid pixel, for a whole epoch: the others train on', () => {
        const missing = (epoch: number) => ({ a: 1.5, b: epoch === 1 ? undefined : 0.4, c: 0.9 });
        train(create(slot, THREE), THREE, missing, undefined, (slopes, coefficients, epoch) => {
          expect(finite(slopes) && finite(coefficients), JSON.stringify([slopes, coefficients])).to.equal(
            true,
          );
          if (epoch === 1) expect(slopes.b).to.equal(0);
          expect(slopes.a).to.be.above(0);
          expect(slopes.c).to.be.above(0);
        });
      });

      it('gradients stay where they are unless it reads them', function () {
        const scheme = create(slot, THREE);
        const { gradients } = scheme.needs ?? {};
        if (!gradients) return;
        let reads = 0;
        train(
          scheme,
          THREE,
          () => ({ a: 1.5, b: 0.4, c: 0.9 }),
          undefined,
          () => {},
          () => reads++,
        );
        expect(reads > 0).to.equal(!gradients.onlyProducts);
      });

      it('no task with a valid pixel in the first epoch', () => {
        const late = (epoch: number) => (epoch === 0 ? {} : { a: 1.5, b: 0.4, c: 0.9 });
        train(create(slot, THREE), THREE, late, undefined, (slopes, coefficients, epoch) => {
          expect(finite(slopes) && finite(coefficients)).to.equal(true);
          if (epoch > 0) expect(slopes.a).to.be.above(0);
          else expect(Object.values(slopes)).to.deep.equal([0, 0, 0]);
        });
      });

      it('a loss of 0 from the second epoch on, and one from the start', () => {
        const solved = (epoch: number) => ({ a: 1.5, b: epoch === 0 ? 0.4 : 0, c: 0 });
        train(create(slot, THREE), THREE, solved, undefined, (slopes, coefficients) => {
          expect(finite(slopes) && finite(coefficients), JSON.stringify([slopes, coefficients])).to.equal(
            true,
          );
        });
      });

      it('one task', () => {
        train(
          create(slot, ['a']),
          ['a'],
          (epoch) => ({ a: 2 / (1 + epoch) }),
          undefined,
          (slopes, coefficients) => {
            expect(slopes.a).to.be.above(0);
            if (coefficients) expect(coefficients.a).to.be.above(0);
          },
        );
      });

      it('gradients that are zero, collinear and opposite', () => {
        const kinds: PerTask<number[]>[] = [
          { a: [1, 2], b: [0, 0], c: [0, 0] },
          { a: [1, 2], b: [2, 4], c: [100, 200] },
          { a: [1, 2], b: [-2, -4], c: [1, 2] },
        ];
        const losses = () => ({ a: 1, b: 0.5, c: 0.25 });
        const scheme = create(slot, THREE);
        train(
          scheme,
          THREE,
          losses,
          (epoch) => kinds[epoch],
          (_, coefficients) => expect(finite(coefficients), JSON.stringify(coefficients)).to.equal(true),
        );
        const none = { a: [0, 0], b: [0, 0], c: [0, 0] };
        train(
          create(slot, THREE),
          THREE,
          losses,
          () => none,
          (_, coefficients) => expect(finite(coefficients), JSON.stringify(coefficients)).to.equal(true),
        );
      });

      it('does not go on with other tasks', () => {
        const before = { tasks: tasksOf(['a', 'b']), scheme: create(slot, ['a', 'b']) };
        const after = { tasks: tasksOf(THREE), scheme: create(slot, THREE) };
        const saved = schemeState(before as never);
        expect(() => restoreScheme(after as never, saved, 'checkpoints/step-1'))
          .to.throw(/cannot go on with other tasks \(c added\)/)
          .that.satisfies((error: unknown) => MtcpError.is(error, 'weights'));
        expect(() => restoreScheme(before as never, schemeState(after as never), 'step-1')).to.throw(
          /c gone/,
        );
      });
    });

  it('zero gradients do not disturb the rest: mgda would stop there', () => {
    const scheme = create({ type: 'mgda' }, THREE);
    const vectors = [
      [3, 0],
      [0, 0],
      [0, 4],
    ].map((values) => Float32Array.from(values));
    const { coefficients } = scheme.needs!.gradients!.combine(
      { tasks: THREE, vectors, groups: [], gram: gramOf(vectors), raw: [1, 1, 1], terms: [1, 1, 1] },
      { epoch: 0, step: 0, random: randomStream('x') },
    );
    [0.64, 1, 0.36].forEach((x, i) => expect(coefficients[i]).to.be.closeTo(x, 1e-9));
  });
});
