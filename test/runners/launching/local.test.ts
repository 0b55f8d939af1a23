// Trials in several processes: each is trained once, and a process that dies takes only its own trial along.
import { expect } from 'chai';
import { ownerOf } from '../../../runners/store/ledger/lease.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent } from '../../../runners/app/run-options.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

const SMALL = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');

describe('jobs', function () {
  this.timeout(120_000);

  const rowsOf = (events: readonly RunEvent[], name: RunEvent['event']) =>
    events.flatMap((event) => (event.event === name && 'row' in event ? [event.row] : []));

  it('split the trials between them; a trial that kills two of them does not stop the others', async () => {
    const slower = SMALL.replace(/ }$/, ', train: { epochs: 4 } }');
    const file = experimentFile(`rows:\n  a: ${SMALL}\n  victim: ${slower}\n  c: ${SMALL}\n`);
    const runs = temporaryFolder();
    const events: RunEvent[] = [];
    const pids = new Map<string, number>();
    const options = { profile: 'smoke', runs, jobs: 2 };
    let folder = '';
    const { failed, report } = await runExperiment(file, {
      ...options,
      observe(event) {
        events.push(event);
        if (event.event === 'trial') {
          pids.set(event.row, ownerOf(event.folder)!.owner.pid);
          if (event.row === 'victim') folder = event.folder;
        }
        if (event.event === 'step' && event.row === 'victim' && pids.has('victim')) {
          process.kill(pids.get('victim')!, 'SIGKILL');
          pids.delete('victim');
        }
      },
    });
    expect(rowsOf(events, 'trial').sort()).to.deep.equal(['a', 'c', 'victim', 'victim']);
    expect(rowsOf(events, 'finished').sort()).to.deep.equal(['a', 'c']);
    expect(failed).to.have.length(1);
    expect(failed[0]).to.include({ row: 'victim' }).and.to.have.property('message').that.contains('SIGKILL');
    expect(report.json.rows.map(({ row, state }) => [row, state])).to.deep.equal([
      ['a', 'done'],
      ['victim', 'stale'],
      ['c', 'done'],
    ]);
    expect(pids.get('a')).not.to.equal(process.pid);
    expect(ownerOf(folder)).to.have.property('alive', false);
  });

  it('stop after a checkpoint when they are asked to', async () => {
    const slow = SMALL.replace(/ }$/, ', train: { epochs: 500 } }');
    const file = experimentFile(`rows:\n  a: ${slow}\n  b: ${slow}\n`);
    const stepped = new Set<string>();
    const { interrupted, failed, report } = await runExperiment(file, {
      profile: 'smoke',
      runs: temporaryFolder(),
      jobs: 2,
      observe: (event) => void (event.event === 'step' && stepped.add(event.row)),
      stopRequested: () => stepped.size === 2,
    });
    expect(failed).to.deep.equal([]);
    expect(interrupted).to.equal(true);
    expect(report.json.rows.map(({ state }) => state)).to.deep.equal(['interrupted', 'interrupted']);
  });
});
