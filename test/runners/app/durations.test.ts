// How long trials will train: steps, epochs and all of it, from the size of a step and the speed of a device.
import '../../../modules/index.js';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { durationOf, Speeds, targetOf } from '../../../runners/app/durations.js';
import { loadExperiment, type TrialSpec } from '../../../runners/config/index.js';
import { TARGETS } from '../../../runners/engine/graph/target.js';
import { secondsOf } from '../../../runners/engine/speed.js';
import { inspect } from '../../../runners/training/inspect.js';
import { DEPTH_ONLY, experimentFile } from '../../support/rooms.js';

const trialOf = (rest: string, overrides: string[] = []): TrialSpec =>
  loadExperiment(experimentFile(`${rest}\nrows: { a: ${DEPTH_ONLY} }\n`), { profile: 'smoke', overrides })
    .trials[0];

const SPEED = { operators: 1e-6, operations: 1e-11, numbers: 1e-10 };

describe('how long a trial trains', () => {
  it('is a step times the steps of its split and its epochs', async () => {
    const trial = trialOf('train: { epochs: 3 }');
    const size = await inspect(trial);
    const { step, epoch, training } = await durationOf(trial, size, SPEED);
    expect(step).to.equal(secondsOf(size.work, SPEED));
    // Four images, two in a batch.
    expect([epoch, training].map((seconds) => seconds! / step)).to.deep.equal([2, 6]);
    const held = trialOf('evaluate: { every: 1, selection: { rule: best, split: held-out, share: 0.5 } }');
    expect((await durationOf(held, size, SPEED)).epoch! / step).to.equal(1);
  });

  it('counts what a step does: gradients of every micro-batch, and one update', async () => {
    const [whole, halves] = await Promise.all(
      [1, 2].map(async (accumulate) => (await inspect(trialOf('', [`train.accumulate=${accumulate}`]))).work),
    );
    expect(halves.operators).to.be.above(1.8 * whole.operators);
    expect(halves.operations / whole.operations).to.be.within(0.9, 1.1);
    expect(whole.operations).to.be.above(1e6);
  });

  it('for a device that is not here is an estimate of the graph that it would get', async () => {
    const trial = trialOf('');
    expect(targetOf(trial)).to.equal(TARGETS.cpu);
    expect(targetOf(trial, 'h100')).to.equal(TARGETS.xla);
    const { of, speed } = await new Speeds('h100').of(trial);
    expect(of).to.equal('NVIDIA H100 SXM 80 GB, float32: an estimate from its data sheet, not a measurement');
    const precise = trialOf('engine: { type: xla, precision: bfloat16 }');
    expect((await new Speeds('h100').of(precise)).speed.operations).to.be.below(speed.operations);
    const { of: ofFour, speed: four } = await new Speeds('h100').of(
      trialOf('engine: { type: xla, devices: 4 }'),
    );
    expect(ofFour).to.include('4 devices');
    expect(four).to.deep.equal({
      operators: speed.operators,
      operations: speed.operations / 4,
      numbers: speed.numbers / 4,
    });
    expect(await new Speeds('h200x').of(trial).catch((error: unknown) => error)).to.be.instanceOf(MtcpError);
  });
});
