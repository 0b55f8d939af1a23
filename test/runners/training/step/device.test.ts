// Training with everything on a device, on XLA's CPU plugin: the same numbers as on the host's arrays, next to nothing
// moved, and checkpoints that go on exactly.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../../registry/container.js';
import type { Metric, Optimizer } from '../../../../registry/contracts/learning.js';
import { IGNORE } from '../../../../registry/contracts/tasks.js';
import { randomStream } from '../../../../registry/random.js';
import type { Engine } from '../../../../runners/engine/engine.js';
import { readCheckpoint, writeCheckpoint, type RunState } from '../../../../runners/store/checkpoint.js';
import { Evaluation } from '../../../../runners/training/evaluation.js';
import { ONCE } from '../../../../runners/model/views.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { expectClose, recordingEngine, xlaEngines } from '../../../support/oracle.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { TOY_SIZE, toyBatch, toyTrial, type Toy } from '../../../support/toy-network.js';
import { requireXla } from '../../../support/xla/plugin.js';

interface Case {
  scheme?: Slot;
  optimizer?: Slot;
  accumulate?: number;
  clip?: number;
}

const CASES: Record<string, Case> = {
  'an ordinary step': {},
  'micro-batches': { accumulate: 2 },
  'a clipped gradient': { clip: 0.05 },
  'micro-batches and a clipped gradient': { accumulate: 2, clip: 0.05 },
  'momentum, and a group of parameters': {
    optimizer: {
      type: 'sgd',
      rate: 0.01,
      momentum: 0.9,
      nesterov: false,
      weight_decay: 1e-3,
      groups: [{ parameters: 'backbone.*', rate: 0.1 }],
    },
  },
  moments: { optimizer: { type: 'adamw', rate: 1e-2, weight_decay: 1e-2 } },
  'losses after the step': { scheme: { type: 'famo' } },
  'gradients of tasks': { scheme: { type: 'pcgrad', shared: 'backbone' } },
  'gradients of tasks, weighted everywhere, of micro-batches': {
    scheme: { type: 'nash_mtl', shared: 'backbone', exclusive: 'weighted', max_norm: 0.5 },
    accumulate: 2,
  },
  'gradients of the representation': { scheme: { type: 'mgda', shared: 'representation' } },
  'gradients of the representation, weighted everywhere': {
    scheme: { type: 'mgda', shared: 'representation', exclusive: 'weighted' },
  },
  'whole gradients of tasks': { scheme: { type: 'db_mtl', shared: 'backbone' } },
};

/**
 * BatchNorm takes its mean away from this bias: its gradient is what rounding leaves. AdamW makes steps of that, which
 * show in the running mean.
 */
const NOISE = ['backbone.stem.bias', 'backbone.norm.running_mean'];

/** Two of the toy's tasks: XLA's compiler takes its time. */
const TASKS = ['depth', 'normals'];

const STATE: RunState = {
  epoch: 0,
  stepInEpoch: 0,
  step: 3,
  scheme: null,
  losses: null,
  seconds: 0,
  best: null,
  last: null,
};

