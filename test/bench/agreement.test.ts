// What counts as the same computation on both sides of a benchmark.
import { expect } from 'chai';
import { agreement } from '../../bench/agreement.js';
import type { Checksum } from '../../bench/checksum.js';

const side = (norms: Record<string, number>): Record<string, Checksum> =>
  Object.fromEntries(Object.entries(norms).map(([name, norm]) => [name, [norm, norm]]));

const PEER = side({ loss: 2, 'norm.a': 1, 'norm.b': 3, 'norm.c': 4, 'norm.d': 1e-9 });
const against = (changes: Record<string, number>) => agreement('step', { ...PEER, ...side(changes) }, PEER);

describe('agreement of benchmark sides', () => {
  it('takes rounding, and a choice that rounding flips for one parameter', () => {
    expect(against({ loss: 2.002 })).to.be.closeTo(1e-3, 1e-6);
    expect(against({ 'norm.c': 4.2 })).to.be.closeTo(0.05, 1e-6);
  });

  it('measures what is all but zero against a typical norm', () => {
    expect(against({ 'norm.d': 2e-9 })).to.be.below(1e-8);
  });

  it('refuses other results, another gradient, and gradients that are all a little off', () => {
    expect(() => against({ loss: 2.01 })).to.throw('step: loss differs by 5.0e-3');
    expect(() => against({ 'norm.b': 3.5 })).to.throw('norm.b differs by 1.7e-1');
    expect(() => against({ 'norm.a': 1.03, 'norm.b': 3.06, 'norm.c': 4.08 })).to.throw(
      'the median parameter',
    );
    expect(() => against({ 'norm.a': NaN })).to.throw('norm.a differs');
  });

  it('refuses a gradient that one side does not have', () => {
    expect(() => against({ 'norm.e': 1 })).to.throw('only one side has norm.e');
    expect(against({ 'norm.e': 0 })).to.equal(0);
    expect(() => agreement('step', side({ loss: 2 }), PEER)).to.throw('only one side has norm.a');
    expect(() => agreement('step', side({ other: 1 }), PEER)).to.throw('share no result');
  });
});
