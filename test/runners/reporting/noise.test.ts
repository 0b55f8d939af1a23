// Rows within the noise of seeds are not told apart: the table says so, and does not call one of them the best.
import { expect } from 'chai';
import { reportExperiment } from '../../../runners/app/report.js';
import { finishedExperiment, HOSTILE, writeResults } from '../../support/results.js';

const noise = (depth: number, profile = 'smoke') =>
  `  noise: { profile: ${profile}, source: five seeds of plain MTL, deviation: { depth.RMSE: ${depth} } }`;

/** The depth cells of the rows, with the star of the best. */
async function depths(report: string): Promise<{ cells: Record<string, string>; text: string }> {
  const experiment = finishedExperiment(report);
  await writeResults(experiment);
  const { text } = reportExperiment(experiment.file, { runs: experiment.runs, profile: 'smoke' });
  const cells = Object.fromEntries(
    ['MT-CP', HOSTILE, 'STL depth'].map((row) => {
      const line = text.split('\n').find((each) => each.startsWith(row))!;
      return [row, /0\.\d{4} ± 0\.\d{4}(\*?)/.exec(line)![1]];
    }),
  );
  return { cells, text };
}

describe('the noise of seeds', () => {
  it('is not mentioned where it is not known, and the best is the best', async () => {
    const { cells, text } = await depths('');
    expect(cells).to.deep.equal({ 'MT-CP': '*', [HOSTILE]: '', 'STL depth': '' });
    expect(text).not.to.contain('Seed noise');
  });

  it('shares the star among rows that are not told apart', async () => {
    // Rows: 0.5, 0.53, 0.6, three seeds each; 2 * 0.03 * sqrt(2 / 3) = 0.049.
    const { cells, text } = await depths(noise(0.03));
    expect(cells).to.deep.equal({ 'MT-CP': '*', [HOSTILE]: '*', 'STL depth': '' });
    expect(text).to.match(
      /Seed noise: rows are not told apart if they differ by less than 0\.0490* m \(depth RMSE\).*five seeds of plain MTL/,
    );
  });

  it('takes the star away where no row is told from another', async () => {
    expect((await depths(noise(0.1))).cells).to.deep.equal({ 'MT-CP': '', [HOSTILE]: '', 'STL depth': '' });
  });

  it('of another profile says nothing about this one', async () => {
    const { cells, text } = await depths(noise(0.1, 'embedded'));
    expect(cells['MT-CP']).to.equal('*');
    expect(text).not.to.contain('Seed noise');
  });

  it('of a task that there is not is refused', () => {
    const { file, runs } = finishedExperiment(noise(1).replace('depth.RMSE', 'dept.RMSE'));
    expect(() => reportExperiment(file, { runs, profile: 'smoke' })).to.throw(/no task "dept"|dept/);
  });
});
