// The table of loss weights: only rows whose weights move are in it.
import { expect } from 'chai';
import { weightsSection } from '../../../runners/reporting/sections.js';
import type { WeightCourse } from '../../../runners/reporting/plots/weights.js';

const course = (row: string, weights: readonly Record<string, number>[], seed = 0): WeightCourse => ({
  row,
  seed,
  epochs: weights.map((values, i) => ({ epoch: i + 1, weights: values, projected: {} })),
});

describe('the table of loss weights', () => {
  it('has the rows whose weights move, as means over seeds', () => {
    const section = weightsSection([
      course('manual', [
        { a: 1, b: 10 },
        { a: 1, b: 10 },
      ]),
      course('lps', [
        { a: 1, b: 1 },
        { a: 0.5, b: 1.5 },
      ]),
      course(
        'lps',
        [
          { a: 1, b: 1 },
          { a: 0.7, b: 1.3 },
        ],
        1,
      ),
    ])!;
    expect(
      section.rows.map(([row, task, least, most, last]) => [row, task, least, most, last]),
    ).to.deep.equal([
      ['lps', 'a', '0.600', '1.000', '0.600'],
      ['lps', 'b', '1.000', '1.400', '1.400'],
    ]);
    expect(section.notes).to.deep.equal(['Means over the seeds.']);
  });

  it('is left out where no weight moves', () => {
    expect(weightsSection([course('manual', [{ a: 1, b: 10 }])])).to.equal(undefined);
  });
});
