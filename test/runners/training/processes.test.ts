// What processes of a trial agree on, with all of them in this process: test/runners/launching/processes.test.ts has real
// ones.
import { expect } from 'chai';
import '../../../modules/index.js';
import { MtcpError } from '../../../registry/errors.js';
import { openExperiment } from '../../../runners/config/open.js';
import type { TrialSpec } from '../../../runners/config/index.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { RunFolder } from '../../../runners/store/ledger/run-folder.js';
import type { Team } from '../../../runners/support/team/team.js';
import { DataSources } from '../../../runners/training/data-sources.js';
import { follow } from '../../../runners/training/processes/follow.js';
import type { Observed } from '../../../runners/training/running-trial.js';
import { runTrial } from '../../../runners/training/trial.js';
import { recordingEngine } from '../../support/oracle.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';
import { meet } from '../../support/teams.js';

const SMALL = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');

interface Changes {
  train?: string;
  /** Of the digest of the data, as process 0 sees it. */
  digest?: string;
  /** Of the second process. */
  other?(team: Team): void;
  stopAt?: number;
}

/** Trains the trial in two processes. @returns what each ended with, and the events of the first */
async function trainedBy({ train = '', digest, other, stopAt = Infinity }: Changes) {
  const file = experimentFile(
    `rows:\n  a: ${SMALL}\ntrain: { batch: 2, accumulate: 2, workers: 0, epochs: 2${train} }\n`,
  );
  const { trials } = openExperiment(file, { profile: 'smoke' });
  const trial: TrialSpec = trials[0];
  const runs = temporaryFolder();
  const sources = new DataSources(runs, () => {}, { constant: false });
  await sources.prepare([trial]);
  const folder = new RunFolder(runs, trial);
  const [leader, second] = await meet(2);
  other?.(second);
  const followed = follow(second).then(
    () => undefined,
    (error: MtcpError) => error,
  );
  let steps = 0;
  const data = sources.about(trial);
  const led = await runTrial(trial, {
    engine: recordingEngine,
    folder,
    data: digest === undefined ? data : { ...data, digest },
    sourceFolder: () => folder,
    processes: { count: 2, areRenewed: true, meet: () => Promise.resolve(leader) },
    stopRequested: () => steps >= stopAt,
    observe: (event: Observed) => void (event.event === 'step' && steps++),
  }).then(
    () => undefined,
    (error: MtcpError) => error,
  );
  return { led, followed: await followed, events: readEvents(folder.events) };
}

describe('processes of a trial', function () {
  this.timeout(60_000);

  it('end in peace when it is done, and when it is stopped in the middle of an epoch', async () => {
    const done = await trainedBy({});
    expect([done.led, done.followed]).to.deep.equal([undefined, undefined]);
    expect(done.events.at(-1)).to.have.property('event', 'finished');
    const stopped = await trainedBy({ stopAt: 3 });
    expect(stopped.led?.constructor.name).to.equal('Interrupted');
    expect(stopped.followed).to.equal(undefined);
    expect(stopped.events.at(-1)).to.deep.include({ event: 'interrupted', epoch: 1, step: 3 });
  });

  it('that have other data do not begin', async () => {
    const { led, followed, events } = await trainedBy({ digest: 'of-others' });
    expect(led!.message).to.match(
      /^process 1 \(.*\) cannot share this trial: its data is \w+, and here it is of-others$/,
    );
    expect(led!.hint).to.contain('the same data');
    expect(followed!.message).to.equal(led!.message);
    expect(events.at(-1)).to.have.property('event', 'failed');
  });

  it('notice before a checkpoint that their weights have become different', async () => {
    const { led, events } = await trainedBy({
      other(team) {
        // A bit that falls over, in the sum of one process.
        const mean = team.mean.bind(team);
        let sums = 0;
        team.mean = async (vector, count) => {
          await mean(vector, count);
          if (++sums === 3) vector[5] += 1;
        };
      },
    });
    expect(led!.message).to.match(/^the processes have different weights after step 4: process 1 \(/);
    expect(led!.hint).to.contain('on which all agreed');
    const checkpoints = events.filter(({ event }) => event === 'checkpoint');
    expect(checkpoints.map((event) => (event as { step: number }).step)).to.deep.equal([2]);
  });

  it('end with the reason when one of them fails', async () => {
    const { led, events } = await trainedBy({
      other(team) {
        let sums = 0;
        const mean = team.mean.bind(team);
        team.mean = (vector, count) =>
          ++sums === 2
            ? Promise.reject(new MtcpError('io', 'no room', { where: '/tmp' }))
            : mean(vector, count);
      },
    });
    expect(led).to.include({ kind: 'io', message: 'no room' });
    expect(led!.where).to.match(/^process 1 \(.*\), \/tmp$/);
    expect(events.at(-1)).to.have.property('message').that.contains('no room');
  });
});
