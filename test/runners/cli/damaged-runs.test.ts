// Damaged files in the folder of a finished trial are named by every command that shows the trial, which otherwise
// goes on as if they were whole.
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeResolved } from '../../../runners/config/index.js';
import { openExperiment } from '../../../runners/config/open.js';
import { writeBest } from '../../../runners/store/checkpoint.js';
import { EventLog } from '../../../runners/store/ledger/events.js';
import { RunFolder } from '../../../runners/store/ledger/run-folder.js';
import { writeResult } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

function mtcp(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('damaged files of a finished trial', function () {
  this.timeout(60_000);
  const file = experimentFile(
    `rows:\n  whole: ${DEPTH_ONLY}\n  hurt: ${DEPTH_ONLY.replace('equal', 'dwa')}\n`,
  );
  const runs = temporaryFolder();
  const options = ['--profile', 'smoke', '--runs', runs];
  let hurt: RunFolder;

  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    // A digit of a number or letter of a name, somewhere in the middle.
    const at = bytes.findIndex((byte, i) => i > bytes.length / 2 && byte >= 0x30 && byte < 0x39);
    bytes[at] ^= 1;
    writeFileSync(path, bytes);
  };

  before(() => {
    for (const trial of openExperiment(file, { profile: 'smoke' }).trials) {
      const folder = new RunFolder(runs, trial);
      const log = new EventLog(folder.events);
      log.append({ event: 'evaluated', epoch: 1, metrics: { 'depth.RMSE': 1 }, seconds: 1 });
      log.append({ event: 'finished', epoch: 1, seconds: 1 });
      writeFileSync(join(folder.path, 'resolved.yaml'), writeResolved(trial));
      const tensors = new Map([['w', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]] as const);
      const best = { epoch: 1, score: 0.125, metrics: { 'depth.RMSE': 1.5 } };
      writeBest(folder.checkpoints, { entries: () => tensors }, best);
      writeResult(runs, trial, { metrics: { 'depth.RMSE': 1 } });
      hurt = folder;
    }
    flip(join(hurt.path, 'resolved.yaml'));
    flip(join(hurt.checkpoints, 'best/state.json'));
    appendFileSync(hurt.events, 'x\n{"event":"epoch"}\n');
  });

  const said = [
    /resolved\.yaml: .*checksum/,
    /best\/state\.json: .*checksum/,
    /events\.jsonl: 2 lines, first line 3/,
  ];

  it('are listed below the table of mtcp status, and in its JSON', () => {
    const { status, stdout } = mtcp('status', file, ...options);
    expect(status).to.equal(0);
    for (const what of said) expect(stdout).to.match(what);
    expect(stdout.split('\n').filter((line) => line.startsWith('damaged: '))).to.have.length(3);
    const { trials } = JSON.parse(mtcp('status', file, ...options, '--json').stdout) as {
      trials: { row: string; state: string; damaged: string[] }[];
    };
    expect(trials.map(({ row, state, damaged }) => [row, state, damaged.length])).to.deep.equal([
      ['whole', 'done', 0],
      ['hurt', 'done', 3],
    ]);
  });

  it('are notes of the report', () => {
    const { status, stdout } = mtcp('report', file, ...options);
    expect(status).to.equal(0);
    for (const what of said) expect(stdout).to.match(what);
  });

  it('are said beside the events, on stderr', () => {
    const { status, stdout, stderr } = mtcp('logs', file, ...options, '--json');
    expect(status).to.equal(0);
    expect(stdout.trim().split('\n')).to.have.length(4);
    expect(stderr).to.match(
      /^warning: .*events\.jsonl: 2 lines, first line 3, cannot be read and are left out$/m,
    );
  });

  it('are no configuration to compare with', () => {
    const { status, stderr } = mtcp('config', 'diff', hurt.path, hurt.path);
    expect(status).to.equal(2);
    expect(stderr).to.match(/resolved\.yaml: is not what was written/);
  });
});
