import { expect } from 'chai';
import { randomStream, shuffle } from '../../registry/random.js';

describe('random streams', () => {
  const take = (n: number, ...key: (string | number)[]) => {
    const stream = randomStream(...key);
    return Array.from({ length: n }, () => stream.uniform());
  };

  it('depend on the whole key and on nothing else', () => {
    expect(take(5, 0, 'augment', 3)).to.deep.equal(take(5, 0, 'augment', 3));
    expect(take(5, 0, 'augment', 3)).not.to.deep.equal(take(5, 0, 'augment', 4));
    expect(take(5, 1, 23)).not.to.deep.equal(take(5, 12, 3));
    expect(take(5, '1')).not.to.deep.equal(take(5, 1));
  });

  it('are uniform and normal', () => {
    const stream = randomStream('moments');
    const uniform = Array.from({ length: 20000 }, () => stream.uniform());
    const normal = Array.from({ length: 20000 }, () => stream.normal());
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(uniform)).to.be.closeTo(0.5, 0.01);
    expect(mean(uniform.map((v) => (v - 0.5) ** 2))).to.be.closeTo(1 / 12, 0.002);
    expect(mean(normal)).to.be.closeTo(0, 0.03);
    expect(mean(normal.map((v) => v * v))).to.be.closeTo(1, 0.03);
    expect(mean(normal.map((v) => v ** 4))).to.be.closeTo(3, 0.2);
  });

  it('shuffle every position alike', () => {
    const counts = new Array<number>(4).fill(0);
    for (let i = 0; i < 4000; i++) counts[shuffle([0, 1, 2, 3], randomStream('shuffle', i)).indexOf(0)]++;
    for (const count of counts) expect(count).to.be.closeTo(1000, 120);
  });
});
