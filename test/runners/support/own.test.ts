// What mtcp deletes, cuts off and replaces is what it made itself: never anything beside it, never through a link.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { EXPERIMENT_NAME } from '../../../runners/config/names.js';
import type { TrialSpec } from '../../../runners/config/index.js';
import { pruneCheckpoints, restoreLatest } from '../../../runners/store/checkpoint.js';
import { EventLog } from '../../../runners/store/ledger/events.js';
import { Lease, ownerOf } from '../../../runners/store/ledger/lease.js';
import { Ledger } from '../../../runners/store/ledger/ledger.js';
import { RunFolder } from '../../../runners/store/ledger/run-folder.js';
import { StepLog } from '../../../runners/store/ledger/steps.js';
import { writeFolder, writeOutput, writeWhole } from '../../../runners/support/files.js';
import { writeSafetensors } from '../../../runners/support/safetensors.js';
import { freeName } from '../../../runners/support/own.js';
import { ROOT, temporaryFolder } from '../../support/rooms.js';

const put = (path: string, text = 'mine'): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};

describe('what is not ours', () => {
  describe('devices and pipes', () => {
    const pipe = () => {
      const path = join(temporaryFolder(), 'pipe');
      expect(spawnSync('mkfifo', [path]).status).to.equal(0);
      return path;
    };

    it('are never replaced by a file', () => {
      const path = pipe();
      const link = `${path}-link`;
      symlinkSync(path, link);
      for (const each of [path, link]) {
        expect(() => writeWhole(each, 'x')).to.throw('is a pipe or a device');
        expect(() => writeSafetensors(each, new Map())).to.throw('is a pipe or a device');
      }
      expect(lstatSync(path).isFIFO()).to.equal(true);
      expect(lstatSync(link).isSymbolicLink()).to.equal(true);
      expect(readdirSync(join(path, '..'))).to.have.length(2);
    });

    it('are written into as an output, and links lead to the file', async () => {
      const path = pipe();
      const reader = spawn('cat', [path]);
      const read = new Promise<string>((resolve) =>
        reader.stdout.on('data', (text) => resolve(String(text))),
      );
      writeOutput(path, 'through');
      expect(await read).to.equal('through');
      const file = put(join(temporaryFolder(), 'file'));
      symlinkSync(file, `${path}-link`);
      writeOutput(`${path}-link`, 'new');
      expect(readFileSync(file, 'utf8')).to.equal('new');
      expect(lstatSync(`${path}-link`).isSymbolicLink()).to.equal(true);
    });
  });

  describe('beside checkpoints', () => {
    it('stays, whatever its name, also inside of a checkpoint that goes', () => {
      const folder = temporaryFolder();
      const mine = [
        'notes.txt',
        'step-1/weights.safetensors',
        'step-00000001-copy/weights.safetensors',
        'best-of-all/state.json',
        'step-00000001/my.txt',
        'archive.partial/x',
        'step-00000002.damaged-by-me/x',
      ].map((name) => put(join(folder, name)));
      const ours = [
        'step-00000001/weights.safetensors',
        'step-00000001/state.json',
        'step-00000002/optimizer.safetensors',
        'step-00000002.damaged/state.json',
        'step-00000002.damaged-2/state.json',
        'step-00000003.0a1b2c3d.partial/weights.safetensors.4e5f6a7b.partial',
        'best.0a1b2c3d.partial.old/state.json',
        'best/weights.safetensors',
      ].map((name) => put(join(folder, name)));
      const kept = put(join(folder, 'step-00000004/weights.safetensors'));
      pruneCheckpoints(folder, [join(folder, 'step-00000004')]);
      for (const path of [...mine, kept]) expect(existsSync(path), path).to.equal(true);
      for (const path of ours) expect(existsSync(path), path).to.equal(false);
      // A checkpoint with nothing else in it is gone as a whole.
      expect(readdirSync(folder)).not.to.include('step-00000002');
    });

    it('is not reached through links', () => {
      const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
      const mine = put(join(elsewhere, 'step-00000001/weights.safetensors'));
      symlinkSync(elsewhere, join(folder, 'checkpoints'));
      expect(() => pruneCheckpoints(join(folder, 'checkpoints'), [])).to.throw('is a link');
      symlinkSync(join(elsewhere, 'step-00000001'), join(folder, 'step-00000001'));
      pruneCheckpoints(folder, []);
      expect(existsSync(mine)).to.equal(true);
    });

    it('moves along when a folder is replaced', () => {
      const path = join(temporaryFolder(), 'predictions');
      put(join(path, 'old.png'));
      put(join(path, 'my.txt'));
      writeFolder(path, /\.png$/, (temporary) => writeWhole(join(temporary, 'new.png'), ''));
      expect(readdirSync(path).sort()).to.deep.equal(['my.txt', 'new.png']);
      expect(readdirSync(join(path, '..'))).to.deep.equal(['predictions']);
    });
  });

  it('is not cut off by a log that turns out to be a link', () => {
    for (const Log of [EventLog, StepLog]) {
      const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
      const mine = put(join(elsewhere, 'notes.txt'), 'no newline at the end');
      symlinkSync(mine, join(folder, 'log.jsonl'));
      expect(() => new Log(join(folder, 'log.jsonl'))).to.throw('is a link');
      expect(readFileSync(mine, 'utf8')).to.equal('no newline at the end');
    }
  });

  describe('in the folder of a trial', () => {
    const trial = (row: string): TrialSpec =>
      ({ experiment: 'x', row, seed: 0, hash: 'a'.repeat(64), sources: {} }) as unknown as TrialSpec;
    const places = ['events.jsonl', 'checkpoints', 'checkpoints/step-00000001', 'lock-1.json', 'predictions'];
    for (const name of [...places, '.', '..'])
      it(`a link in the place of ${name} costs the trial, and not the others`, () => {
        const [runs, elsewhere] = [temporaryFolder(), temporaryFolder()];
        const ledger = new Ledger(runs, [trial('a'), trial('b')]);
        const { folder } = ledger.entries[0];
        const link = join(folder.path, name);
        mkdirSync(join(link, '..'), { recursive: true });
        symlinkSync(elsewhere, link);
        const claim = ledger.claim();
        if (name === '..') expect(claim).to.equal(undefined);
        else expect(claim!.trial.row).to.equal('b');
        expect(ledger.refused[0].error.format()).to.contain(`${link}: is a link where mtcp keeps a`);
        expect(readdirSync(elsewhere)).to.deep.equal([]);
        claim?.release();
        // Without the link it is a trial like the others.
        unlinkSync(link);
        expect(new Ledger(runs, [trial('a')]).claim()!.trial.row).to.equal('a');
      });
  });

  describe('in the way of a lock', () => {
    it('a folder of that name is named, and left', () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'lock-1.json'));
      expect(ownerOf(folder)).to.equal(undefined);
      expect(() => Lease.take(folder)).to.throw('is a folder where mtcp keeps a file');
      expect(readdirSync(folder)).to.deep.equal(['lock-1.json']);
    });

    for (const number of ['9'.repeat(30), '9007199254740993', '0', '-1', '1e5', '1000000'])
      it(`lock-${number}.json is not one of ours`, () => {
        const folder = temporaryFolder();
        const mine = put(join(folder, `lock-${number}.json`));
        const lease = Lease.take(folder) as Lease;
        expect(lease.number).to.equal(1);
        lease.release();
        expect(readdirSync(folder)).to.deep.equal([`lock-${number}.json`]);
        expect(readFileSync(mine, 'utf8')).to.equal('mine');
      });
  });

  it('is not written over by a folder that is set aside twice', () => {
    const folder = join(temporaryFolder(), 'trial');
    for (const text of ['first', 'second', 'third']) {
      put(join(folder, 'x'), text);
      new RunFolder(folder).setAside('data-1');
    }
    const texts = ['-data-1', '-data-1-2', '-data-1-3'].map((end) =>
      readFileSync(join(`${folder}${end}`, 'x'), 'utf8'),
    );
    expect(texts).to.deep.equal(['first', 'second', 'third']);
    expect(freeName(`${folder}-data-1`)).to.equal(`${folder}-data-1-4`);
  });
});

