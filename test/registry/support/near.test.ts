import { expect } from 'chai';
import { didYouMean, editDistance, nearestNames } from '../../../registry/support/near.js';

describe('near names', () => {
  it('counts insertions, deletions, substitutions and swaps of neighbours', () => {
    expect(editDistance('kitten', 'sitting')).to.equal(3);
    expect(editDistance('ab', 'ba')).to.equal(1);
    expect(editDistance('', 'abc')).to.equal(3);
  });

  it('offers the nearest first and nothing that is far', () => {
    expect(nearestNames('temprature', ['temperature', 'tempo', 'rate'])).to.deep.equal(['temperature']);
    expect(nearestNames('xyz', ['cfm', 'srm'])).to.deep.equal([]);
  });

  it('lists everything when nothing is near', () => {
    expect(didYouMean('xyz', ['srm', 'cfm'])).to.equal('known: cfm, srm');
    expect(didYouMean('cmf', ['srm', 'cfm'])).to.contain('did you mean "cfm"');
  });
});
