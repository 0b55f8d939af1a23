// Trials on several devices of XLA's CPU plugin beside one: the same losses, gradients, weights and statistics.
// devices-computed.test.ts looks at single losses and layers.
import { join } from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import '../../../../modules/index.js';
import { createTrialContainer, type Slot } from '../../../../registry/container.js';
import { MtcpError } from '../../../../registry/index.js';
import type { Metric, Optimizer } from '../../../../registry/contracts/learning.js';
import { randomStream } from '../../../../registry/random.js';
import { precompile } from '../../../../runners/app/precompile.js';
import { openExperiment, type OpenOptions } from '../../../../runners/config/open.js';
import type { EvaluationBatch } from '../../../../runners/data/batch.js';
import { DeviceBuffer } from '../../../../runners/engine/xla/client.js';
import type { XlaMemory } from '../../../../runners/engine/xla/memory.js';
import { assembled } from '../../../../runners/model/assemble.js';
import { checkTrials } from '../../../../runners/model/check.js';
import { ONCE } from '../../../../runners/model/views.js';
import { Evaluation } from '../../../../runners/training/evaluation.js';
import { readCheckpoint, writeCheckpoint } from '../../../../runners/store/checkpoint.js';
import { compileStep } from '../../../../runners/training/running-trial.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { expectClose } from '../../../support/oracle.js';
import { ROOT, temporaryFolder } from '../../../support/rooms.js';
import { TOY_SIZE, toyBatch, toyTrial } from '../../../support/toy-network.js';
import { deviceEngines, requireXla } from '../../../support/xla/plugin.js';

const TABLE3 = join(ROOT, 'experiments', 'table3.yaml');
const BATCH = 4;
const TASKS = ['semseg', 'depth'];

/** A row of Table 3 with batches of 2. */
const opened = (...overrides: string[]) =>
  openExperiment(TABLE3, {
    profile: 'smoke',
    rows: ['STL depth'],
    overrides: ['train.batch=2', ...overrides],
  });

