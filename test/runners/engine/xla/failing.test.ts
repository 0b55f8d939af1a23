// A device that finds no memory, or stops working, while a step runs: test/support/xla/failing.c plays it.
import { expect } from 'chai';
import { createTrialContainer } from '../../../../registry/container.js';
import { randomStream } from '../../../../registry/random.js';
import { DeviceError } from '../../../../runners/engine/device-error.js';
import { RecordingEngine } from '../../../../runners/engine/recording.js';
import { closeClients, createXlaRuntime } from '../../../../runners/engine/xla/runtime.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { pending } from '../../../support/pending.js';
import { rejection } from '../../../support/reference.js';
import { TOY_SIZE, toyBatch, toyTrial } from '../../../support/toy-network.js';
import { failingPlugin, lacking } from '../../../support/xla/failing.js';

describe('a device that fails', function () {
  this.timeout(300_000);
  let engine: RecordingEngine;
  let plugin: string;

  before(function () {
    const missing = lacking();
    if (missing) pending(this, missing);
    plugin = failingPlugin();
    engine = new RecordingEngine({ runtime: createXlaRuntime(plugin) });
  });

  afterEach(() => {
    delete process.env.FAILING_AT;
    delete process.env.FAILING_HOW;
  });

  async function toyStep() {
    const toy = toyTrial(undefined, ['depth']);
    const optimizer = createTrialContainer(toy.tasks).create('optimizer', { type: 'sgd', rate: 0.1 });
    const options = { batch: 2, size: TOY_SIZE, clip: null };
    const step = await TrainingStep.compile(engine, toy.network, toy.criterion, optimizer, options);
    step.weights.initialize(3);
    return { step, batch: () => toyBatch(toy.tasks) };
  }

  /** Runs are counted in the process; each of these tests fails at the third from here. */
  let runs = 0;
  const failAtThird = (how: string) => {
    process.env.FAILING_AT = String(runs + 3);
    process.env.FAILING_HOW = how;
  };

  const noise = (name: string) => randomStream(name);

  for (const how of ['memory', 'late', 'driver'])
    it(`names what takes less memory, and can go on (${how})`, async () => {
      const { step, batch } = await toyStep();
      failAtThird(how);
      const first = await step.gradientsOf(batch(), noise);
      await step.apply(1, 0.1);
      const error = (await rejection(step.gradientsOf(batch(), noise))) as DeviceError;
      expect(error).to.be.instanceOf(DeviceError);
      expect(error.reason).to.equal('memory');
      const said = how === 'driver' ? 'hipMalloc: hipErrorOutOfMemory' : 'Out of memory allocating';
      expect(error.message).to.include(`the device is out of memory: ${said}`);
      for (const knob of ['train.batch', 'train.accumulate', 'recompute', 'precision', 'evaluate.batch'])
        expect(error.hint).to.include(knob);
      // One run failed, and nothing was lost: the step can be taken again, from the weights of the first one.
      const second = await step.gradientsOf(batch(), noise);
      expect(second.total).to.be.below(first.total);
      await step.pull();
      expect(step.weights.firstNonFinite()).to.equal(undefined);
      runs += 4;
      step.close();
    });

  it('is said to have stopped, and what it held is let go without another error', async () => {
    const { step, batch } = await toyStep();
    failAtThird('lost');
    await step.gradientsOf(batch(), noise);
    await step.apply(1, 0.1);
    const next = batch();
    await step.stage(next);
    const error = (await rejection(step.gradientsOf(next, noise))) as DeviceError;
    expect(error).to.be.instanceOf(DeviceError);
    expect(error.reason).to.equal('lost');
    expect(error.message).to.include('the device has stopped working: CUDA_ERROR_LAUNCH_FAILED');
    expect(error.hint).to.include('last checkpoint');
    expect(((await rejection(step.pull())) as DeviceError).reason).to.equal('lost');
    await rejection(step.stage(batch()));
    step.close();
    engine.close();
    // Other tests of this process have clients of other plugins.
    closeClients(plugin);
  });
});
