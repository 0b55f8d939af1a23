// The methods paragraphs say every setting, name the rows that differ, and cite what the bibliography has.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../../runners/config/open.js';
import { reportExperiment } from '../../../../runners/app/report.js';
import { EventLog } from '../../../../runners/store/ledger/events.js';
import { RunFolder } from '../../../../runners/store/ledger/run-folder.js';
import { parseBibtex } from '../../../../runners/support/bibtex.js';
import { thisMachine } from '../../../../runners/support/machine.js';
import { pending } from '../../../support/pending.js';
import { finishedExperiment, HOSTILE, writeResult } from '../../../support/results.js';
import { experimentFile, temporaryFolder } from '../../../support/rooms.js';

const SETTINGS = `
train: { epochs: 7, batch: 3, accumulate: 2, clip: 0.5, ema: 0.99 }
optimizer: { type: adamw, rate: 0.00123, weight_decay: 0.0456, groups: [{ parameters: backbone.*, rate: 0.1 }] }
schedule: { type: poly, power: 0.83, warmup: 5 }
scheme: { type: lps, spread: 6.5 }
evaluate: { flip: true, scales: [1, 1.5] }
`;

describe('the methods of an experiment', () => {
  const methodsOf = (file: string, runs = temporaryFolder()) =>
    reportExperiment(file, { runs, profile: 'smoke' }).methods();

  it('say every setting', () => {
    const file = experimentFile(
      `seeds: [3, 4]\n${SETTINGS}rows:\n  a: {}\n  b: { model: { interaction: null } }\n`,
    );
    const { text } = methodsOf(file);
    for (const said of [
      'embedded-rooms',
      'size 32x32',
      'The backbone is mask2former',
      'Cheng et al., 2022',
      'The interaction is cfm (Fontana et al., 2025)',
      'Weights start at random.',
      'The loss of depth is l1_depth',
      'scheme lps (Fontana et al., 2025) (spread 6.5',
      'rate 0.00123; weight decay 0.0456; betas 0.9, 0.999',
      'backbone.* at 0.1 times the rate, 0.000123',
      'power 0.83',
      'warmup 5',
      '7 epochs with batches of 3 images, gradients accumulated over 2 batches',
      'clipped to a norm of 0.5',
      'decay 0.99',
      'All numbers are float32',
      'random seeds 3 and 4',
      'The metric of semseg is miou',
      'averaged over the image and its mirror image, and scales 1 and 1.5',
      'Weights of the last epoch',
      'engine onnx (Smilkov et al., 2019; ONNX Runtime developers, 2021)',
    ])
      expect(text).to.contain(said);
    // Only what differs names its rows.
    expect(text).to.match(/The interaction is cfm .*?\(a\)\./);
    expect(text).not.to.match(/The backbone is [^.]*\(a/);
    expect(text).to.match(/^- .*Masked-attention Mask Transformer/m);
  });

  it('say what the logs of trials know: images, versions, machines', () => {
    const made = finishedExperiment();
    for (const trial of openExperiment(made.file, { profile: 'smoke' }).trials) {
      if (trial.row === 'never run') continue;
      writeResult(made.runs, trial, { metrics: { 'depth.RMSE': 1 } });
      const folder = new RunFolder(made.runs, trial);
      new EventLog(folder.events).append({
        event: 'started',
        row: trial.row,
        seed: trial.seed,
        hash: trial.hash,
        data: { caption: 'rooms for a test', digest: 'abc', notes: [] },
        images: { train: 11, val: 5 },
        machine: { ...thisMachine(), processor: 'Fast One', commit: '0123456789abcdef' },
      });
    }
    const { text } = methodsOf(made.file, made.runs);
    expect(text).to.contain(
      'rooms for a test: 11 images for training and 5 for evaluation; digest of their content abc',
    );
    expect(text).to.contain('(commit 0123456789ab) on Node');
    expect(text).to.contain('Fast One');
    expect(text).to.match(/9 of 12 trials are done/);
    expect(text).to.contain(HOSTILE);
  });

  it('compile with the bibliography, whatever rows are called', function () {
    this.timeout(120_000);
    if (spawnSync('pdflatex', ['--version']).status !== 0 || spawnSync('bibtex', ['--version']).status !== 0)
      return pending(this, 'there is no pdflatex or bibtex; apt-get install texlive-latex-base');
    const made = finishedExperiment();
    const report = reportExperiment(made.file, { runs: made.runs, profile: 'smoke' });
    const { latex } = report.methods();
    const cited = [...latex.matchAll(/\\cite\{([^}]*)\}/g)].flatMap(([, keys]) => keys.split(','));
    const known = parseBibtex(report.bibtex(), 'bibtex').map(({ key }) => key);
    expect(cited).not.to.have.length(0);
    expect(known).to.include.members(cited);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'methods.tex'), latex);
    writeFileSync(join(folder, 'refs.bib'), report.bibtex());
    writeFileSync(
      join(folder, 'paper.tex'),
      '\\documentclass{article}\\begin{document}\\input{methods.tex}\\bibliographystyle{plain}\\bibliography{refs}\\end{document}\n',
    );
    const run = (program: string, ...args: string[]) => {
      const { status, stdout } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
      expect(status, stdout.slice(-2000)).to.equal(0);
      return stdout;
    };
    const latexArgs = ['-halt-on-error', '-interaction=nonstopmode', 'paper.tex'];
    run('pdflatex', ...latexArgs);
    expect(run('bibtex', 'paper')).not.to.match(/warning/i);
    run('pdflatex', ...latexArgs);
    expect(run('pdflatex', ...latexArgs)).not.to.match(/undefined/);
  });
});
