// What `mtcp plan` prints: readable with many rows and seeds.
import { expect } from 'chai';
import { changeText, dependencyLines, planTable, type PlannedTrial } from '../../../runners/cli/plan-text.js';

const trial = (row: string, seed: number, rest: Partial<PlannedTrial> = {}): PlannedTrial => ({
  row,
  seed,
  state: 'queued',
  parameters: 12_345,
  nodes: 100,
  memory: 2e8,
  seconds: null,
  sections: { backbone: 12_000, heads: 345 },
  after: [],
  ...rest,
});

describe('the text of mtcp plan', () => {
  const names = Array.from({ length: 13 }, (_, i) => `Row number ${i}`);
  const planned = names.flatMap((name) => [0, 1, 2].map((seed) => trial(name, seed)));

  it('has one line for each row, whatever seeds it has', () => {
    const lines = planTable([...planned.slice(0, -1), trial(names[12], 2, { state: 'done' })]).split('\n');
    expect(lines).to.have.length(2 + 13);
    expect(lines[2]).to.match(/^Row number 0 +0, 1, 2 +queued +12,345 +12,000 +345 +100 +0\.2 GB$/);
    expect(lines[14]).to.match(/2 queued, 1 done/);
    expect(planTable([trial('one', 7)]).split('\n')[0]).to.match(/^row +seed +state/);
  });

  it('fits the terminal: sections of networks go into a table of their own', () => {
    const wide = planTable(planned);
    const narrow = planTable(planned, 70);
    for (const line of narrow.split('\n')) expect(line.length).to.be.at.most(70);
    expect(wide).to.contain('backbone').and.not.to.contain('parameters of');
    expect(narrow)
      .to.match(/^parameters of +backbone +heads$/m)
      .and.to.match(/^Row number 12 +12,000 +345$/m);
  });

  it('names rows that wait for others once', () => {
    const after = ['STL a', 'STL b'];
    const lines = dependencyLines([
      trial('x', 0, { after }),
      trial('x', 1, { after }),
      trial('y', 0, { after }),
      trial('z', 0),
    ]);
    expect(lines.join('\n')).to.equal('\nOrder:\n  x, y  after STL a, STL b');
    expect(dependencyLines(planned)).to.deep.equal([]);
  });

  it('says what rows change within the width of a line, the most frequent value without names', () => {
    const values = Object.fromEntries(names.map((name, i) => [name, i < 8 ? 1 : 2]));
    const text = changeText({ path: 'train.epochs', values });
    expect(text).to.contain('the other 8 rows');
    expect(text).to.contain('"Row number 12"');
    for (const line of text.split('\n')) expect(line.length).to.be.at.most(120);
  });
});
