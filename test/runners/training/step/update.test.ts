// An update in one pass over memory: the same to the last bit as the engine's operators one after the other, and whatever
// the number of threads.
import '../../../../modules/index.js';
import { expect } from 'chai';
import { createTrialContainer } from '../../../../registry/container.js';
import type { Optimizer } from '../../../../registry/contracts/learning.js';
import { randomStream, type RandomStream } from '../../../../registry/random.js';
import { EagerEngine } from '../../../../runners/engine/eager.js';
import type { Engine } from '../../../../runners/engine/engine.js';
import type { HostTensor } from '../../../../runners/engine/ort/session.js';
import { RecordingEngine } from '../../../../runners/engine/recording.js';
import { SHARED_FROM } from '../../../../runners/engine/vectors/program.js';
import { compileUpdate } from '../../../../runners/training/step/compile-update.js';
import { OnePassUpdate } from '../../../../runners/training/step/one-pass-update.js';
import { PiecewiseUpdate } from '../../../../runners/training/step/piecewise-update.js';
import type { Update } from '../../../../runners/training/step/update.js';
import { expectClose, recordingEngine } from '../../../support/oracle.js';

const groups = [
  { parameters: 'b*', rate: 10, weight_decay: 0 },
  { parameters: 'c', weight_decay: 0.5 },
];
const OPTIMIZERS: Record<string, object> = {
  adamw: { type: 'adamw', rate: 1e-3, weight_decay: 0.01 },
  'adamw with groups': { type: 'adamw', rate: 1e-3, groups },
  adam: { type: 'adam', rate: 1e-3, weight_decay: 0.01 },
  sgd: { type: 'sgd', rate: 0.1, weight_decay: 0.01, groups },
  'sgd, nesterov': { type: 'sgd', rate: 0.1, nesterov: true },
};
const create = (options: object): Optimizer =>
  createTrialContainer([]).create('optimizer', options as { type: string });

/** Enough for several threads, and parts that end inside a block. */
const LONG = new Map([
  ['a', [400, 500]],
  ['b1', [7]],
  ['c', [SHARED_FROM + 1]],
  ['b2', [3, 5]],
]);
const SHORT = new Map([
  ['a', [4, 5]],
  ['b1', [7]],
  ['c', [33]],
]);

/** Numbers between -0.5 and 0.5; drawing millions would take longer than what is tested. */
function fill(data: HostTensor['data'], random: RandomStream): void {
  const drawn = Array.from({ length: 1009 }, () => random.uniform() - 0.5);
  for (let i = 0; i < data.length; i++) data[i] = drawn[i % 1009];
}

async function steps(update: Update, count: number, clip: number | null, from = 0) {
  const { parameter, gradient, slots } = update.vectors;
  if (from === 0) for (const [name, { data }] of parameter.views) fill(data, randomStream('test', name));
  const norms: (number | undefined)[] = [];
  for (let step = from + 1; step <= from + count; step++) {
    for (const [name, { data }] of gradient.views) fill(data, randomStream('gradient', name, step));
    norms.push(await update.run(step, 1e-3 / step, clip));
  }
  const views = [parameter, ...Object.values(slots)].flatMap(({ views }) => [...views]);
  return { values: views.map(([name, { data }]) => [name, data.slice()] as const), norms };
}

type Values = Awaited<ReturnType<typeof steps>>['values'];

function expectEqual(ours: Values, expected: Values): void {
  expect(ours.map(([name]) => name)).to.have.members(expected.map(([name]) => name));
  for (const [i, [name, data]] of ours.entries()) {
    const other = expected[i][1];
    const at = data.findIndex((value, n) => !Object.is(value, other[n]));
    expect(at, `${name}[${at}] is ${data[at]}, not ${other[at]}`).to.equal(-1);
  }
}

async function closing<T>(update: Update | undefined, use: (update: Update) => Promise<T>): Promise<T> {
  try {
    return await use(update!);
  } finally {
    update!.close();
  }
}

const trained = (shapes: ReadonlyMap<string, readonly number[]>) => ({ shapes, names: [...shapes.keys()] });

describe('the update', () => {
  for (const [name, options] of Object.entries(OPTIMIZERS))
    it(`of ${name} in one pass is what its operators compute`, async () => {
      const optimizer = create(options);
      const shapes = trained(name.includes('groups') || name === 'sgd' ? LONG : SHORT);
      const ours = await closing(
        await OnePassUpdate.compile(recordingEngine, optimizer, shapes, false),
        (update) => steps(update, 3, null),
      );
      const expected = await closing(
        await PiecewiseUpdate.compile(recordingEngine, optimizer, shapes, false),
        (update) => steps(update, 3, null),
      );
      expectEqual(ours.values, expected.values);
    });

  it('is the same to the last bit on any number of threads, clipped and resumed', async () => {
    const optimizer = create(OPTIMIZERS['adamw with groups']);
    const on = async (threads: number) => {
      const engine = new RecordingEngine({ threads, optimize: 'none' });
      return closing(await OnePassUpdate.compile(engine, optimizer, trained(LONG), true), async (update) => {
        const first = await steps(update, 2, 0.5);
        const rest = await steps(update, 2, 0.5, 2);
        return { values: rest.values, norms: [...first.norms, ...rest.norms] };
      });
    };
    const [alone, ...others] = [await on(1), await on(2), await on(5)];
    for (const { values, norms } of others) {
      expectEqual(values, alone.values);
      expect(norms).to.deep.equal(alone.norms);
    }
    const elsewhere = await closing(
      await PiecewiseUpdate.compile(recordingEngine, optimizer, trained(LONG), true),
      (update) => steps(update, 4, 0.5),
    );
    elsewhere.norms.forEach((norm, i) => expect(alone.norms[i]! / norm!).to.be.closeTo(1, 1e-12));
    for (const [i, [name, data]] of alone.values.entries())
      expectClose(data, elsewhere.values[i][1], 1e-6, name);
  });

  const kindOn = async (engine: Engine, optimizer: Optimizer) =>
    closing(await compileUpdate(engine, optimizer, trained(SHORT), false), async (update) => {
      await steps(update, 1, null);
      return update.isProgram ? 'piecewise' : 'one pass';
    });

  it('is one pass on onnxruntime, and pieces for other engines and other operations', async () => {
    const adamw = create(OPTIMIZERS.adamw);
    const exponential: Optimizer = {
      rate: 1,
      slots: [],
      scalars: () => ({}),
      update: (parameter, gradient) => ({ parameter: parameter.mul(gradient.exp()), slots: {} }),
    };
    expect(await kindOn(recordingEngine, adamw)).to.equal('one pass');
    expect(await kindOn(recordingEngine, exponential)).to.equal('piecewise');
    expect(await kindOn(await EagerEngine.create('cpu'), adamw)).to.equal('piecewise');
  });
});
