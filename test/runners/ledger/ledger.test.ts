// States of trials, and how processes that share a folder of runs split an experiment.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Trial } from '../../../runners/config/index.js';
import { EventLog } from '../../../runners/ledger/events.js';
import { Ledger, type LedgerOptions } from '../../../runners/ledger/ledger.js';
import type { TrialResult } from '../../../runners/ledger/run-folder.js';
import { temporaryFolder } from '../../support/rooms.js';

const trials = ['a', 'b', 'c', 'd'].map(
  (row): Trial => ({ experiment: 'x', row, seed: 0, hash: row.repeat(64) }) as Trial,
);

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
    c.folder.finish({ row: 'c' } as TrialResult);
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

  it('leaves a trial alone that another process has finished in the meantime', () => {
    const runs = temporaryFolder();
    const ledger = open(runs);
    ledger.entries[0].folder.finish({ row: 'a' } as TrialResult);
    expect(ledger.claim()!.trial.row).to.equal('b');
    expect(existsSync(join(ledger.entries[0].folder.path, 'lock-1.json'))).to.equal(false);
  });
});
