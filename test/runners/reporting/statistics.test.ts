// Delta-m against the tables of the paper, and spreads worked by hand.
import { expect } from 'chai';
import { deltaM, spreadOf } from '../../../runners/reporting/statistics.js';

describe('delta-m', () => {
  it("gives the gain that the paper's NYUD-v2 table states over its single-task rows", () => {
    const score = (value: number, better: 'higher' | 'lower') => ({ value, better });
    const nyud = [score(56.25, 'higher'), score(0.4316, 'lower'), score(18.6, 'lower')];
    expect(deltaM(nyud, [53.2, 0.4923, 19.22])).to.be.closeTo(7.1, 0.05);
  });

  it('counts an error that falls as a gain, and a tie as nothing', () => {
    expect(deltaM([{ value: 0.5, better: 'lower' }], [1])).to.equal(50);
    expect(deltaM([{ value: 0.5, better: 'higher' }], [1])).to.equal(-50);
    expect(deltaM([{ value: 2, better: 'higher' }], [2])).to.equal(0);
  });

  it('is not defined over a baseline of 0', () => {
    expect(deltaM([{ value: 2, better: 'higher' }], [0])).to.equal(undefined);
  });
});

describe('spread over seeds', () => {
  it('is the mean and the sample standard deviation, of one seed the number alone', () => {
    expect(spreadOf([1, 2, 3])).to.deep.equal({ mean: 2, deviation: 1, count: 3 });
    expect(spreadOf([5])).to.deep.equal({ mean: 5, count: 1 });
  });
});
