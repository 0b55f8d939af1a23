// Runs that are killed, stopped, or left without room on the disk: nothing good is lost, and what comes out in the
// end is what an undisturbed run gives. test/full/crash.test.ts kills many more times.
import { closeSync, existsSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ledger } from '../../../runners/store/ledger/ledger.js';
import type { TrialState } from '../../../runners/store/ledger/run-folder.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent } from '../../../runners/app/run-options.js';
import { openExperiment } from '../../../runners/config/open.js';
import { expectSameRun, mtcp, smallExperiment, trialFolderIn } from '../../support/crash.js';
import { temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

describe('a run that does not end well', function () {
  this.timeout(120_000);

  const file = smallExperiment();
  const undisturbed = temporaryFolder();
  const options = { profile: 'smoke', overrides: ['train.epochs=3'] };
  const args = (runs: string) => [
    'run',
    file,
    '--profile',
    'smoke',
    'train.epochs=3',
    '--runs',
    runs,
    '--json',
  ];

  /** Sends `signal` after the n-th event of this name. */
  const stopAfter = (runs: string, name: string, n: number, signal: NodeJS.Signals) => {
    let count = 0;
    return mtcp(args(runs), { each: ({ event }) => (event === name && ++count === n ? signal : undefined) });
  };

  const finish = async (runs: string, only?: TrialState[]): Promise<RunEvent[]> => {
    const events: RunEvent[] = [];
    const outcome = await runExperiment(file, {
      ...options,
      runs,
      only,
      observe: (event) => events.push(event),
    });
    expect(outcome.failed).to.deep.equal([]);
    return events;
  };

  const stateIn = (runs: string): TrialState => {
    const ledger = new Ledger(runs, openExperiment(file, options).trials);
    return ledger.state(ledger.entries[0]);
  };

  before(() => finish(undisturbed));

  it('goes on as if nothing had happened after kill -9, twice, and after a full disk', async function () {
    if (process.platform !== 'linux') pending(this, 'needs Linux');
    const runs = temporaryFolder();
    for (const event of ['step', 'checkpoint']) {
      expect(await stopAfter(runs, event, 1, 'SIGKILL')).to.include({ signal: 'SIGKILL' });
      expect(stateIn(runs)).to.equal('stale');
    }
    const folder = trialFolderIn(runs);
    const [saved] = readdirSync(join(folder, 'checkpoints'));

    // No file may become larger than 60 KiB: events can be written, weights cannot.
    const { code, stdout, stderr } = await mtcp(args(runs), { shell: 'ulimit -f 60' });
    expect(code).to.equal(1);
    expect(stdout).to.contain('"event":"warning","message":"no checkpoint after step 4');
    expect(stderr).to.match(/step-00000006: cannot be written: the file would be larger/);
    expect(readdirSync(join(folder, 'checkpoints'))).to.deep.equal([saved]);
    expect(existsSync(join(folder, 'result.json'))).to.equal(false);
    expect(stateIn(runs)).to.equal('failed');

    await finish(runs, ['failed']);
    expectSameRun(runs, undisturbed);
  });

  it('saves a checkpoint at the first Ctrl-C; if that is damaged later, the one before it serves', async () => {
    const runs = temporaryFolder();
    const { code, stderr } = await stopAfter(runs, 'step', 3, 'SIGINT');
    expect(code, stderr).to.equal(75);
    expect(stateIn(runs)).to.equal('interrupted');
    const checkpoints = join(trialFolderIn(runs), 'checkpoints');
    const names = readdirSync(checkpoints).sort();
    // The step that ran when the signal came, or the one after it.
    expect(names).to.have.length(2);
    const weights = join(checkpoints, names[1], 'weights.safetensors');
    const handle = openSync(weights, 'r+');
    writeSync(handle, 'x', statSync(weights).size - 100);
    closeSync(handle);

    const events = await finish(runs);
    const warning = events.find(({ event }) => event === 'warning');
    expect(warning)
      .to.have.property('message')
      .that.matches(/step-\d+ is damaged .*weights\.safetensors/);
    const resumed = events.find(({ event }) => event === 'resumed');
    expect(resumed).to.include({ step: Number(names[0].slice('step-'.length)) });
    expectSameRun(runs, undisturbed, { checkpoints: false });
  });

  // That a later one ends it at once, with 130, is tested in cli/signals.test.ts: no phase of a run this small is long.
  it('takes two signals that follow each other closely for one Ctrl-C, and says what a second one does', async () => {
    let sent = 0;
    const { code, stderr } = await mtcp(args(temporaryFolder()), {
      each: () => (sent++ < 2 ? 'SIGINT' : undefined),
    });
    expect(sent).to.be.above(1);
    expect(code).to.equal(75);
    expect(stderr).to.contain('again to stop at once');
  });

  it('says that the folder of runs cannot be written before it trains', async () => {
    const { code, stderr } = await mtcp(args(join(file, 'runs')));
    expect(code).to.equal(2);
    expect(stderr).to.match(
      /^argument "--runs .*\.yaml\/runs": the folder cannot be written: a part of the path is a file/,
    );
  });
});
