import { expect } from 'chai';
import { distinctNames } from '../../../runners/support/names.js';

describe('names made of given names', () => {
  it('are distinct whatever was given, also without case, and numbers take nobody else’s', () => {
    expect(distinctNames(['img-2', 'img', 'img'])).to.deep.equal(['img-2', 'img', 'img-3']);
    expect(distinctNames(['img', 'img', 'img-2'])).to.deep.equal(['img', 'img-3', 'img-2']);
    expect(distinctNames(['A', 'a', 'a-2', 'A'])).to.deep.equal(['A', 'a-3', 'a-2', 'A-4']);
    expect(distinctNames(['x'], ['X'])).to.deep.equal(['x-2']);
    expect(new Set(distinctNames(Array.from({ length: 500 }, () => 'a'))).size).to.equal(500);
  });

  it('are one part of a path', () => {
    for (const name of [
      '..',
      '.',
      '',
      '../../etc/passwd',
      'a/b',
      'a\\b',
      'a\u0000b',
      'x'.repeat(1000),
      'é'.repeat(500),
    ]) {
      const [made] = distinctNames([name]);
      expect(made)
        .to.match(/^[^/\\\p{Cc}]+$/u)
        .and.not.match(/^\.*$/);
      expect(Buffer.byteLength(made)).to.be.at.most(190);
    }
  });
});
