// Delta-m against the tables of the paper, rank correlations against SciPy, and spreads worked by hand.
import { expect } from 'chai';
import { deltaM, rankCorrelation, spreadOf } from '../../../runners/reporting/statistics.js';

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

describe('the rank correlation', () => {
  it('agrees with scipy.stats.spearmanr, ties included', () => {
    const a = [3, 1, 4, 1, 5, 9, 2.5];
    const b = [2, 7, 1, 8, 2, 8, 1];
    expect(rankCorrelation(a, b)).to.be.closeTo(-0.08334762598987158, 1e-12);
    expect(rankCorrelation(a, a)).to.equal(1);
  });

  it('is not defined where there is no order', () => {
    expect(rankCorrelation([1, 2], [1, 2])).to.equal(undefined);
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).to.equal(undefined);
  });
});
