// One forward and a backward pass for each task, against the plain step: for every shared set the gradients of
// single tasks add up to the gradient of the sum, coefficients act on what they should, and the engines agree.
import { expect } from 'chai';
import type { GradientRule, SharedSet, TaskGradients } from '../../../../registry/contracts/scheme.js';
import { createTrialContainer } from '../../../../registry/container.js';
import { IGNORE } from '../../../../registry/contracts/tasks.js';
import { randomStream } from '../../../../registry/random.js';
import type { Engine } from '../../../../runners/engine/engine.js';
import { EagerEngine } from '../../../../runners/engine/eager.js';
import type { Criterion } from '../../../../runners/model/objective.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { expectClose, recordingEngine } from '../../../support/oracle.js';
import { rejection } from '../../../support/reference.js';
import { toyTrial, TOY_SIZE } from '../../../support/toy-network.js';

const adamw = createTrialContainer([]).create('optimizer', { type: 'adamw' });

type Change = (criterion: Criterion) => void;

/** Gradients by parameter after one step of the same weights on the same batch. */
async function gradients(change: Change, engine: Engine = recordingEngine, tasks?: string[]) {
  const { network, criterion, batch } = toyTrial({ type: 'equal' }, tasks);
  change(criterion);
  const step = await TrainingStep.compile(engine, network, criterion, adamw, {
    batch: batch.ids.length,
    size: TOY_SIZE,
    clip: null,
  });
  step.weights.initialize(3);
  const result = await step.gradientsOf(batch, (name) => randomStream(name));
  const byName = new Map(
    [...step.gradients.views].map(([name, { data }]) => [name, Float32Array.from(data)]),
  );
  const observed = new Map(
    [...step.weights.buffers].map(([name, { data }]) => [name, Float32Array.from(data)]),
  );
  step.close();
  return { result, byName, observed };
}

const weighted =
  (weights: Record<string, number>): Change =>
  ({ scheme }) => {
    scheme.weights = () => weights;
  };

const rule =
  (
    shared: SharedSet,
    exclusive: GradientRule['exclusive'],
    coefficients: (tasks: readonly string[]) => number[],
  ): Change =>
  ({ scheme }) => {
    Object.assign(scheme, {
      needs: {
        gradients: {
          shared,
          exclusive,
          combine: ({ tasks }) => ({ coefficients: coefficients(tasks) }),
        } satisfies GradientRule,
      },
    });
  };

const FACTORS: Record<string, number> = { semseg: 0.5, depth: 2, normals: 0.25 };
const ONES = { semseg: 1, depth: 1, normals: 1 };
const ones = (tasks: readonly string[]) => tasks.map(() => 1);
const factors = (tasks: readonly string[]) => tasks.map((task) => FACTORS[task]);

function expectGradients(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  which: (name: string) => boolean = () => true,
): void {
  let compared = 0;
  const scale = Math.max(...[...expected.values()].flatMap((data) => [...data].map(Math.abs)));
  for (const [name, data] of expected) {
    if (!which(name)) continue;
    expectClose(actual.get(name)!, data, 2e-5, name, scale * 1e-2);
    compared++;
  }
  expect(compared).to.be.above(3);
}