describe('a step on a device', function () {
  this.timeout(600_000);
  let device: Engine;
  const steps: TrainingStep[] = [];

  before(function () {
    requireXla(this);
    [device] = xlaEngines();
  });

  afterEach(() => steps.splice(0).forEach((step) => step.close()));

  async function compile(engine: Engine, { scheme, optimizer, accumulate, clip }: Case = {}) {
    const toy = toyTrial(scheme, TASKS);
    const slot = optimizer ?? { type: 'sgd', rate: 1e-2, weight_decay: 1e-2 };
    const made = createTrialContainer(toy.tasks).create('optimizer', slot) as Optimizer;
    const options = { batch: 2, accumulate, size: TOY_SIZE, clip: clip ?? null };
    const step = await TrainingStep.compile(engine, toy.network, toy.criterion, made, options);
    steps.push(step);
    step.weights.initialize(3);
    return { step, toy };
  }

  /** Trains from step `from`; returns the losses of each. */
  async function train({ step, toy }: { step: TrainingStep; toy: Toy }, count: number, from = 0) {
    const losses: number[][] = [];
    for (let i = from; i < from + count; i++) {
      const info = { epoch: 0, step: i, random: randomStream('scheme', i) };
      const noise = (name: string) => randomStream(i, name);
      const { total, raw } = await step.gradientsOf(toyBatch(toy.tasks, `batch ${i}`), noise, info);
      const norm = await step.apply(i + 1, 1e-2);
      const again = step.lossProgram ? Object.values(await step.lossesAgain()) : [];
      losses.push([total, ...Object.values(raw), norm ?? 0, ...again]);
    }
    return losses;
  }

  for (const [name, options] of Object.entries(CASES))
    it(`gives what the host gives: ${name}`, async () => {
      const [there, here] = [await compile(device, options), await compile(recordingEngine, options)];
      const [actual, expected] = [await train(there, 3), await train(here, 3)];
      expectClose(actual.flat(), expected.flat(), 1e-5, 'losses');
      await there.step.pull();
      const own = new Map(there.step.weights.entries());
      for (const [key, { data }] of here.step.weights.entries())
        if (!NOISE.includes(key)) expectClose(own.get(key)!.data, data, 1e-4, key, 0.1);
      for (const [slot, { views }] of Object.entries(here.step.slots))
        for (const [key, { data }] of views)
          expectClose(there.step.slots[slot].views.get(key)!.data, data, 1e-4, `${slot} of ${key}`, 1e-3);
      await there.step.pullGradients();
      for (const [key, { data }] of here.step.gradients.views)
        expectClose(there.step.gradients.views.get(key)!.data, data, 1e-4, `gradient of ${key}`, 1e-2);
    });

  /** Bytes a step that are moved besides the batch. */
  async function movedBy(options: Case) {
    const { step, toy } = await compile(device, options);
    await train({ step, toy }, 1);
    const { moved } = device.memory!;
    const before = { ...moved };
    await train({ step, toy }, 2, 1);
    const { image, labels } = toyBatch(toy.tasks);
    const batch = [image, ...Object.values(labels)].reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { up: (moved.up - before.up) / 2 - batch, down: (moved.down - before.down) / 2, step };
  }

  it('moves the batch up and the losses down, and nothing else', async () => {
    const { up, down, step } = await movedBy({ clip: 1 });
    // The weights of the tasks' losses, and the optimizer's numbers.
    expect(up).to.be.within(0, 64);
    // A line of memory for each loss.
    expect(down).to.be.below(64 * 32);
    const weights = step.weights.trained.data.byteLength;
    expect(weights).to.be.above(down);
  });

  describe('with gradients of tasks', () => {
    let plain: { up: number; down: number };
    /** Each task's term, in a line of memory, and the matrix of products. */
    const NUMBERS = TASKS.length * 64 + TASKS.length ** 2 * 4;
    /** What the tasks share is a convolution with BatchNorm. */
    const SHARED = 4 * (3 * 3 * 3 * 4 + 3 * 4);

    before(async () => (plain = await movedBy({ scheme: { type: 'equal' } })));

    for (const type of ['pcgrad', 'mgda'])
      for (const shared of ['backbone', 'representation'])
        it(`of which products are enough, moves only those: ${type}, ${shared}`, async () => {
          const { up, down } = await movedBy({ scheme: { type, shared } });
          expect(up - plain.up).to.be.within(1, 64);
          expect(down - plain.down).to.be.within(TASKS.length ** 2 * 4, NUMBERS);
        });

    it('one of which is not there', async () => {
      const results = [];
      for (const engine of [device, recordingEngine]) {
        const { step, toy } = await compile(engine, { scheme: { type: 'pcgrad', shared: 'backbone' } });
        const batch = toyBatch(toy.tasks);
        batch.labels.depth.fill(IGNORE);
        const { raw, cosines } = await step.gradientsOf(batch, (name) => randomStream(name));
        expect(Object.keys(raw)).to.deep.equal(['normals']);
        expect(cosines).to.deep.equal({});
        await step.pullGradients();
        results.push(Float32Array.from(step.gradients.data));
      }
      expectClose(results[0], results[1], 1e-4, 'gradient');
    });

    it('as a whole, moves them', async () => {
      const { up, down } = await movedBy({ scheme: { type: 'db_mtl', shared: 'backbone' } });
      expect(down - plain.down).to.be.above(TASKS.length * SHARED);
      expect(up - plain.up).to.be.above(SHARED);
    });
  });

  it('takes a batch that was copied while the step before it ran', async () => {
    const { step, toy } = await compile(device);
    const { step: other } = await compile(device);
    const noise = (name: string) => randomStream(name);
    const [first, second] = ['a', 'b'].map((name) => toyBatch(toy.tasks, name));
    await step.stage(first);
    await step.stage(second);
    const { up } = device.memory!.moved;
    const results = [await step.gradientsOf(first, noise), await step.gradientsOf(second, noise)];
    expect(device.memory!.moved.up - up).to.be.below(
      first.image.byteLength + step.weights.trained.data.byteLength + 4096,
    );
    expect(await other.gradientsOf(first, noise)).to.deep.equal(results[0]);
    expect(await other.gradientsOf(second, noise)).to.deep.equal(results[1]);
    expect(results[0].total).not.to.equal(results[1].total);
  });

  it('evaluates with the weights that are there', async () => {
    const { step, toy } = await compile(device);
    const config = { batch: 2, mode: 'sv', quantize: false, ...ONCE } as never;
    const evaluation = await Evaluation.compile(device, toy.network, METRICS, config, TOY_SIZE, step.weights);
    const { step: here } = await compile(recordingEngine);
    await train({ step, toy }, 2);
    await train({ step: here, toy: toyTrial(undefined, TASKS) }, 2);
    expect(() => [...step.weights.entries()]).to.throw('pull');
    const same = await Evaluation.compile(
      recordingEngine,
      toy.network,
      METRICS,
      config,
      TOY_SIZE,
      here.weights,
    );
    const { image } = toyBatch(toy.tasks);
    const [actual, expected] = [await predict(evaluation, image), await predict(same, image)];
    expectClose(actual, expected, 1e-4, 'depth');
    evaluation.close();
    same.close();
  });

  it('goes on from a checkpoint with the same bytes', async () => {
    const whole = await compile(device, { accumulate: 2, clip: 1 });
    await train(whole, 3);
    await whole.step.pull();
    const [middle, end, resumedEnd] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const path = writeCheckpoint(middle, whole.step, STATE);
    await train(whole, 2, 3);
    await whole.step.pull();
    writeCheckpoint(end, whole.step, { ...STATE, step: 5 });

    const resumed = await compile(device, { accumulate: 2, clip: 1 });
    await train(resumed, 1);
    readCheckpoint(path, resumed.step);
    await train(resumed, 2, 3);
    await resumed.step.pull();
    writeCheckpoint(resumedEnd, resumed.step, { ...STATE, step: 5 });
    for (const file of ['weights.safetensors', 'optimizer.safetensors']) {
      const [one, two] = [end, resumedEnd].map((folder) =>
        readFileSync(join(folder, readdirSync(folder)[0], file)),
      );
      expect(one.equals(two), file).to.equal(true);
      expect(one.equals(readFileSync(join(path, file))), `${file} of the middle`).to.equal(false);
    }
  });

  it('names the first value that is not finite', async () => {
    const { step, toy } = await compile(device);
    await train({ step, toy }, 1);
    const batch = toyBatch(toy.tasks);
    batch.image[5] = NaN;
    const error = await step
      .gradientsOf(batch, (name) => randomStream(name))
      .then(
        () => undefined,
        (reason: Error & { where?: string }) => reason,
      );
    expect(error?.where).to.equal('first in input "image"');
  });
});

const UNMEASURED = { start: () => ({ update() {}, compute: () => ({}) }) } as unknown as Metric;
const METRICS = { depth: UNMEASURED, normals: UNMEASURED };
const LABEL = { height: TOY_SIZE[0], width: TOY_SIZE[1], data: new Float32Array() };

/** What is predicted for the depth of the first image. */
async function predict(evaluation: Evaluation, image: Float32Array): Promise<number[]> {
  const raw = {
    id: '0',
    image: { height: TOY_SIZE[0], width: TOY_SIZE[1], channels: 3, data: image },
    labels: { depth: LABEL, normals: LABEL },
  };
  const batch = { ids: ['0'], count: 1, image, raw: [raw] };
  const seen: number[] = [];
  await evaluation.run(
    (async function* () {
      yield batch as never;
    })(),
    ({ predictions }) => seen.push(...predictions.depth.data),
  );
  return seen;
}
