// Products and convolutions in a lower precision on XLA's CPU plugin: close to float32, and not the same.
import { join } from 'node:path';
import { expect } from 'chai';
import * as tf from '../../../../registry/tf.js';
import '../../../../modules/index.js';
import { conv2d } from '../../../../modules/nn/ops/convolution.js';
import type { ConvAttributes } from '../../../../registry/contracts/operations.js';
import { createTrialContainer } from '../../../../registry/container.js';
import { randomStream } from '../../../../registry/random.js';
import { loadExperiment } from '../../../../runners/config/index.js';
import { groupsOf } from '../../../../runners/reporting/conditions.js';
import { RecordingEngine } from '../../../../runners/engine/recording.js';
import type { Precision } from '../../../../runners/engine/xla/lowering/index.js';
import { createXlaRuntime } from '../../../../runners/engine/xla/runtime.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { evaluate, noise, xlaPlugin } from '../../../support/oracle.js';
import { ROOT } from '../../../support/rooms.js';
import { TOY_SIZE, toyTrial } from '../../../support/toy-network.js';
import { requireXla } from '../../../support/xla/plugin.js';

/** Half a unit in the last of bfloat16's 8 bits. */
const ROUNDING = 2 ** -9;

describe("a trial's precision", () => {
  const trialOf = (...overrides: string[]) =>
    loadExperiment(join(ROOT, 'experiments', 'table3.yaml'), {
      profile: 'smoke',
      rows: ['STL depth'],
      overrides,
    }).trials[0];

  it('is part of its identity, and of the caption', () => {
    const trials = [
      trialOf('engine={ type: xla }'),
      trialOf('engine={ type: xla, precision: float32 }'),
      trialOf('engine={ type: xla, precision: tf32 }'),
      trialOf('engine={ type: xla, precision: bfloat16 }'),
    ];
    const hashes = trials.map(({ hash }) => hash);
    expect(hashes[0]).to.equal(hashes[1]);
    expect(new Set(hashes).size).to.equal(3);
    const groups = groupsOf(trials.slice(1).map((trial) => ({ trial, state: 'queued', folder: '' })));
    expect(groups.map(({ conditions }) => conditions.engine)).to.deep.equal([
      'xla',
      'xla, tf32',
      'xla, bfloat16',
    ]);
  });
});

describe('precision', function () {
  this.timeout(600_000);

  before(function () {
    requireXla(this);
  });

  const engineOf = (precision: Precision) =>
    new RecordingEngine({ runtime: createXlaRuntime(xlaPlugin, precision) });

  /** Root mean square of the difference, relative to that of `b`. */
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let [difference, size] = [0, 0];
    for (let i = 0; i < b.length; i++) {
      difference += (a[i] - b[i]) ** 2;
      size += b[i] ** 2;
    }
    return Math.sqrt(difference / size);
  };

  it('of products rounds their operands, and adds in float32', async () => {
    const inputs = { a: noise([24, 300], 'a'), b: noise([300, 16], 'b') };
    const product = async (precision: Precision) =>
      (await evaluate(engineOf(precision), inputs, ({ a, b }) => ({ y: tf.matMul(a, b) }))).y.data;
    const exact = await product('float32');
    expect(distance(await product('tf32'), exact)).to.be.below(1e-3);
    expect(distance(await product('bfloat16'), exact)).to.be.within(ROUNDING / 4, 2 * ROUNDING);
  });

  it('of constant matrices is float32', async () => {
    const table = noise([30, 20], 'table').data as Float32Array;
    const product = async (precision: Precision) =>
      (
        await evaluate(engineOf(precision), { a: noise([8, 30]) }, ({ a }) => ({
          y: tf.matMul(a, tf.tensor2d(table, [30, 20])),
        }))
      ).y.data;
    expect(distance(await product('bfloat16'), await product('float32'))).to.equal(0);
  });

  it('of convolutions rounds their operands and results', async () => {
    const inputs = { x: noise([1, 9, 9, 32]), filter: noise([16, 32, 3, 3], 'filter') };
    const how: ConvAttributes = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    const convolution = async (precision: Precision) =>
      (
        await evaluate(engineOf(precision), inputs, ({ x, filter }) => ({
          y: conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, how),
        }))
      ).y.data;
    const [low, exact] = [await convolution('bfloat16'), await convolution('float32')];
    expect(distance(low, exact)).to.be.within(ROUNDING / 4, 3 * ROUNDING);
  });

  it('of sums along an axis is float32', async () => {
    const sums = async (precision: Precision) =>
      (await evaluate(engineOf(precision), { a: noise([3, 40]) }, ({ a }) => ({ y: a.cumsum(1) }))).y.data;
    expect(distance(await sums('bfloat16'), await sums('float32'))).to.equal(0);
  });

  it('of a step in bfloat16 is within a few per cent', async () => {
    const gradientsOf = async (precision: Precision) => {
      const toy = toyTrial(undefined, ['depth', 'normals']);
      const slot = { type: 'sgd', rate: 1e-2 };
      const optimizer = createTrialContainer(toy.tasks).create('optimizer', slot);
      const options = { batch: 2, size: TOY_SIZE, clip: null };
      const engine = engineOf(precision);
      const step = await TrainingStep.compile(engine, toy.network, toy.criterion, optimizer, options);
      step.weights.initialize(3);
      const { total } = await step.gradientsOf(toy.batch, (name) => randomStream(name));
      await step.pullGradients();
      const gradients = Float32Array.from(step.gradients.data);
      step.close();
      return { total, gradients };
    };
    const [low, exact] = [await gradientsOf('bfloat16'), await gradientsOf('float32')];
    expect(Math.abs(low.total / exact.total - 1)).to.be.within(1e-7, 1e-2);
    expect(distance(low.gradients, exact.gradients)).to.be.within(1e-4, 0.1);
  });
});
