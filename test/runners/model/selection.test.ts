// Which weights are reported: by which metric, on which images, and what tables say about it.
import '../../../modules/index.js';
import { expect } from 'chai';
import { loadExperiment } from '../../../runners/config/index.js';
import { runExperiment } from '../../../runners/app/run.js';
import { readImageScores } from '../../../runners/store/images.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { assembled } from '../../../runners/model/assemble.js';
import { isSettled, judgedSplit, judgeOf, selectionNotes } from '../../../runners/model/selection.js';
import { MtcpError } from '../../../registry/errors.js';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

const trialsOf = (yaml: string) => loadExperiment(experimentFile(yaml), { profile: 'smoke' }).trials;

describe('selection', () => {
  it('is the last epoch unless told otherwise, and then not on the test split', () => {
    const [plain, best, test] = trialsOf(`rows:
  plain: {}
  best: { evaluate: { selection: { rule: best } } }
  test: { evaluate: { selection: { rule: best, split: test } } }`);
    expect(plain.config.evaluate.selection).to.deep.equal({
      rule: 'last',
      split: 'held-out',
      metric: 'all',
      share: 0.1,
    });
    expect([plain, best, test].map(({ config }) => judgedSplit(config))).to.deep.equal([
      'val',
      'held-out',
      'val',
    ]);
    // Weights of losses that follow scores must not follow the reported ones.
    expect(judgedSplit(plain.config, { needs: { evaluation: true } })).to.equal('held-out');
    expect(new Set([plain, best, test].map(({ hash }) => hash)).size).to.equal(3);
    expect(selectionNotes([plain, best, test])).to.deep.equal([
      'Weights of the last epoch (plain).',
      'Weights of the best epoch by the primary metrics of all tasks on 10 % of the training images, held out from training (best).',
      'CHOSEN ON THE TEST SPLIT: weights of the best epoch by the primary metrics of all tasks on the images that are reported, so the numbers are optimistic (test).',
    ]);
  });

  it('judges by all tasks or by one metric, whichever way it is better', () => {
    const [all, one, wrong] = trialsOf(`rows:
  all: {}
  one: { evaluate: { selection: { metric: depth.absRel } } }
  wrong: { evaluate: { selection: { metric: depth.mIoU } } }`);
    const { tasks, metrics } = assembled(all);
    const better = { 'semseg.mIoU': 50, 'depth.RMSE': 0.5, 'normals.mErr': 20, 'depth.absRel': 0.2 };
    const worse = { ...better, 'depth.RMSE': 0.6 };
    const judge = judgeOf(all.config, tasks, metrics);
    expect(judge(better)! - judge(worse)!).to.be.closeTo(Math.log(0.6 / 0.5) / 3, 1e-12);
    expect(judgeOf(one.config, tasks, metrics)(better)).to.equal(-0.2);
    // A score over fewer tasks would be another score.
    expect(judge({ ...better, 'depth.RMSE': null })).to.equal(undefined);
    expect(judgeOf(one.config, tasks, metrics)({ ...better, 'depth.absRel': null })).to.equal(undefined);
    expect(() => assembled(wrong))
      .to.throw(MtcpError, 'no task of this trial has a metric "depth.mIoU"')
      .with.property('where')
      .that.equals('row "wrong", evaluate.selection.metric');
  });

  it('holds training images out and reports the test scores of the epoch that is best on them', async function () {
    this.timeout(60_000);
    const file = experimentFile(
      `extends: []
rows:
  held: ${DEPTH_ONLY.replace(/ }$/, ', evaluate: { every: 1, selection: { rule: best, share: 0.3 } }, train: { epochs: 3 } }')}`.replace(
        'extends: []\n',
        '',
      ),
    );
    const runs = temporaryFolder();
    const { report } = await runExperiment(file, { profile: 'smoke', runs });
    const folder = join(
      runs,
      'test',
      readdirSync(join(runs, 'test')).find((name) => name.startsWith('held'))!,
    );
    const events = readEvents(join(folder, 'events.jsonl'));
    const judged = events.filter((event) => event.event === 'judged');
    const evaluated = events.filter((event) => event.event === 'evaluated');
    expect(judged.map(({ epoch, split }) => [epoch, split])).to.deep.equal(
      [1, 2, 3].map((e) => [e, 'held-out']),
    );
    // One of four images is held out: one step of two images an epoch instead of two.
    expect(events.find((event) => event.event === 'model')).to.include({ stepsPerEpoch: 1 });
    const best = judged.reduce((a, b) => (b.score! > a.score! ? b : a));
    const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    expect(result.selected).to.deep.equal({
      rule: 'best',
      split: 'held-out',
      metric: 'all',
      epoch: best.epoch,
    });
    expect(result.metrics).to.deep.equal(evaluated.find(({ epoch }) => epoch === best.epoch)!.metrics);
    expect(report.markdown).to.include('30 % of the training images, held out');
  });

  it('is settled when as many evaluations as patience says were no better', () => {
    const [patient, endless] = trialsOf(`rows:
  patient: { train: { epochs: 20 }, evaluate: { every: 2, patience: 3, selection: { rule: best } } }
  endless: { train: { epochs: 20 }, evaluate: { every: 2, selection: { rule: best } } }`);
    const at = (best: number, last: number) => ({ best: { epoch: best }, last: { epoch: last } });
    expect(isSettled(patient.config, at(4, 8))).to.equal(false);
    expect(isSettled(patient.config, at(4, 10))).to.equal(true);
    expect(isSettled(patient.config, { best: null, last: { epoch: 10 } })).to.equal(false);
    expect(isSettled(endless.config, at(2, 20))).to.equal(false);
    expect(patient.hash).to.not.equal(endless.hash);
  });

  it('ends a trial that is settled, with the mean of its weights, as a whole one', async function () {
    this.timeout(120_000);
    const file = experimentFile(
      `rows:\n  early: ${DEPTH_ONLY.replace(/ }$/, ', evaluate: { every: 1, patience: 1, selection: { rule: best, split: test } }, train: { epochs: 9, ema: 0.9 }, optimizer: { rate: 1e-30 } }')}`,
    );
    const runs = temporaryFolder();
    await runExperiment(file, { profile: 'smoke', runs });
    const folder = join(
      runs,
      'test',
      readdirSync(join(runs, 'test')).find((name) => name.startsWith('early'))!,
    );
    const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    const events = readEvents(join(folder, 'events.jsonl'));
    expect(result.epochs).to.be.below(9);
    expect(result.epochs - result.selected.epoch).to.equal(1);
    expect(
      events
        .filter(({ event }) => event === 'warning')
        .map((event) => JSON.stringify(event))
        .join(),
    ).to.match(/training ends after epoch \d of 9: no better score since epoch \d/);
    const checkpoint = events.findLast((event) => event.event === 'checkpoint')!;
    expect(checkpoint).to.include({ epoch: result.epochs });

    // What single images came to, and their pictures, of the last epoch.
    const { epoch, values, images } = readImageScores(folder)!;
    expect(epoch).to.equal(result.epochs);
    const at = values.findIndex(({ task, name }) => task === 'depth' && name === 'RMSE_full');
    const mean = images.reduce((sum, image) => sum + image.values[at]! / images.length, 0);
    expect(mean).to.be.closeTo(result.last['depth.RMSE_images'], 1e-6);
    expect(readdirSync(folder)).to.include('failures.png');
  });
});
