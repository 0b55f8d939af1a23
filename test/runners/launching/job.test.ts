// A whole experiment in jobs of a small batch system (the one of the template): processes that have nothing from the
// one that handed them in but the folder of runs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { newComponent } from '../../../runners/app/authoring/component.js';
import { readJobMark } from '../../../runners/store/ledger/job-mark.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { submissionsOf } from '../../../runners/launching/submission.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent } from '../../../runners/app/run-options.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

const SMALL = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
const LEANS = SMALL.replace(/ }$/, ', weights: { rows: { model: a } } }');

describe('an experiment in jobs', function () {
  this.timeout(600_000);

  it('is trained by them, watched, shown to trackers, and reported', async () => {
    const plugins = [
      newComponent('launcher', 'background', temporaryFolder()).file,
      newComponent('tracker', 'journal', temporaryFolder()).file,
    ];
    const file = experimentFile(
      `plugins: [${plugins.join(', ')}]
rows:
  b: ${LEANS}
  a: ${SMALL}
launcher: { type: background, nice: 0 }
tracking: { type: journal }
`,
    );
    const runs = temporaryFolder();
    const events: RunEvent[] = [];
    const run = () =>
      runExperiment(file, { profile: 'smoke', runs, observe: (event) => void events.push(event) });
    const { report, failed, detached, interrupted } = await run();
    const [folder] = submissionsOf(runs, 'test');
    const logs = ['1', '2'].map((group) => readFileSync(folder.script(group), 'utf8')).join('\n');
    expect(failed, logs).to.deep.equal([]);
    expect({ detached, interrupted }).to.deep.equal({ detached: false, interrupted: false });
    expect(report.json.rows.map(({ row, state }) => [row, state])).to.deep.equal([
      ['b', 'done'],
      ['a', 'done'],
    ]);
    const submitted = events.flatMap((event) => (event.event === 'submitted' ? [event.trials] : []));
    expect(submitted).to.deep.equal([1, 1]);
    const last = events.findLast((event) => event.event === 'jobs');
    expect(last).to.include({ done: 2, running: 0, waiting: 0, failed: 0 });
    for (const row of report.json.rows) {
      const mark = readJobMark(row.folder)!;
      expect(existsSync(mark.log), mark.log).to.equal(true);
      expect(
        readEvents(join(row.folder, 'events.jsonl')).filter(({ event }) => event === 'started'),
      ).to.have.length(1);
    }
    const journal = readFileSync(join(runs, 'test', 'journal.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    const entries = journal.map((line) => JSON.parse(line) as { trial?: string; outcome?: string });
    expect(new Set(entries.flatMap(({ trial }) => trial ?? [])).size).to.equal(2);
    expect(entries.at(-1)).to.include({ outcome: 'finished' });

    // Done is done, also for jobs.
    events.length = 0;
    await run();
    expect(events.some(({ event }) => event === 'submitted')).to.equal(false);
  });

  it('that fails is told with what its job printed', async () => {
    const plugin = newComponent('launcher', 'behind', temporaryFolder()).file;
    const file = experimentFile(`plugins: ${plugin}\nrows:\n  a: ${SMALL}\nlauncher: { type: behind }\n`);
    const runs = temporaryFolder();
    const { failed } = await runExperiment(file, {
      profile: 'smoke',
      runs,
      observe(event) {
        // Between handing in and starting, a trial is damaged.
        if (event.event !== 'submitted') return;
        const [folder] = submissionsOf(runs, 'test');
        const configs = join(folder.path, 'specs.jsonl');
        writeFileSync(configs, readFileSync(configs, 'utf8').replace(/"epochs":\d/, '"epochs":7'));
      },
    });
    expect(failed).to.have.length(1);
    expect(failed[0]).to.include({ row: 'a', seed: 0 });
    expect(failed[0].message).to.contain('is not what it was');
  });
});
