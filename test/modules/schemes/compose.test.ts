// Loss weighting and gradient combination together, and what is refused.
import '../../../modules/index.js';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import { MtcpError } from '../../../registry/errors.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { randomStream } from '../../../registry/random.js';
import { TrainingStep } from '../../../runners/training/step/step.js';
import { recordingEngine } from '../../support/oracle.js';
import { toyTrial, TOY_SIZE } from '../../support/toy-network.js';

const tasks: Task[] = ['a', 'b'].map((name) => ({ name, kind: 'depth', channels: 1 }));
const create = (slot: Slot) => createTrialContainer(tasks).create('scheme', slot);
const compose = (weights: Slot, gradients: Slot) => create({ type: 'compose', weights, gradients });
const refusal = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (MtcpError.is(error, 'component')) return error.format();
    throw error;
  }
  return expect.fail('not refused');
};
const adamw = createTrialContainer([]).create('optimizer', { type: 'adamw' });

async function gradients(scheme: Slot) {
  const { network, criterion, batch } = toyTrial(scheme);
  const options = { batch: 2, size: TOY_SIZE, clip: null };
  const step = await TrainingStep.compile(recordingEngine, network, criterion, adamw, options);
  step.weights.initialize(3);
  const result = await step.gradientsOf(batch, (name) => randomStream(name));
  const data = Float32Array.from(step.gradients.data);
  step.close();
  return { result, data };
}

describe('scheme compose', () => {
  it('takes the first scheme for losses and the second for gradients', async () => {
    await tf.setBackend('cpu');
    const scheme = compose({ type: 'manual', weights: { a: 3 } }, { type: 'pcgrad', shared: 'backbone' });
    expect(scheme.weights()).to.deep.equal({ a: 3, b: 1 });
    expect(scheme.needs!.gradients!.shared).to.equal('backbone');
    expect(compose({ type: 'log' }, { type: 'pcgrad' }).project(tf.scalar(1)).dataSync()[0]).to.be.closeTo(
      Math.log(2),
      1e-5,
    );
  });

  it('trains like the first scheme alone where the second only sums', async () => {
    const alone = await gradients({ type: 'log' });
    const both = await gradients({
      type: 'compose',
      weights: { type: 'log' },
      gradients: { type: 'gradient_sum' },
    });
    const scale = Math.max(...alone.data.map(Math.abs));
    alone.data.forEach((x, i) => expect(both.data[i]).to.be.closeTo(x, 1e-5 * scale));
    expect(both.result.projected).to.deep.equal(alone.result.projected);
    expect(Object.keys(both.result.cosines)).to.have.length(3);
    expect(alone.result.cosines).to.deep.equal({});
  });

  it('reports the product of weight and coefficient', async () => {
    const weights = { type: 'manual', weights: { semseg: 4 } };
    const { result } = await gradients({ type: 'compose', weights, gradients: { type: 'imtl_g' } });
    const total = result.weights.semseg / 4 + result.weights.depth + result.weights.normals;
    expect(total).to.be.closeTo(1, 1e-9);
  });

  it('keeps the state of both', () => {
    const make = () => compose({ type: 'dwa' }, { type: 'gradvac' });
    const scheme = make();
    for (const epoch of [0, 1])
      scheme.epochEnd!({ epoch, raw: { a: 1 / (epoch + 1), b: 1 }, projected: { a: 1, b: 1 } });
    const copy = make();
    copy.restore(JSON.parse(JSON.stringify(scheme.state())));
    expect(copy.weights()).to.deep.equal(scheme.weights());
    expect(copy.weights().a).to.be.below(1);
  });

  it('passes on what either side asks for', () => {
    expect(compose({ type: 'famo' }, { type: 'mgda' }).needs?.again).to.equal(true);
    expect(compose({ type: 'dtp' }, { type: 'mgda' }).needs?.evaluation).to.equal(true);
    expect(compose({ type: 'log' }, { type: 'mgda' }).needs?.again).not.to.equal(true);
  });

  it('is refused, with a reason, where it has no meaning', () => {
    expect(refusal(() => compose({ type: 'equal' }, { type: 'log' }))).to.match(
      /log does not combine gradients/,
    );
    expect(refusal(() => compose({ type: 'mgda' }, { type: 'pcgrad' }))).to.match(
      /only one combination in a step/,
    );
    expect(refusal(() => compose({ type: 'gls' }, { type: 'pcgrad' }))).to.match(/a product of losses/);
    expect(refusal(() => compose({ type: 'stch' }, { type: 'pcgrad' }))).to.match(
      /smooth maximum over tasks/,
    );
    expect(refusal(() => compose({ type: 'log' }, { type: 'db_mtl' }))).to.match(
      /db_mtl takes logarithms of the losses itself/,
    );
    expect(refusal(() => create({ type: 'db_mtl', shared: 'representation' }))).to.match(
      /other images at each step/,
    );
    expect(refusal(() => create({ type: 'excess_mtl', shared: 'representation' }))).to.match(
      /use `shared: backbone`/,
    );
  });
});
