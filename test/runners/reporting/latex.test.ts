// The LaTeX table: columns, rows, decimals, caption, and the marks of the best and second values.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../runners/config/open.js';
import { reportExperiment } from '../../../runners/app/report.js';
import type { LatexConfig } from '../../../runners/config/index.js';
import { pending } from '../../support/pending.js';
import { finishedExperiment, writeResult, writeResults } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

const RMSE: Record<string, number> = { base: 0.6, good: 0.41234, better: 0.4 };

describe('a table in LaTeX', () => {
  const only = (more: string) => DEPTH_ONLY.replace(/ }$/, `, ${more} }`);
  const file = experimentFile(`rows:
  base: ${DEPTH_ONLY}
  good: ${only('optimizer: { rate: 0.5 }')}
  better: ${only('optimizer: { rate: 0.4 }')}
report:
  delta_m: { depth: base }
  notes: [Rooms are rooms.]
  latex: { caption: 'From the file & more.', digits: { depth.RMSE: 1 } }
`);
  const runs = temporaryFolder();
  before(() => {
    for (const trial of openExperiment(file, { profile: 'smoke' }).trials)
      writeResult(runs, trial, {
        metrics: { 'depth.RMSE': RMSE[trial.row], 'depth.absRel': RMSE[trial.row] / 2 },
      });
  });
  const reportWith = (latex: LatexConfig) => reportExperiment(file, { runs, profile: 'smoke', latex });

  it('follows the file, and flags more than the file', () => {
    const { latex } = reportWith({});
    expect(latex)
      .to.contain('\\caption{From the file \\& more. Trained here:')
      .and.to.contain('Rooms are rooms.');
    expect(latex).to.contain('\\textbf{0.4}').and.to.contain('\\underline{0.4}');
    const chosen = reportWith({
      columns: ['delta_m', 'depth.absRel', 'depth.RMSE'],
      rows: ['better', 'base', 'good'],
      caption: 'Mine.',
      label: 'tab:my table',
      digits: { 'depth.RMSE': 3 },
      best: 'underline',
      second: 'none',
    }).latex;
    const lines = chosen.split('\n').filter((line) => line.endsWith('\\\\'));
    expect(lines).to.deep.equal([
      '  row & delta-m \\% & depth absRel $\\downarrow$ & depth RMSE m $\\downarrow$ \\\\',
      '  better & +33.33 & \\underline{0.2000} & \\underline{0.400} \\\\',
      '  base & +0.00 & 0.3000 & 0.600 \\\\',
      '  good & +31.28 & 0.2062 & 0.412 \\\\',
    ]);
    expect(chosen).to.contain('\\caption{Mine. Trained').and.to.contain('\\label{tab:my-table}');
  });

  it('names a row or a column that there is not, and leaves the other forms alone', () => {
    const wrong: [LatexConfig, string][] = [
      [{ columns: ['depth.rmse'] }, 'depth.RMSE'],
      [{ rows: ['bettr'] }, 'better'],
      [{ digits: { 'depth.rmse': 2 } }, 'depth.RMSE'],
      [{ against: 'bettr' }, 'better'],
    ];
    for (const [latex, hint] of wrong) {
      const { faults, text } = reportWith(latex);
      expect(text).to.match(/^better +0\.4/m);
      expect(faults).to.have.length(1);
      expect(faults[0].what).to.equal('table in LaTeX');
      expect(faults[0].error).to.have.property('hint').that.contains(hint);
    }
  });

  it('has stars of significance against a row, where the file or a flag asks for them', () => {
    const seeded = experimentFile(`seeds: [0, 1, 2]
rows:
  base: ${DEPTH_ONLY}
  other: ${only('optimizer: { rate: 0.5 }')}
  like: ${only('optimizer: { rate: 0.4 }')}
report:
  latex: { significance: [0.01, 0.05] }
`);
    // Against base: differences of 0.1 with little noise, and differences that are noise.
    const values: Record<string, number[]> = {
      base: [0.5, 0.6, 0.7],
      other: [0.4, 0.501, 0.599],
      like: [0.52, 0.59, 0.7],
    };
    const folder = temporaryFolder();
    for (const trial of openExperiment(seeded, { profile: 'smoke' }).trials)
      writeResult(folder, trial, { metrics: { 'depth.RMSE': values[trial.row][trial.seed] } });
    const made = (latex: LatexConfig) => reportExperiment(seeded, { runs: folder, profile: 'smoke', latex });
    const { latex, text } = made({});
    expect(latex).to.match(/^ {2}other & .*0\.5000 \$\\pm\$ 0\.0995\}\$\^\{\*\*\}\$/m);
    expect(latex)
      .to.match(/^ {2}(base|like) & [^*]*$/m)
      .and.not.to.match(/^ {2}(base|like) & .*\*/m);
    expect(latex).to.contain('p \\textless{} 0.05, {*}{*} p \\textless{} 0.01 against base');
    expect(text).not.to.contain('p < 0.05, **');
    // The other way round, with a level that nothing passes.
    expect(made({ against: 'other' }).latex).to.match(/^ {2}base & .*\^\{\*\*\}/m);
    expect(made({ significance: [1e-6] }).latex).not.to.match(/\^\{\*/);
    const [{ error }] = made({ against: 'oher' }).faults;
    expect(error).to.have.property('hint').that.contains('other');
    const one = reportExperiment(file, { runs, profile: 'smoke', latex: { significance: [0.05] } });
    expect(one.faults[0].error).to.have.property('message').that.contains('shares two seeds');
  });

  it('compiles, whatever rows are called', async function () {
    this.timeout(120_000);
    if (spawnSync('pdflatex', ['--version']).status !== 0)
      return pending(this, 'there is no pdflatex; apt-get install texlive-latex-base');
    const made = finishedExperiment(
      '  latex: { caption: "100 % of $x_1$ & #2 ~ \\\\ {done}", label: "tab:a_b" }',
    );
    await writeResults(made);
    const { latex } = reportExperiment(made.file, { runs: made.runs, profile: 'smoke' });
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'table.tex'), latex);
    writeFileSync(
      join(folder, 'paper.tex'),
      '\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table.tex}\\end{document}\n',
    );
    const args = ['-halt-on-error', '-interaction=nonstopmode', 'paper.tex'];
    const { status, stdout } = spawnSync('pdflatex', args, { cwd: folder, encoding: 'utf8' });
    expect(status, stdout.slice(-2000)).to.equal(0);
    expect(stdout).to.match(/Output written on paper\.pdf/);
  });
});
