// Whole experiments on tiny rooms: what is trained, what is not trained again, what an interruption and a failure
// leave behind.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent, RunOptions } from '../../../runners/app/run-options.js';
import { DEPTH_ONLY, experimentFile, TABLE3, temporaryFolder } from '../../support/rooms.js';

async function runQuietly(file: string, options: Partial<RunOptions>) {
  const events: RunEvent[] = [];
  const outcome = await runExperiment(file, {
    profile: 'smoke',
    runs: temporaryFolder(),
    ...options,
    observe: (event) => {
      events.push(event);
      options.observe?.(event);
    },
  });
  const count = (name: string) => events.filter(({ event }) => event === name).length;
  return { ...outcome, events, count };
}

const trialFolder = (folder: string): string => {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(names).to.have.length(1);
  return join(folder, names[0].name);
};

const weightsOf = (folder: string): Buffer => {
  const checkpoints = join(folder, 'checkpoints');
  const last = readdirSync(checkpoints).sort().at(-1)!;
  return readFileSync(join(checkpoints, last, 'weights.safetensors'));
};

describe('an experiment', function () {
  this.timeout(60_000);

  it('trains its rows, writes the report, and trains nothing the second time', async () => {
    const runs = temporaryFolder();
    const rows = ['MT-CP', 'STL depth'];
    const first = await runQuietly(TABLE3, { runs, rows });
    expect(first.failed).to.deep.equal([]);
    expect(first.count('epoch')).to.equal(2);
    const { json, text } = first.report;
    expect(json.rows.map(({ row, state }) => [row, state])).to.deep.equal(rows.map((row) => [row, 'done']));
    const [all, single] = json.rows.map(({ metrics }) => Object.keys(metrics));
    expect(all).to.deep.equal(['semseg.mIoU', 'depth.RMSE', 'normals.mErr']);
    expect(single).to.deep.equal(['depth.RMSE']);
    expect(json.constant['depth.RMSE']).to.be.above(0);
    expect(text).to.contain('Printed in Table 3 of the paper').and.to.contain('Trained here: embedded rooms');
    expect(readFileSync(join(first.folder, 'report.md'), 'utf8')).to.contain('| MT-CP |');
    expect(JSON.parse(readFileSync(join(first.folder, 'report.json'), 'utf8'))).to.deep.equal(json);
    for (const { folder } of json.rows)
      for (const name of ['resolved.yaml', 'events.jsonl', 'result.json', 'predictions.png', 'checkpoints'])
        expect(existsSync(join(folder, name)), `${folder}/${name}`).to.equal(true);

    const second = await runQuietly(TABLE3, { runs, rows });
    expect(second.count('epoch')).to.equal(0);
    expect(second.report.json).to.deep.equal(json);
  });

  it('goes on after an interruption to the same weights and metrics as without one', async () => {
    const file = experimentFile(`rows: { depth: ${DEPTH_ONLY} }\n`);
    const overrides = ['train.epochs=2'];
    const whole = await runQuietly(file, { overrides });
    const runs = temporaryFolder();
    let steps = 0;
    const cut = await runQuietly(file, {
      overrides,
      runs,
      observe: ({ event }) => (steps += Number(event === 'step')),
      // In the middle of the second epoch.
      stopRequested: () => steps >= 3,
    });
    expect(cut.interrupted).to.equal(true);
    expect(cut.report.json.rows[0].state).to.equal('interrupted');
    const resumed = await runQuietly(file, { overrides, runs });
    expect(resumed.events).to.deep.include({
      row: 'depth, epochs=2',
      seed: 0,
      event: 'resumed',
      epoch: 1,
      step: 3,
    });
    expect(resumed.count('step')).to.equal(1);
    expect(resumed.report.json.rows[0].metrics).to.deep.equal(whole.report.json.rows[0].metrics);
    expect(weightsOf(trialFolder(resumed.folder)).equals(weightsOf(trialFolder(whole.folder)))).to.equal(
      true,
    );
  });

  it('stops while it renders its data, reports, and leaves nothing half made', async () => {
    const cache = temporaryFolder();
    const file = experimentFile(`data: { cache: ${cache} }\nrows: { depth: ${DEPTH_ONLY} }\n`);
    const runs = temporaryFolder();
    let rendered = 0;
    const { interrupted, report } = await runQuietly(file, {
      runs,
      overrides: ['data.train=500'],
      observe: (event) => {
        if (event.event === 'preparing' && event.what.startsWith('rendering')) rendered = event.done;
      },
      stopRequested: () => rendered >= 3,
    });
    expect(interrupted).to.equal(true);
    expect(rendered).to.equal(3);
    expect(report.json.rows[0].state).to.equal('queued');
    expect(readdirSync(cache)).to.deep.equal([]);
  });

  it('starts the embedded profile from the committed backbone, whole', async () => {
    const overrides = ['data.train=4', 'data.val=1', 'train.epochs=1'];
    const { failed, events } = await runQuietly(TABLE3, {
      profile: 'embedded',
      rows: ['STL depth'],
      overrides,
    });
    expect(failed).to.deep.equal([]);
    const start = events.find(({ event }) => event === 'pretrained');
    expect(start)
      .to.include({ parameters: 881_216 })
      .and.to.have.property('source')
      .that.contains('pretrained/rooms/mask2former');
  });

  it('stops a trial whose loss is not finite, keeps its last good checkpoint, and runs the others', async () => {
    const bad = DEPTH_ONLY.replace(/ }$/, ', optimizer: { rate: 1e30 }, train: { epochs: 3 } }');
    const file = experimentFile(`rows:\n  bad: ${bad}\n  good: ${DEPTH_ONLY}\n`);
    const { failed, report, folder } = await runQuietly(file, {});
    expect(failed.map(({ row }) => row)).to.deep.equal(['bad']);
    expect(failed[0].message).to.match(
      /epoch \d+, step \d+, first in .+: the (loss of depth|objective) is (NaN|Infinity)/,
    );
    expect(report.json.rows.map(({ row, state }) => [row, state])).to.deep.equal([
      ['bad', 'failed'],
      ['good', 'done'],
    ]);
    expect(report.text).to.match(/^bad +A +failed$/m);
    const [name] = readdirSync(folder).filter((entry) => entry.startsWith('bad-'));
    const events = readFileSync(join(folder, name, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(JSON.parse(events.at(-1)!)).to.include({ event: 'failed' });
    for (const checkpoint of existsSync(join(folder, name, 'checkpoints'))
      ? readdirSync(join(folder, name, 'checkpoints'))
      : [])
      expect(checkpoint).to.match(/^step-\d{8}$/);
  });

  it('runs the others if there is no engine for a trial, whose state says that it failed', async () => {
    const without = DEPTH_ONLY.replace(/}$/, ', engine: { type: xla, plugin: /nowhere/plugin.so } }');
    const file = experimentFile(`rows: { without: ${without}, with: ${DEPTH_ONLY} }\n`);
    const { failed, report } = await runQuietly(file, { jobs: 1 });
    expect(failed.map(({ row }) => row)).to.deep.equal(['without']);
    expect(failed[0].message).to.contain('/nowhere/plugin.so').and.to.contain('there is no such file');
    const states = report.json.rows.map(({ row, state }) => [row, state]);
    expect(states).to.deep.equal([
      ['without', 'failed'],
      ['with', 'done'],
    ]);
  });

  it('refuses a task that the data set has no labels for before anything is made', async () => {
    const head = '{ head: { type: mlp }, loss: { type: cross_entropy }, metric: { type: miou } }';
    const file = experimentFile(`tasks: { saliency: ${head} }\n`);
    const runs = temporaryFolder();
    const error = await runQuietly(file, { runs }).then(
      () => undefined,
      (problem: Error) => problem,
    );
    expect(error).to.have.property('message').that.contains('no labels for task "saliency"');
    expect(error)
      .to.have.property('where')
      .that.matches(/experiment\.yaml:3:\d+$/);
    expect(readdirSync(runs)).to.deep.equal([]);
  });
});
