import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { display } from '../../../runners/config/compose.js';
import { formatErrors } from '../../../runners/config/format.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { differences, writeResolved } from '../../../runners/config/resolved.js';
import type { TrialSpec } from '../../../runners/config/trial.js';
import { fakeSchemas, GOOD, write } from './support.js';

describe('loading experiments', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });

  /** Loads x.yaml of a folder with these files. */
  const load = (files: Record<string, string>, options: LoadOptions = {}) =>
    loadExperiment(join(write(files), 'x.yaml'), { ...options, schemas });
  const only = (files: Record<string, string>, options: LoadOptions = {}): TrialSpec => {
    const { trials } = load(files, options);
    expect(trials).to.have.length(1);
    return trials[0];
  };

  it('fills in defaults at every depth and keeps the order of tasks', () => {
    const { config } = only({
      'x.yaml': `${GOOD}
intermediate: { weight: 0.5 }
`.replace('backbone: { type: tiny }', 'backbone: { type: per-task, encoder: { type: swin } }'),
    });
    expect(Object.keys(config.tasks)).to.deep.equal(['semseg', 'depth', 'normals']);
    expect(config).to.deep.equal({
      data: { type: 'embedded-rooms', train: 240, val: 60, size: [96, 128] },
      augment: { type: 'sv', size: [96, 128], flip: true },
      tasks: {
        semseg: {
          head: { type: 'conv', hidden: 64 },
          loss: { type: 'cross-entropy' },
          metric: { type: 'miou' },
        },
        depth: {
          head: { type: 'conv', hidden: 64 },
          loss: { type: 'l1', normalize: false },
          metric: { type: 'rmse', limit: null },
        },
        normals: {
          head: { type: 'conv', hidden: 64 },
          loss: { type: 'l1', normalize: true },
          metric: { type: 'angle' },
        },
      },
      model: {
        backbone: { type: 'per-task', encoder: { type: 'swin', variant: 'small', weights: null } },
        decoder: { type: 'pyramid', depths: [1, 2, 1] },
        fusion: null,
        interaction: { type: 'cfm', merge: 'affinity', cosine: 1 },
        refinement: null,
      },
      weights: { backbone: null, digest: null, rows: {} },
      intermediate: { reduce: 'mean', scheme: true, weight: 0.5 },
      auxiliary: {},
      scheme: { type: 'dwa', temperature: 3 },
      optimizer: { type: 'adamw', rate: 0.001, decay: 0.0001 },
      schedule: { type: 'poly', power: 0.9 },
      train: {
        epochs: 2,
        batch: 4,
        accumulate: 1,
        clip: null,
        ema: null,
        freeze: [],
        lora: null,
        checkpoint: { every: 1, minutes: null, keep: 'last' },
        workers: null,
        cache: 512,
      },
      evaluate: {
        every: null,
        mode: 'sv',
        batch: 1,
        patience: null,
        flip: false,
        scales: [1],
        quantize: true,
        selection: { rule: 'last', split: 'held-out', metric: 'all', share: 0.1 },
      },
      memory: { affinity: 'tiled', recompute: 'auto' },
      engine: { type: 'onnx', provider: 'cpu', threads: null },
    });
  });

  it('fills in slots inside lists and optional slots', () => {
    const { config } = only(
      { 'x.yaml': GOOD },
      {
        overrides: [
          'model.interaction={ type: chain, parts: [{ type: cfm, merge: channel }, { type: chain, parts: [] }] }',
          'tasks.depth.loss={ type: sum, a: { type: l1 } }',
          'tasks.normals.loss={ type: sum, a: { type: l1 }, b: { type: sum, a: { type: cross-entropy } } }',
        ],
      },
    );
    expect(config.model.interaction).to.deep.equal({
      type: 'chain',
      parts: [
        { type: 'cfm', merge: 'channel', cosine: 1 },
        { type: 'chain', parts: [] },
      ],
    });
    expect(config.tasks.depth.loss).to.deep.equal({
      type: 'sum',
      a: { type: 'l1', normalize: false },
      b: null,
    });
    expect(config.tasks.normals.loss.b).to.deep.equal({ type: 'sum', a: { type: 'cross-entropy' }, b: null });
  });

  it('expands rows and seeds in order', () => {
    const text = `${GOOD}seeds: [0, 7]\nrows:\n  b: {}\n  a: { train: { epochs: 5 } }\n`;
    const experiment = load({ 'x.yaml': text });
    expect(experiment.trials.map(({ row, seed }) => `${row}${seed}`)).to.deep.equal(['b0', 'b7', 'a0', 'a7']);
    expect(experiment.trials.map(({ config }) => config.train.epochs)).to.deep.equal([2, 2, 5, 5]);
    expect(new Set(experiment.trials.map(({ hash }) => hash)).size).to.equal(4);
    const some = load({ 'x.yaml': text }, { seeds: [3], rows: ['a'] });
    expect(some.trials.map(({ row, seed }) => `${row}${seed}`)).to.deep.equal(['a3']);
  });

  it('takes seeds from an argument, and from the option before that', () => {
    const text = `${GOOD}seeds: [0, 7]\n`;
    const seeds = (options: LoadOptions) => load({ 'x.yaml': text }, options).trials.map(({ seed }) => seed);
    expect(seeds({ overrides: ['seeds=[3, 4]'] })).to.deep.equal([3, 4]);
    expect(seeds({ overrides: ['seeds=null'] })).to.deep.equal([0]);
    expect(seeds({ overrides: ['seeds=[3, 4]'], seeds: [5] })).to.deep.equal([5]);
  });

  it('names the row of an experiment without rows after the experiment', () => {
    const experiment = load({ 'x.yaml': GOOD });
    expect(experiment).to.include({ name: 'good', title: 'good', profile: null });
    expect(experiment.trials[0].row).to.equal('good');
  });

  it('applies extended files, the file, the profile, the row and arguments in this order', () => {
    const files = {
      'a.yaml':
        'extends: common.yaml\ntrain: { epochs: 11, batch: 11, clip: 11, accumulate: 11, workers: 11 }\n',
      'b.yaml': 'extends: common.yaml\ntrain: { batch: 12 }\n',
      'common.yaml': GOOD.replace('epochs: 2, batch: 4', 'epochs: 10, batch: 10'),
      'x.yaml': `name: x
extends: [a.yaml, b.yaml]
train: { clip: 13 }
profiles:
  embedded: { train: { accumulate: 14, workers: 14 } }
  full: { train: { accumulate: 15 } }
rows:
  one: { train: { workers: 16 } }
  two: { evaluate: { batch: 2 } }
`,
    };
    const experiment = load(files, {
      overrides: ['evaluate.batch=17', 'evaluate.every=1', 'evaluate.every=18'],
    });
    expect(experiment.profile).to.equal('embedded');
    const [one, two] = experiment.trials.map(({ config }) => config);
    // epochs: only a wrote it after common. common counts once, at its first place, so b does not undo a.
    expect(one.train).to.include({ epochs: 11, batch: 12, clip: 13, accumulate: 14, workers: 16 });
    expect(two.train).to.include({ workers: 14 });
    expect(one.evaluate).to.include({ batch: 17, every: 18 });
    expect(two.evaluate).to.include({ batch: 17 });
    expect(load(files, { profile: 'full' }).trials[0].config.train).to.include({
      accumulate: 15,
      workers: 16,
    });
  });

  it('merges rows and profiles of extended files and can remove them', () => {
    const files = {
      'base.yaml': `${GOOD}
rows:
  STL: { tasks: { semseg: null, normals: null } }
  gone: {}
  fresh: { scheme: { type: equal } }
profiles:
  embedded: { train: { epochs: 1 } }
`,
      'x.yaml': `name: x
extends: base.yaml
rows:
  STL: { scheme: { type: equal } }
  gone: null
  new: {}
profiles:
  embedded: { train: { batch: 1 } }
`,
    };
    const { trials } = load(files);
    expect(trials.map(({ row }) => row)).to.deep.equal(['STL', 'fresh', 'new']);
    expect(Object.keys(trials[0].config.tasks)).to.deep.equal(['depth']);
    expect(trials[0].config.scheme).to.deep.equal({ type: 'equal' });
    expect(trials[0].config.train).to.include({ epochs: 1, batch: 1 });
  });

  it('lets null remove: an option falls back to its default', () => {
    const { config } = only(
      { 'x.yaml': `${GOOD}rows:\n  r: { scheme: { temperature: null }, model: { interaction: null } }\n` },
      { overrides: ['model.decoder=null', 'tasks.depth=null'] },
    );
    expect(config.scheme).to.deep.equal({ type: 'dwa', temperature: 2 });
    expect(config.model).to.include({ decoder: null, interaction: null });
    expect(Object.keys(config.tasks)).to.deep.equal(['semseg', 'normals']);
  });

  it('lets null be a value where it is one', () => {
    const scheme = (text: string, overrides: string[] = []) =>
      only({ 'x.yaml': GOOD.replace('{ type: dwa, temperature: 3 }', text) }, { overrides }).config.scheme;
    expect(scheme('{ type: floor, most: 1 }')).to.deep.equal({ type: 'floor', least: 0, most: 1 });
    expect(scheme('{ type: floor, least: null, most: null }')).to.deep.equal({
      type: 'floor',
      least: null,
      most: null,
    });
    expect(scheme('{ type: floor, most: 1 }', ['scheme.least=null'])).to.include({ least: null });
    expect(scheme('{ type: floor, least: null, most: 1 }', ['scheme.least=2'])).to.include({ least: 2 });
    const overrides = ['model.interaction.merge=null', 'model.interaction.cosine=null'];
    const { interaction } = only({ 'x.yaml': GOOD }, { overrides }).config.model;
    expect(interaction).to.deep.equal({ type: 'cfm', merge: null, cosine: 1 });
  });

  it('allows a row to remove what a profile removed already', () => {
    const { trials } = load({
      'x.yaml': `${GOOD}profiles: { embedded: { tasks: { normals: null } } }\nrows: { STL: { tasks: { semseg: null, normals: null } } }\n`,
    });
    expect(Object.keys(trials[0].config.tasks)).to.deep.equal(['depth']);
  });

  it('resolves paths against the file that wrote them, arguments against the working directory', () => {
    const folder = write({
      'base/nyud.yaml': GOOD.replace('{ type: embedded-rooms }', '{ type: nyud-v2, root: ../data/NYUD }'),
      'x.yaml':
        'name: x\nextends: base/nyud.yaml\nmodel: { backbone: { type: swin, weights: swin.safetensors } }\n',
    });
    const trial = (overrides: string[] = []) =>
      loadExperiment(join(folder, 'x.yaml'), { schemas, overrides }).trials[0].config;
    expect(trial().data.root).to.equal(join(folder, 'data/NYUD'));
    expect(trial().model.backbone.weights).to.equal(join(folder, 'swin.safetensors'));
    expect(trial(['data.root=here/it/is']).data.root).to.equal(resolve('here/it/is'));
    expect(trial(['data.root=/absolute']).data.root).to.equal('/absolute');
    expect(trial(['model.backbone.weights=null']).model.backbone.weights).to.equal(null);
  });

  it('locates values in the file or argument that wrote them', () => {
    const folder = write({
      'base.yaml': GOOD,
      'x.yaml': 'extends: base.yaml\nrows:\n  r:\n    train: { epochs: 3 }\n',
    });
    const file = join(folder, 'x.yaml');
    const { trials, provenance } = loadExperiment(file, { schemas, overrides: ['scheme.temperature=9'] });
    const written = provenance(trials[0]);
    expect(written.locate('train.epochs')).to.equal(`${display(file)}:4:22`);
    expect(written.locate('train.batch')).to.equal(`${join(folder, 'base.yaml')}:15:28`);
    expect(written.locate(['scheme', 'temperature'])).to.equal('argument "scheme.temperature=9"');
    expect(written.locate('train')).to.equal(`${join(folder, 'base.yaml')}:15:1`);
    // A default: the slot around it.
    expect(written.locate('schedule.power')).to.equal(`${join(folder, 'base.yaml')}:14:1`);
    expect(written.locate('engine.type')).to.equal(`${display(file)}:1:1`);
  });

  it('throws one error as it is and several together', () => {
    const failure = (text: string) => {
      try {
        load({ 'x.yaml': text });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const one = failure(GOOD.replace('epochs: 2', 'epochs: 0'));
    expect(MtcpError.is(one, 'config') && one.exitCode).to.equal(2);
    expect((one as MtcpError).message).to.equal('train.epochs must be at least 1, got 0');
    const two = failure(GOOD.replace('epochs: 2, batch: 4', 'epochs: 0, batch: 0')) as MtcpError;
    expect(two.message).to.equal('2 problems found');
    expect(two.format()).to.contain('epochs must be at least 1').and.to.contain('batch must be at least 1');
  });

  it('reports a fault of a shared fragment once over several files', () => {
    const folder = write({
      'base.yaml': 'train: { epoch: 3 }\n',
      'a.yaml': `${GOOD}extends: base.yaml\n`,
      'b.yaml': `${GOOD}extends: base.yaml\n`,
    });
    const files = ['base.yaml', 'a.yaml', 'b.yaml'].map((name) => join(folder, name));
    const errors = validateFiles(files, { schemas });
    expect(errors.map(({ message }) => message)).to.deep.equal(['unknown option "epoch" in train']);
    expect(errors[0].frame).not.to.contain('extended by');
  });

  it('does not ask fragments for what they leave out', () => {
    const folder = write({
      'base.yaml': 'scheme: { type: dwa }\ntasks: { depth: { loss: { type: l1 } } }\n',
    });
    expect(validateFiles([join(folder, 'base.yaml')], { schemas })).to.deep.equal([]);
  });

  it('writes a resolved file that stands for itself', () => {
    const text = `${GOOD}
title: "Table: 3"
seeds: [4]
rows:
  "a: b, 'c'": { train: { epochs: 3 }, augment: { flip: no }, model: { interaction: null }, scheme: { type: floor, least: null, most: 1 } }
`.replace('flip: no', 'flip: false');
    const trial = only({ 'x.yaml': text });
    const again = only({ 'x.yaml': writeResolved(trial) });
    expect(again).to.deep.include({ hash: trial.hash, row: trial.row, seed: 4, config: trial.config });
    expect(again.experiment).to.equal('good');
  });

  it('tells rows apart', () => {
    const { trials } = load({
      'x.yaml': `${GOOD}seeds: [0, 1]
rows:
  full: {}
  wide: { model: { backbone: { width: 32 } }, augment: { size: [96, 64] } }
  STL: { tasks: { semseg: null, normals: null }, model: { interaction: null }, scheme: { type: equal } }
`,
    });
    const semseg = trials[0].config.tasks.semseg;
    expect(differences(trials).filter(({ path }) => path !== 'tasks.normals')).to.deep.equal([
      { path: 'augment.size', values: { full: [96, 128], wide: [96, 64], STL: [96, 128] } },
      { path: 'tasks.semseg', values: { full: semseg, wide: semseg, STL: undefined } },
      { path: 'model.backbone.width', values: { full: 16, wide: 32, STL: 16 } },
      {
        path: 'model.interaction',
        values: {
          full: { type: 'cfm', merge: 'affinity', cosine: 1 },
          wide: { type: 'cfm', merge: 'affinity', cosine: 1 },
          STL: null,
        },
      },
      {
        path: 'scheme',
        values: {
          full: { type: 'dwa', temperature: 3 },
          wide: { type: 'dwa', temperature: 3 },
          STL: { type: 'equal' },
        },
      },
    ]);
    expect(differences(trials.filter(({ row }) => row === 'full'))).to.deep.equal([]);
  });

  it('accepts null for sections in overlays and reports formats of errors as text', () => {
    const folder = write({
      'base.yaml': `${GOOD}report: { delta_m: { depth: good } }\n`,
      'x.yaml': 'extends: base.yaml\nreport: null\n',
    });
    const experiment = loadExperiment(join(folder, 'x.yaml'), { schemas });
    expect(experiment.report).to.deep.equal({});
    expect(formatErrors([])).to.equal('');
  });
});
