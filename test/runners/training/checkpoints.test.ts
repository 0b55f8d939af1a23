// When a trial saves itself, what stays of it, and what a trial takes from and gives to files of weights.
import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { runExperiment } from '../../../runners/app/run.js';
import { exportWeights } from '../../../runners/app/weights/export.js';
import { readSafetensors } from '../../../runners/support/safetensors.js';
import { rejection } from '../../support/reference.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

async function train(overrides: string[], observe?: (folder: string) => void): Promise<string> {
  const file = experimentFile(`rows: { one: ${DEPTH_ONLY} }`);
  let trial = '';
  const { failed } = await runExperiment(file, {
    profile: 'smoke',
    runs: temporaryFolder(),
    overrides: ['train.batch=1', ...overrides],
    observe: (event) => {
      if (event.event === 'trial') trial = event.folder;
      if (event.event === 'checkpoint') observe?.(trial);
    },
  });
  expect(failed).to.deep.equal([]);
  return trial;
}

const checkpoints = (trial: string) => readdirSync(join(trial, 'checkpoints')).sort();

describe('checkpoints', function () {
  this.timeout(120_000);

  it('are written inside an epoch after some minutes; two stay, and the best weights', async () => {
    const most: string[][] = [];
    const trial = await train(
      ['train.epochs=2', 'evaluate.every=1', 'train.checkpoint={ minutes: 0.000001, keep: best }'],
      (folder) => most.push(checkpoints(folder)),
    );
    const events = readEvents(join(trial, 'events.jsonl'));
    const steps = events.flatMap((event) => (event.event === 'checkpoint' ? [event.step] : []));
    // Four steps an epoch: after each but the last inside the epoch, then after the epoch.
    expect(steps).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    const kept = most.map((names) => names.filter((name) => name.startsWith('step-')).length);
    expect(Math.max(...kept)).to.be.at.most(3); // the third is gone once the new one is announced
    expect(checkpoints(trial)).to.deep.equal(['best', 'step-00000008']);

    const evaluated = events.flatMap((event) => (event.event === 'evaluated' ? [event] : []));
    const best = evaluated.reduce((a, b) => (b.metrics['depth.RMSE']! < a.metrics['depth.RMSE']! ? b : a));
    const state = JSON.parse(readFileSync(join(trial, 'checkpoints/best/state.json'), 'utf8')) as {
      state: { epoch: number };
    };
    expect(state.state.epoch).to.equal(best.epoch);
    const weights = (name: string) =>
      readFileSync(join(trial, 'checkpoints', name, 'weights.safetensors')).equals(
        readFileSync(join(trial, 'checkpoints/best/weights.safetensors')),
      );
    expect(weights('step-00000008')).to.equal(best.epoch === 2);
  });

  it('are exported, and a backbone starts from them', async () => {
    const trial = await train([]);
    expect(checkpoints(trial)).to.deep.equal(['step-00000004']);
    const out = temporaryFolder();
    const whole = exportWeights({ folder: trial, out: join(out, 'model.safetensors'), part: 'model' });
    const part = exportWeights({ folder: trial, out: join(out, 'hub'), part: 'backbone' });
    const all = readSafetensors(whole.out).tensors;
    const backbone = readSafetensors(part.out).tensors;
    expect(backbone.size).to.be.greaterThan(50).and.below(all.size);
    for (const [name, { data }] of backbone)
      expect(all.get(`backbone.${name}`)!.data, name).to.deep.equal(data);
    const settings = JSON.parse(readFileSync(join(out, 'hub/config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(settings).to.include({ model_type: 'mask2former', hidden_dim: 8, decoder_layers: 2 });

    // The whole model's file will do as well: the backbone's part of it is taken.
    const next = await train([
      `weights.backbone=${whole.out}`,
      'optimizer.rate=1e-30',
      'optimizer.weight_decay=0',
    ]);
    const [started] = readEvents(join(next, 'events.jsonl')).filter(({ event }) => event === 'pretrained');
    expect(started).to.include({ tensors: backbone.size });
    const after = exportWeights({ folder: next, out: join(out, 'next.safetensors'), part: 'model' });
    const { tensors } = readSafetensors(after.out);
    for (const [name, { data }] of backbone)
      expect(tensors.get(`backbone.${name}`)!.data, name).to.deep.equal(data);
  });

  it('a file that is not there or does not fit stops the run before anything is trained', async () => {
    const absent = join(temporaryFolder(), 'absent.safetensors');
    const error = await rejection(train([`weights.backbone=${absent}`]));
    expect(error.exitCode).to.equal(2);
    expect(error.format())
      .to.contain(`there are no weights at ${absent}`)
      .and.contain('argument "weights.backbone=')
      .and.contain('mtcp weights import');
    expect(existsSync(absent)).to.equal(false);
  });
});