describe('names of experiments', () => {
  it('lead nowhere else, by one rule that the schema has too', () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'schemas/experiment.schema.json'), 'utf8')) as {
      properties: { name: { pattern: string } };
    };
    expect(schema.properties.name.pattern).to.equal(EXPERIMENT_NAME.source);
    for (const name of ['.', '..', '...', '.mlflow', '-x', '', 'a/b', '../a', 'a\nb', 'A', 'x'.repeat(101)])
      expect(
        () => new RunFolder('runs', { experiment: name, row: 'a', seed: 0, hash: 'a'.repeat(64) }),
        name,
      ).to.throw('is not a name for an experiment');
    for (const name of ['a', '3d', 'table1.v2_b-c'])
      expect(
        new RunFolder('runs', { experiment: name, row: 'a', seed: 0, hash: 'a'.repeat(64) }).path,
      ).to.match(/^runs/);
  });

  it('a checkpoint of the same step that is damaged a second time is set aside beside the first', () => {
    const folder = temporaryFolder();
    const told: string[] = [];
    for (let time = 0; time < 3; time++) {
      put(join(folder, 'step-00000002', 'state.json'), 'not JSON');
      const found = restoreLatest(folder, undefined!, (message) => told.push(message));
      expect(found).to.equal(undefined);
    }
    expect(told).to.have.length(3);
    expect(readdirSync(folder).sort()).to.deep.equal(
      ['', '-2', '-3'].map((end) => `step-00000002.damaged${end}`),
    );
  });
});