describe("a trial's devices", () => {
  it('are no part of its identity', () => {
    const trials = ['1', '2', 'all'].map(
      (devices) => opened(`engine={ type: xla, devices: ${devices} }`).trials[0],
    );
    expect(trials.map(({ config }) => (config.engine as { devices: unknown }).devices)).to.deep.equal([
      1,
      2,
      'all',
    ]);
    expect(new Set(trials.map(({ hash }) => hash)).size).to.equal(1);
  });

  it('are refused where they do not divide a micro-batch', async () => {
    const faultOf = async (...overrides: string[]) => {
      const experiment = opened(...overrides);
      return checkTrials(experiment, experiment.trials).then(
        () => undefined,
        (reason: MtcpError) => reason,
      );
    };
    const fault = await faultOf('engine={ type: xla, devices: 4 }');
    expect(fault?.message).to.include('engine.devices 4 does not divide train.batch 2');
    expect(`${fault?.where}`).to.include('engine={ type: xla, devices: 4 }');
    expect(fault?.hint).to.include('can be 1, 2;').and.to.include('train: {batch: 4}');
    const inParts = await faultOf('train.accumulate=2', 'engine={ type: xla, devices: 2 }');
    expect(inParts?.message).to.include(
      'engine.devices 2 does not divide the micro-batches of 1 (train.batch 2, train.accumulate 2)',
    );
    expect(await faultOf('engine={ type: xla, devices: 2 }')).to.equal(undefined);
  });

  it('are one where programs are compiled for a device that is not here', async () => {
    const error = await precompile(opened('engine={ type: xla, devices: 2 }').trials, {
      device: 'h100',
      tell() {},
    }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(MtcpError);
    expect((error as MtcpError).message).to.include('cannot be compiled without them');
  });

  it('are asked for of engines that have several', () => {
    const open = (options: OpenOptions) =>
      openExperiment(TABLE3, { profile: 'smoke', rows: ['STL depth'], ...options });
    expect(() => open({ devices: 2 })).to.throw(MtcpError, 'works on one device');
    const { engine } = open({ devices: 2, engine: 'xla:cpu' }).trials[0].config;
    expect(engine).to.deep.equal({ type: 'xla', plugin: 'cpu', precision: 'float32', devices: 2 });
  });
});

describe('several devices', function () {
  this.timeout(600_000);

  before(function () {
    requireXla(this);
  });

  const engineOf = deviceEngines();

  interface Case {
    scheme?: Slot;
    accumulate?: number;
    batch?: number;
  }

  async function stepOf(devices: number, { scheme, accumulate, batch = BATCH }: Case = {}) {
    const toy = toyTrial(scheme, TASKS);
    const slot = { type: 'sgd', rate: 1e-2, momentum: 0.9 };
    const optimizer = createTrialContainer(toy.tasks).create('optimizer', slot) as Optimizer;
    const options = { batch, accumulate, size: TOY_SIZE, clip: 1 };
    const engine = engineOf(devices);
    const step = await TrainingStep.compile(engine, toy.network, toy.criterion, optimizer, options);
    step.weights.initialize(3);
    const train = async (count: number, from = 0) => {
      const losses: number[] = [];
      for (let i = from; i < from + count; i++) {
        const info = { epoch: 0, step: i, random: randomStream('scheme', i) };
        const samples = toyBatch(toy.tasks, `batch ${i}`, batch);
        await step.stage(samples);
        const { total, raw } = await step.gradientsOf(samples, (name) => randomStream(i, name), info);
        losses.push(total, ...Object.values(raw), (await step.apply(i + 1, 1e-2)) ?? 0);
      }
      await step.pull();
      return losses;
    };
    return { step, train, toy, memory: engine.memory as XlaMemory };
  }

  const CASES: Record<string, Case> = {
    'an ordinary step': {},
    'micro-batches': { accumulate: 2, batch: 2 * BATCH },
    'gradients of tasks': { scheme: { type: 'pcgrad', shared: 'backbone' } },
    'gradients of the representation': { scheme: { type: 'mgda', shared: 'representation' } },
  };
  for (const [name, options] of Object.entries(CASES))
    for (const devices of name === 'an ordinary step' ? [2, 4] : [2])
      it(`train like one: ${name} on ${devices}`, async () => {
        const [several, one] = [await stepOf(devices, options), await stepOf(1, options)];
        const [actual, expected] = [await several.train(3), await one.train(3)];
        expectClose(actual, expected, 1e-5, 'losses');
        const own = new Map(several.step.weights.entries());
        for (const [key, { data }] of one.step.weights.entries())
          expectClose(own.get(key)!.data, data, 1e-5, key, 0.1);
        several.step.close();
        one.step.close();
      });

  it('hold the same numbers, and a part of the batch each', async () => {
    const { step, train, memory } = await stepOf(4);
    await train(2);
    const before = { ...memory.moved };
    await train(1, 2);
    const { image, labels } = toyBatch(toyTrial(undefined, TASKS).tasks, '', BATCH);
    const batch = [image, ...Object.values(labels)].reduce((sum, { byteLength }) => sum + byteLength, 0);
    // Besides the batch, once: a few numbers to each device.
    expect(memory.moved.up - before.up).to.be.within(batch, batch + 4 * 64);
    const { handles, client } = await memory.bufferOf(step.weights.trained.tensor);
    expect(handles).to.have.lengthOf(4);
    const copies = [];
    for (const handle of handles) {
      const copy = new Float32Array(step.weights.trained.data.length);
      await new DeviceBuffer(client, [handle]).read(copy);
      copies.push(copy);
    }
    for (const copy of copies) expect(copy).to.deep.equal(copies[0]);
    expect(copies[0]).to.deep.equal(step.weights.trained.data);
    const { step: one } = await stepOf(1);
    const [each, whole] = [step, one].map(({ gradientProgram }) => gradientProgram.deviceBytes!);
    expect(each / whole).to.be.below(0.5);
    step.close();
    one.close();
  });

  it('go on from a checkpoint with the same bytes, also of another number of devices', async () => {
    const state = {
      epoch: 0,
      stepInEpoch: 0,
      step: 2,
      scheme: null,
      losses: null,
      seconds: 0,
      best: null,
      last: null,
    };
    const [whole, one] = [await stepOf(2), await stepOf(1)];
    await whole.train(2);
    const path = writeCheckpoint(temporaryFolder(), whole.step, state);
    await whole.train(2, 2);
    const bytes = (step: TrainingStep) => {
      const folder = temporaryFolder();
      writeCheckpoint(folder, step, state);
      const [name] = readdirSync(folder);
      return ['weights', 'optimizer'].map((file) => readFileSync(join(folder, name, `${file}.safetensors`)));
    };
    const resumed = await stepOf(2);
    readCheckpoint(path, resumed.step);
    await resumed.train(2, 2);
    expect(bytes(resumed.step)).to.deep.equal(bytes(whole.step));
    readCheckpoint(path, one.step);
    await one.train(2, 2);
    expectClose(one.step.weights.trained.data, whole.step.weights.trained.data, 1e-5, 'weights');
    for (const { step } of [whole, one, resumed]) step.close();
  });

  it('evaluate like one, with the weights that are there', async () => {
    const predicted = async (devices: number) => {
      const { step, train, toy } = await stepOf(devices);
      const config = { batch: BATCH, mode: 'sv', quantize: false, ...ONCE } as never;
      const { network } = toy;
      const engine = engineOf(devices);
      const evaluation = await Evaluation.compile(
        engine,
        network,
        UNMEASURED,
        config,
        TOY_SIZE,
        step.weights,
      );
      await train(1);
      const { image } = toyBatch(toy.tasks, 'evaluation', BATCH);
      const depths: number[] = [];
      await evaluation.run(evaluated(image), ({ predictions }) => depths.push(...predictions.depth.data));
      evaluation.close();
      step.close();
      return depths;
    };
    const [several, one] = [await predicted(2), await predicted(1)];
    expect(one).to.have.lengthOf(BATCH * TOY_SIZE[0] * TOY_SIZE[1]);
    expectClose(several, one, 1e-5, 'depth');
  });

  it('name the first value that is not finite', async () => {
    const { step, train, toy } = await stepOf(2);
    await train(1);
    const batch = toyBatch(toy.tasks, 'too large', BATCH);
    batch.image.fill(3e38);
    const error = await step
      .gradientsOf(batch, (name) => randomStream(name))
      .then(
        () => undefined,
        (reason: MtcpError) => reason,
      );
    expect(error?.where).to.match(/^first in \w+ in backbone/);
    step.close();
  });

  it('that cannot share the batch are refused when their number is known', async () => {
    const [trial] = opened('engine={ type: xla, devices: all }').trials;
    const assembly = assembled(trial);
    const error = await compileStep(trial, engineOf(4), assembly, assembly.transform.size).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.equal('engine.devices 4 does not divide train.batch 2');
  });
});

const NO_METRIC = { start: () => ({ update() {}, compute: () => ({}) }) } as unknown as Metric;
const UNMEASURED = Object.fromEntries(TASKS.map((task) => [task, NO_METRIC]));

/** A batch of an evaluation whose labels nothing looks at. */
async function* evaluated(image: Float32Array): AsyncGenerator<EvaluationBatch> {
  const [height, width] = TOY_SIZE;
  const label = { kind: 'depth', height, width, channels: 1, data: new Float32Array() };
  const raw = Array.from({ length: BATCH }, (_, i) => ({
    id: String(i),
    image: { height, width, channels: 3, data: image },
    labels: Object.fromEntries(TASKS.map((task) => [task, label])),
  }));
  yield { ids: raw.map(({ id }) => id), count: BATCH, image, raw };
}
