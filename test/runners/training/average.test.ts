// The running mean of the weights: its formula, and that it changes places with the trained weights and back.
import { expect } from 'chai';
import { ParameterTable } from '../../../modules/nn/scope.js';
import { averaged, WeightAverage } from '../../../runners/training/average.js';
import { Arena } from '../../../runners/training/step/arena.js';
import { Layout } from '../../../runners/training/step/layout.js';
import { Weights } from '../../../runners/training/step/weights.js';

function make(decay: number) {
  const table = new ParameterTable();
  table.parameters.set('w', { shape: [2], init: () => {} });
  table.buffers.set('mean', { shape: [1], fill: 0 });
  const layout = new Layout(new Map([['w', [2]]]));
  const weights = new Weights(table, new Arena(layout));
  const set = (...values: number[]) => {
    weights.array('w').set(values.slice(0, 2));
    weights.array('mean').set(values.slice(2));
  };
  const now = () => [...weights.array('w'), ...weights.array('mean')];
  return { weights, average: new WeightAverage(weights, decay), set, now };
}

describe('the running mean of the weights', () => {
  it('follows with the decay, faster at first, statistics included', () => {
    const { average, set, now } = make(0.9);
    set(1, 2, 3);
    average.start();
    const expected = [1, 2, 3];
    for (let step = 1; step <= 200; step++) {
      const values = [Math.sin(step), step / 100, 5];
      set(...values);
      average.update(step);
      // By hand: decay min(0.9, (1 + step) / (10 + step)).
      const decay = Math.min(0.9, (1 + step) / (10 + step));
      values.forEach((value, i) => (expected[i] = decay * expected[i] + (1 - decay) * value));
    }
    const trained = now();
    averaged(average, () => now().forEach((value, i) => expect(value).to.be.closeTo(expected[i], 1e-5)));
    expect(now()).to.deep.equal(trained);
  });

  it('is in the place of the weights only as long as the work takes, also if it fails', async () => {
    const { average, set, now } = make(0.5);
    set(1, 1, 1);
    average.start();
    set(2, 3, 4);
    expect(averaged(average, now)).to.deep.equal([1, 1, 1]);
    expect(now()).to.deep.equal([2, 3, 4]);
    expect(() => averaged(average, () => expect.fail('broken'))).to.throw('broken');
    expect(now()).to.deep.equal([2, 3, 4]);
    const work = averaged(average, async () => {
      await Promise.resolve();
      return now();
    });
    expect(await work).to.deep.equal([1, 1, 1]);
    expect(now()).to.deep.equal([2, 3, 4]);
    expect(averaged(undefined, now)).to.deep.equal([2, 3, 4]);
  });
});