describe('gradients of single tasks', () => {
  for (const shared of ['representation', 'backbone', 'all', 'every'] as const)
    it(`${shared}: they add up to the gradient of the sum`, async () => {
      const plain = await gradients(weighted(ONES));
      const { result, byName, observed } = await gradients(rule(shared, 'sum', ones));
      expect([...byName.keys()]).to.deep.equal([...plain.byName.keys()]);
      expectGradients(byName, plain.byName);
      expect(result.total).to.be.closeTo(plain.result.total, 1e-5);
      for (const [name, data] of plain.observed) expectClose(observed.get(name)!, data, 1e-6, name);
      expect(Object.keys(result.cosines)).to.deep.equal(['semseg/depth', 'semseg/normals', 'depth/normals']);
      for (const cosine of Object.values(result.cosines)) expect(Math.abs(cosine)).to.be.at.most(1 + 1e-9);
    });

  for (const shared of ['representation', 'backbone', 'all'] as const)
    it(`${shared}: coefficients everywhere are loss weights`, async () => {
      const plain = await gradients(weighted(FACTORS));
      const { result, byName } = await gradients(rule(shared, 'weighted', factors));
      expectGradients(byName, plain.byName);
      expect(result.weights).to.deep.equal(FACTORS);
    });

  for (const shared of ['representation', 'backbone', 'all'] as const)
    it(`${shared}: coefficients on the shared set only`, async () => {
      const inside = (await gradients(weighted(FACTORS))).byName;
      const outside = (await gradients(weighted(ONES))).byName;
      const { byName } = await gradients(rule(shared, 'sum', factors));
      const decoders = /^decoder\./;
      const isShared = (name: string) =>
        name.startsWith('backbone.') || (shared === 'all' && decoders.test(name));
      expectGradients(byName, inside, isShared);
      expectGradients(byName, outside, (name) => name.startsWith('heads.'));
      if (shared !== 'all') expectGradients(byName, outside, (name) => decoders.test(name));
    });

  for (const shared of ['representation', 'backbone', 'all'] as const)
    it(`${shared}: other coefficients outside the shared set`, async () => {
      const twice: Change = ({ scheme }) => {
        Object.assign(scheme, {
          needs: {
            gradients: {
              shared,
              exclusive: 'weighted',
              combine: ({ tasks }) => ({
                coefficients: factors(tasks).map((x) => 0.3 * x),
                outside: factors(tasks),
              }),
            } satisfies GradientRule,
          },
        });
      };
      const scaled = Object.fromEntries(Object.entries(FACTORS).map(([task, x]) => [task, 0.3 * x]));
      const inside = (await gradients(weighted(scaled))).byName;
      const outside = (await gradients(weighted(FACTORS))).byName;
      const { byName } = await gradients(twice);
      expectGradients(byName, inside, (name) => name.startsWith('backbone.'));
      expectGradients(byName, outside, (name) => name.startsWith('heads.'));
    });

  it('every: coefficients act on heads, too', async () => {
    const plain = await gradients(weighted(FACTORS));
    const { byName } = await gradients(rule('every', 'sum', factors));
    expectGradients(byName, plain.byName);
  });

  it('of a divided batch each part is combined by itself, and the step has their mean', async () => {
    const divided = async (...factor: number[]) => {
      const { network, criterion, batch } = toyTrial({ type: 'equal' });
      let part = 0;
      rule('every', 'sum', (tasks) => tasks.map(() => factor[part]))(criterion);
      const { combine } = criterion.scheme.needs!.gradients!;
      criterion.scheme.needs!.gradients!.combine = (...args) => {
        const combined = combine(...args);
        part++;
        return combined;
      };
      const options = { batch: batch.ids.length, accumulate: 2, size: TOY_SIZE, clip: null };
      const step = await TrainingStep.compile(recordingEngine, network, criterion, adamw, options);
      step.weights.initialize(3);
      await step.gradientsOf(batch, (name) => randomStream(name));
      expect(part).to.equal(2);
      const data = Float64Array.from(step.gradients.data);
      step.close();
      return data;
    };
    const [none, first, second, mixed] = [
      await divided(0, 0),
      await divided(1, 0),
      await divided(0, 1),
      await divided(2, -3),
    ];
    const [a, b] = [first, second].map((data) => data.map((x, i) => x - none[i]));
    expect(Math.max(...a.map((x, i) => Math.abs(x - b[i])))).to.be.above(1e-3);
    expectClose(
      Float32Array.from(mixed),
      none.map((x, i) => x + 2 * a[i] - 3 * b[i]),
      1e-4,
      'gradient',
      1e-2,
    );
  });

  it('virtual steps are gradient descent on the weighted terms, and are taken back', async () => {
    const { network, criterion, batch } = toyTrial({ type: 'equal' });
    let wanted = true;
    let seen: TaskGradients | undefined;
    const ahead = { steps: 2, rate: 0.3, weights: () => FACTORS, wanted: () => wanted };
    Object.assign(criterion.scheme, {
      needs: {
        gradients: {
          shared: 'every',
          exclusive: 'weighted',
          ahead,
          combine: (gradients) => {
            seen = { ...gradients, vectors: gradients.vectors.map((vector) => Float32Array.from(vector)) };
            return { coefficients: ones(gradients.tasks) };
          },
        } satisfies GradientRule,
      },
    });
    const options = { batch: batch.ids.length, size: TOY_SIZE, clip: null };
    const step = await TrainingStep.compile(recordingEngine, network, criterion, adamw, options);
    step.weights.initialize(3);
    const { data, views } = step.weights.trained;
    const before = Float32Array.from(data);
    const run = () => step.gradientsOf(batch, (name) => randomStream(name));
    await run();
    expect(data).to.deep.equal(before);
    const found = seen!;
    expect(found.ahead).to.have.length(3);

    wanted = false;
    for (let i = 0; i < ahead.steps; i++) {
      await run();
      expect(seen!.ahead).to.equal(undefined);
      // Without them the gradients are the same: those at the weights themselves.
      if (i === 0) expect(seen!.vectors).to.deep.equal(found.vectors);
      for (const { name, start, end } of seen!.groups) {
        const weight = views.get(name)!.data;
        seen!.tasks.forEach((task, t) =>
          seen!.vectors[t]
            .subarray(start, end)
            .forEach((x, k) => (weight[k] -= ahead.rate * FACTORS[task] * x)),
        );
      }
    }
    await run();
    step.close();
    found.ahead!.forEach((term, t) => {
      expect(term).to.be.closeTo(seen!.terms[t], 1e-4 * Math.abs(seen!.terms[t]));
      expect(Math.abs(term - found.terms[t])).to.be.above(1e-3);
    });
  });

  it('virtual steps are refused where a device keeps the weights', async () => {
    const { network, criterion } = toyTrial({ type: 'equal' });
    const ahead = { steps: 1, rate: 1, weights: () => ONES, wanted: () => true };
    Object.assign(criterion.scheme, {
      needs: {
        gradients: { shared: 'every', exclusive: 'sum', ahead, combine: () => ({ coefficients: [] }) },
      },
    });
    const engine = { ...recordingEngine, memory: {} } as Engine;
    const error = await rejection(
      TrainingStep.compile(engine, network, criterion, adamw, { batch: 2, size: TOY_SIZE, clip: null }),
    );
    expect(error.message).to.include('virtual steps');
  });

  it('one task shares everything with itself', async () => {
    const outside = (await gradients(weighted(ONES), recordingEngine, ['depth'])).byName;
    const { byName } = await gradients(
      rule('all', 'sum', () => [3]),
      recordingEngine,
      ['depth'],
    );
    // The penalties have no part in it.
    const none = (await gradients(weighted({ depth: 0 }), recordingEngine, ['depth'])).byName;
    const expected = [...outside].map(
      ([name, data]) => [name, data.map((x, i) => 3 * x - 2 * (none.get(name)?.[i] ?? 0))] as const,
    );
    expectGradients(byName, new Map(expected));
  });

  it('a combined gradient of the rule replaces the sum', async () => {
    const plain = await gradients(weighted({ semseg: 1, depth: 0, normals: 0 }));
    const { byName } = await gradients(({ scheme }) => {
      Object.assign(scheme, {
        needs: {
          gradients: {
            shared: 'backbone',
            exclusive: 'sum',
            combine: ({ vectors }) => ({ coefficients: [1, 1, 1], combined: vectors[0].map((x) => 2 * x) }),
          } satisfies GradientRule,
        },
      });
    });
    // Penalties are added to what the rule gives, and they do not scale with it.
    const none = await gradients(weighted({ semseg: 0, depth: 0, normals: 0 }));
    const expected = new Map(
      [...plain.byName].map(([name, data]) => [
        name,
        data.map((x, i) => 2 * x - (none.byName.get(name)?.[i] ?? 0)),
      ]),
    );
    expectGradients(byName, expected, (name) => name.startsWith('backbone.'));
  });

  it('a rule that sees products alone is given no vectors, and returns no gradient', async () => {
    const products =
      (combine: GradientRule['combine']): Change =>
      ({ scheme }) => {
        Object.assign(scheme, {
          needs: { gradients: { shared: 'all', exclusive: 'sum', onlyProducts: true, combine } },
        });
      };
    let seen: TaskGradients | undefined;
    const { byName } = await gradients(
      products((given) => {
        seen = given;
        return { coefficients: factors(given.tasks) };
      }),
    );
    expect(seen!.vectors).to.deep.equal([]);
    expect(seen!.gram).to.have.length(3);
    expectGradients(byName, (await gradients(rule('all', 'sum', factors))).byName);
    const error = await rejection(
      gradients(products(() => ({ coefficients: [1, 1, 1], combined: new Float32Array(1) }))),
    );
    expect(error.message).to.include('only products');
  });

  it('a task without a valid pixel has no part in the combination', async () => {
    const { network, criterion, batch } = toyTrial({ type: 'cagrad', shared: 'backbone' });
    batch.labels.depth.fill(IGNORE);
    const step = await TrainingStep.compile(recordingEngine, network, criterion, adamw, {
      batch: batch.ids.length,
      size: TOY_SIZE,
      clip: null,
    });
    step.weights.initialize(3);
    const result = await step.gradientsOf(batch, (name) => randomStream(name));
    expect(Object.keys(result.raw)).to.deep.equal(['semseg', 'normals']);
    expect(Object.keys(result.cosines)).to.deep.equal(['semseg/normals']);
    expect([...step.gradients.data].every(Number.isFinite)).to.equal(true);
    expect(Math.max(...step.gradients.data)).to.be.above(0);
    // With no valid pixel at all only the penalties are left.
    for (const labels of Object.values(batch.labels)) labels.fill(IGNORE);
    const none = await step.gradientsOf(batch, (name) => randomStream(name));
    expect(none.raw).to.deep.equal({});
    expect([...step.gradients.data].every(Number.isFinite)).to.equal(true);
    step.close();
  });

  it('a loss that is not a number stops the step and is named', async () => {
    const { network, criterion, batch } = toyTrial({ type: 'pcgrad' });
    batch.labels.depth[0] = NaN;
    const step = await TrainingStep.compile(recordingEngine, network, criterion, adamw, {
      batch: batch.ids.length,
      size: TOY_SIZE,
      clip: null,
    });
    step.weights.initialize(3);
    const error = await rejection(step.gradientsOf(batch, (name) => randomStream(name)));
    expect(error.kind).to.equal('numeric');
    expect(error.message).to.match(/loss of depth is NaN/);
    step.close();
  });

  for (const exclusive of ['sum', 'weighted'] as const)
    it(`TensorFlow.js cpu gives the same two stages, ${exclusive} outside`, async () => {
      const cpu = await EagerEngine.create('cpu');
      const change = rule('representation', exclusive, factors);
      const [recorded, eager] = [await gradients(change), await gradients(change, cpu)];
      expectGradients(
        recorded.byName,
        new Map([...eager.byName].filter(([name]) => recorded.byName.has(name))),
      );
      for (const [pair, cosine] of Object.entries(eager.result.cosines))
        expect(recorded.result.cosines[pair], pair).to.be.closeTo(cosine, 1e-5);
    });
});
