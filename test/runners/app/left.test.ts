import { expect } from 'chai';
import { leftOver } from '../../../runners/app/left.js';
import type { TrialState } from '../../../runners/store/ledger/run-folder.js';

/** Trials in these states, and a ledger that knows them. */
function trials(states: Readonly<Record<string, TrialState>>, message?: string) {
  const folder = { failure: () => (message === undefined ? undefined : { message }) };
  const wanted = Object.keys(states).map((row) => ({ trial: { row, seed: 0 }, folder })) as never;
  const ledger = { state: ({ trial }: { trial: { row: string } }) => states[trial.row] };
  return { wanted, ledger: ledger as never };
}

describe('trials that are left when a run is over', () => {
  const left = (states: Readonly<Record<string, TrialState>>, told: string[] = [], message?: string) => {
    const { wanted, ledger } = trials(states, message);
    return leftOver(
      wanted,
      ledger,
      told.map((row) => ({ row, seed: 0, message: 'told' })),
    );
  };

  it('fail the run, whoever left them and however', () => {
    const found = left({ a: 'queued', b: 'interrupted', c: 'stale', d: 'failed' });
    expect(found.map(({ row }) => row)).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(found[0].message).to.contain('nobody trained it');
    expect(found[1].message).to.contain('after a checkpoint');
    expect(found[2].message).to.contain('a process died over it');
    expect(left({ d: 'failed' }, [], 'out of memory')[0].message).to.contain('out of memory');
  });

  it('are not those that are done or under way, nor those that are told already', () => {
    expect(left({ a: 'done', b: 'running' })).to.deep.equal([]);
    expect(left({ a: 'queued', b: 'queued' }, ['a']).map(({ row }) => row)).to.deep.equal(['b']);
  });
});
