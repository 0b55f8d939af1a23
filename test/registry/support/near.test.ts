import { expect } from 'chai';
import { randomStream } from '../../../registry/random.js';
import { didYouMean, editDistance, nearestNames } from '../../../registry/support/near.js';

/** By the definition, without any limit. */
function plainDistance(a: string, b: string): number {
  const known = new Map<string, number>();
  const at = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    const key = `${i} ${j}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const steps = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1])];
    if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps.push(at(i - 2, j - 2) + 1);
    known.set(key, Math.min(...steps));
    return known.get(key)!;
  };
  return at(a.length, b.length);
}

describe('near names', () => {
  it('counts insertions, deletions, substitutions and swaps of neighbours', () => {
    expect(editDistance('kitten', 'sitting')).to.equal(3);
    expect(editDistance('ab', 'ba')).to.equal(1);
    expect(editDistance('', 'abc')).to.equal(3);
  });

  it('finds the same distance within a limit as without one, and nothing beyond it', () => {
    const random = randomStream(1, 'near');
    const word = () => Array.from({ length: random.integer(9) }, () => 'abc'[random.integer(3)]).join('');
    for (let round = 0; round < 400; round++) {
      const [a, b] = [word(), word()];
      const whole = editDistance(a, b);
      expect(whole, `${a} ${b}`).to.equal(plainDistance(a, b));
      for (const most of [1, 2, 4])
        expect(editDistance(a, b, most), `${a} ${b} ${most}`).to.equal(whole <= most ? whole : Infinity);
    }
  });

  it('finds a near name among thousands, soon', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `${'experiment-of-some-name-'.repeat(2)}${i}.yaml`);
    const before = process.cpuUsage();
    for (let i = 0; i < 20; i++)
      expect(nearestNames(`${'experiment-of-some-name-'.repeat(2)}x.yaml`, names)).to.have.length(3);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 20e6).to.be.below(0.1);
    expect(nearestNames('zephir', [...names, 'zephyr'])).to.deep.equal(['zephyr']);
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
