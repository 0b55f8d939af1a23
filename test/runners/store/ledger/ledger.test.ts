// States of trials, and how processes that share a folder of runs split an experiment.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TrialSpec } from '../../../../runners/config/index.js';
import { EventLog } from '../../../../runners/store/ledger/events.js';
import { Ledger, type LedgerOptions } from '../../../../runners/store/ledger/ledger.js';
import type { TrialResult } from '../../../../runners/store/ledger/run-folder.js';
import { temporaryFolder } from '../../../support/rooms.js';

const trials = ['a', 'b', 'c', 'd'].map(
  (row): TrialSpec =>
    ({ experiment: 'x', row, seed: 0, hash: row.repeat(64), sources: {} }) as unknown as TrialSpec,
);

/** What a trial leaves that is done. */
const resultOf = (row: string): TrialResult => ({
  row,
  seed: 0,
  hash: row.repeat(64),
  metrics: { 'depth.RMSE': 1 },
  selected: { rule: 'last', split: 'test', metric: 'all', epoch: 1 },
  last: { 'depth.RMSE': 1 },
  best: null,
  parameters: 1,
  epochs: 1,
  steps: 1,
  seconds: 1,
  data: { caption: '', digest: '', notes: [] },
  engine: '',
});

const open = (runs: string, options?: LedgerOptions) => new Ledger(runs, trials, options);

const rowsOf = (ledger: Ledger): string[] => {
  const rows: string[] = [];
  for (let claim = ledger.claim(); claim; claim = ledger.claim()) rows.push(claim.trial.row);
  return rows;
};

describe('the ledger', () => {
  it('tells what became of each trial', () => {
    const runs = temporaryFolder();
    const ledger = open(runs);
    const [a, b, c, d] = ledger.entries;
    new EventLog(a.folder.events).append({ event: 'failed', message: 'why' });
    new EventLog(b.folder.events).append({ event: 'interrupted', epoch: 1, step: 2 });
    c.folder.finish(resultOf('c'));
    const claim = ledger.claim(({ trial }) => trial.row !== 'd')!;
    expect(ledger.entries.map((entry) => ledger.state(entry))).to.deep.equal([
      'failed',
      'interrupted',
      'done',
      'running',
    ]);
    expect(ledger.state(d)).to.equal('running');
    // To somebody who knows that the owner is dead it is stale.
    expect(open(runs, { probes: [() => 'dead'] }).state(d)).to.equal('stale');
    claim.release();
    expect(ledger.state(d)).to.equal('queued');
    expect(a.folder.failure()).to.include({ message: 'why' });
  });

  it('gives each trial to one process', () => {
    const runs = temporaryFolder();
    const [one, other] = [open(runs), open(runs)];
    const order: string[] = [];
    for (const ledger of [one, other, other, one, other, one]) order.push(ledger.claim()?.trial.row ?? '-');
    expect(order).to.deep.equal(['a', 'b', 'c', 'd', '-', '-']);
  });

  it('claims only trials in the states that are asked for', () => {
    const runs = temporaryFolder();
    const [a, b] = open(runs).entries;
    new EventLog(a.folder.events).append({ event: 'failed', message: 'why' });
    new EventLog(b.folder.events).append({ event: 'interrupted', epoch: 1, step: 2 });
    expect(rowsOf(open(runs, { only: ['failed'] }))).to.deep.equal(['a']);
    const all = temporaryFolder();
    expect(rowsOf(open(all, { only: ['failed', 'interrupted', 'stale'] }))).to.deep.equal([]);
    expect(rowsOf(open(all))).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('does not try again what failed after it was opened', async () => {
    const runs = temporaryFolder();
    const early = open(runs);
    await new Promise((resolve) => setTimeout(resolve, 5));
    new EventLog(early.entries[0].folder.events).append({ event: 'failed', message: 'in another process' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(early.claim()!.trial.row).to.equal('b');
    expect(open(runs).claim()!.trial.row).to.equal('a');
  });

  it('tries again what failed in the future, as a clock has it that went back', () => {
    const runs = temporaryFolder();
    const { path, events } = open(runs).entries[0].folder;
    mkdirSync(path, { recursive: true });
    const failed = { time: '2999-01-01T00:00:00.000Z', event: 'failed', message: 'why' };
    writeFileSync(events, `${JSON.stringify(failed)}\n`);
    expect(open(runs).claim()!.trial.row).to.equal('a');
    // And what was noted before goes for all processes of a command, whenever they start.
    const before = open(runs).attempts;
    writeFileSync(events, `${JSON.stringify(failed)}\n${JSON.stringify({ ...failed, time: '1999' })}\n`);
    expect(open(runs, { attempts: before }).claim()!.trial.row).to.equal('b');
  });

  it('leaves a trial alone that another process has finished in the meantime', () => {
    const runs = temporaryFolder();
    const ledger = open(runs);
    ledger.entries[0].folder.finish(resultOf('a'));
    expect(ledger.claim()!.trial.row).to.equal('b');
    expect(existsSync(join(ledger.entries[0].folder.path, 'lock-1.json'))).to.equal(false);
  });

  describe('with trials that depend on others', () => {
    const [a, b] = trials;
    const both = { ...trials[2], sources: { x: a, y: b } };
    const last = { ...trials[3], sources: { x: both } };
    const open = (runs: string) => new Ledger(runs, [a, b, both, last]);
    const finish = (ledger: Ledger, trial: TrialSpec) => ledger.folderOf(trial).finish(resultOf(trial.row));

    it('hands them out when these are done, and says when it is worth waiting', () => {
      const runs = temporaryFolder();
      const [one, other] = [open(runs), open(runs)];
      const [first, second] = [one.claim()!, other.claim()!];
      expect([first.trial.row, second.trial.row]).to.deep.equal(['a', 'b']);
      expect(one.claim()).to.equal(undefined);
      expect(one.awaits()).to.equal(true);
      expect(one.awaits(({ trial }) => trial !== a && trial !== b)).to.equal(false);
      expect(one.blocked()).to.deep.equal([]);
      finish(one, a);
      first.release();
      expect(one.claim()).to.equal(undefined);
      finish(other, b);
      second.release();
      expect(one.claim()!.trial).to.equal(both);
      expect(other.claim()).to.equal(undefined);
      expect(other.awaits()).to.equal(true);
    });

    it('gives up on them when one of these has failed', () => {
      const runs = temporaryFolder();
      const ledger = open(runs);
      const first = ledger.claim()!;
      new EventLog(first.folder.events).append({ event: 'failed', message: 'why' });
      first.release();
      ledger.claim()!.release();
      finish(ledger, b);
      expect(ledger.claim()).to.equal(undefined);
      expect(ledger.awaits()).to.equal(false);
      const blocked = ledger
        .blocked()
        .map(({ entry, by }) => [entry.trial.row, by.map(({ trial, state }) => `${trial.row} ${state}`)]);
      expect(blocked).to.deep.equal([
        ['c', ['a failed']],
        ['d', ['c queued']],
      ]);
    });
  });
});
