// Files of the trackers tensorboard and wandb, read by TensorBoard's and W&B's own code.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { TrackedRun } from '../../../../registry/contracts/tracking.js';
import { TensorBoard } from '../../../../runners/tracking/files/tensorboard.js';
import { WeightsAndBiases } from '../../../../runners/tracking/files/wandb.js';
import { pythonJson, readersPython } from '../../../support/python/python.js';

const TENSORBOARD = `
import glob, json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0, 'tensors': 0})
found.Reload()
tags = found.Tags()
print(json.dumps({
    'files': len(glob.glob(sys.argv[1] + '/events*')),
    'scalars': {t: [(e.step, e.value) for e in found.Scalars(t)] for t in tags['scalars']},
    'images': {t: [(e.width, e.height) for e in found.Images(t)] for t in tags['images']},
    'texts': {t: found.Tensors(t)[0].tensor_proto.string_val[0].decode() for t in tags['tensors']},
}))
`;

const WANDB = `
import glob, json, sys
from wandb.proto import wandb_internal_pb2 as pb
from wandb.sdk.internal.datastore import DataStore
store = DataStore()
store.open_for_scan(glob.glob(sys.argv[1] + '/offline-run-*/*.wandb')[0])
out = {'folders': len(glob.glob(sys.argv[1] + '/offline-run-*')), 'kinds': [], 'history': []}
while True:
    data = store.scan_data()
    if data is None:
        break
    record = pb.Record()
    record.ParseFromString(data)
    kind = record.WhichOneof('record_type')
    out['kinds'].append(kind)
    if kind == 'run':
        out['run'] = {'id': record.run.run_id, 'project': record.run.project, 'name': record.run.display_name,
                      'config': {i.key: json.loads(i.value_json) for i in record.run.config.update}}
    if kind == 'history':
        out['history'].append({i.key: json.loads(i.value_json) for i in record.history.item})
    if kind == 'summary':
        out['summary'] = {i.key: json.loads(i.value_json) for i in record.summary.update}
    if kind == 'exit':
        out['exit'] = record.exit.exit_code
    if kind == 'metric':
        out['axis'] = record.metric.step_metric
print(json.dumps(out))
`;

const at = (second: number) => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();
const step = (n: number) => ({
  epoch: 1,
  step: n,
  time: Date.parse(at(n % 60)),
  rate: 0.1,
  total: 10 / n,
  raw: { depth: 5 / n },
  projected: { depth: 5 / n },
  weights: { depth: 1 },
  cosines: {},
});
const lines = (...all: object[]) => all.map((line) => `${JSON.stringify(line)}\n`).join('');

const result = (metrics: object) => ({
  row: 'MT-CP, rate=0.1',
  seed: 0,
  hash: '0123abcd'.repeat(8),
  metrics,
  selected: { rule: 'last', split: 'test', metric: 'all', epoch: 1 },
  last: metrics,
  best: null,
  parameters: 10,
  epochs: 1,
  steps: 400,
  seconds: 9,
  data: { caption: 'toy rooms', digest: 'd1', notes: [] },
  engine: 'none',
});

describe('trackers that write files', () => {
  let python: string;
  let home: string;
  let trial: string;
  before(async function () {
    python = await readersPython(this);
  });
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'mtcp-trackers-'));
    trial = join(home, 'toy', 'mt-cp-s0-0123abcd');
    mkdirSync(trial, { recursive: true });
    const data = { caption: 'toy rooms', digest: 'd1', notes: [] };
    writeFileSync(
      join(trial, 'events.jsonl'),
      lines({
        time: at(0),
        event: 'started',
        row: 'MT-CP, rate=0.1',
        seed: 0,
        hash: '0123abcd'.repeat(8),
        data,
      }),
    );
    writeFileSync(
      join(trial, 'resolved.yaml'),
      'name: toy\nseeds: [0]\nrows: {}\nscheme: { type: lps, spread: 5 }\n',
    );
    // Enough for several blocks of a log.
    writeFileSync(join(trial, 'steps.jsonl'), lines(...Array.from({ length: 400 }, (_, i) => step(i + 1))));
    const grey = { width: 8, height: 6, channels: 3 as const, background: '#888' };
    writeFileSync(join(trial, 'predictions.png'), await sharp({ create: grey }).png().toBuffer());
    const wide = { ...grey, width: 20 };
    writeFileSync(join(trial, 'failures.png'), await sharp({ create: wide }).png().toBuffer());
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const said: string[] = [];
  const tracked = (): TrackedRun => ({
    experiment: 'toy',
    title: 'Toy',
    file: join(home, 'toy.yaml'),
    profile: null,
    runs: home,
    folder: join(home, 'toy'),
    report: ({ message }) => said.push(message),
  });
  const epoch = (metrics: object) =>
    appendFileSync(
      join(trial, 'events.jsonl'),
      lines(
        {
          time: at(10),
          event: 'epoch',
          epoch: 1,
          step: 400,
          rate: 0.1,
          losses: { depth: 0.5 },
          projected: { depth: 0.5 },
          objective: 0.5,
          weights: { depth: 1 },
          cosines: {},
          seconds: 9,
          waited: 0,
        },
        { time: at(11), event: 'evaluated', epoch: 1, seconds: 1, metrics },
      ),
    );
  const finish = () => {
    appendFileSync(
      join(trial, 'events.jsonl'),
      lines({ time: at(12), event: 'finished', epoch: 1, seconds: 9 }),
    );
    writeFileSync(
      join(trial, 'result.json'),
      JSON.stringify(result({ 'depth.RMSE': 0.75, 'semseg.mIoU': null })),
    );
  };

  it('TensorBoard shows steps, evaluations, results, the configuration and the picture', async () => {
    const run = new TensorBoard({ steps: 2 }).follow(tracked());
    run.trial(trial);
    epoch({ 'depth.RMSE': 0.8, 'semseg.mIoU': null });
    finish();
    await run.end('finished');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const folder = join(home, 'toy', 'tensorboard', 'mt-cp-s0-0123abcd');
    type Found = {
      files: number;
      scalars: Record<string, [number, number][]>;
      images: object;
      texts: Record<string, string>;
    };
    const found = await pythonJson<Found>(python, TENSORBOARD, [folder]);
    expect(found.scalars['train/objective']).to.have.length(200);
    expect(found.scalars['train/objective'][0]).to.deep.equal([2, 5]);
    expect(found.scalars['val/depth/RMSE'][0][0]).to.equal(400);
    expect(found.scalars['final/depth/RMSE'][0][1]).to.equal(0.75);
    // What has no value is not drawn as one.
    expect(found.scalars).not.to.have.property('val/semseg/mIoU');
    expect(found.images).to.deep.equal({ predictions: [[8, 6]], failures: [[20, 6]] });
    expect(found.texts.config).to.contain('MT-CP, rate=0.1').and.to.contain('spread: 5');
    expect(said.at(-1)).to.contain('tensorboard --logdir');

    // Resumed, or followed again: one file, everything once.
    const again = new TensorBoard({ steps: 0 }).follow(tracked());
    again.trial(trial);
    await again.end('finished');
    const second = await pythonJson<Found>(python, TENSORBOARD, [folder]);
    expect(second.files).to.equal(1);
    expect(second.scalars).not.to.have.property('train/objective');
    expect(second.scalars['epoch/objective']).to.deep.equal([[400, 0.5]]);
  });

  it('W&B reads its records, over the ends of blocks, and a run that is written again is the same run', async () => {
    const options = { project: null, entity: null, steps: 1 };
    const follow = async () => {
      const run = new WeightsAndBiases(options).follow(tracked());
      run.trial(trial);
      await run.end('interrupted');
    };
    type Found = {
      folders: number;
      kinds: string[];
      run: { id: string; project: string; name: string; config: Record<string, unknown> };
      history: Record<string, number>[];
      summary: Record<string, number>;
      exit: number;
      axis: string;
    };
    const read = () => pythonJson<Found>(python, WANDB, [join(home, 'toy', 'wandb')]);
    await follow();
    const cut = await read();
    expect(cut.exit).to.equal(1);
    epoch({ 'depth.RMSE': 0.8, 'semseg.mIoU': null });
    finish();
    await follow();
    const found = await read();
    expect(found.run).to.deep.include({ id: cut.run.id, project: 'toy', name: 'MT-CP, rate=0.1, seed 0' });
    expect(found.run.config).to.deep.include({
      row: 'MT-CP, rate=0.1',
      seed: 0,
      scheme: { type: 'lps', spread: 5 },
    });
    expect(found.folders).to.equal(1);
    expect(found.kinds.slice(0, 3)).to.deep.equal(['header', 'run', 'metric']);
    expect(found.kinds.slice(-2)).to.deep.equal(['summary', 'exit']);
    expect(found.history.map(({ _step }) => _step)).to.deep.equal(found.history.map((_, i) => i));
    expect(found.history.filter((row) => 'train/objective' in row)).to.have.length(400);
    expect(found.summary).to.include({ 'final/depth/RMSE': 0.75, 'val/depth/RMSE': 0.8 });
    expect(found.exit).to.equal(0);
    expect(found.axis).to.equal('step');
    const [folder] = readdirSync(join(home, 'toy', 'wandb'));
    const file = readdirSync(join(home, 'toy', 'wandb', folder)).find((name) => name.endsWith('.wandb'))!;
    expect(readFileSync(join(home, 'toy', 'wandb', folder, file)).length).to.be.above(2 * 32 * 1024);
  });

  it('a trial that cannot be logged is left out with a message', async () => {
    writeFileSync(join(home, 'toy', 'tensorboard'), 'not a folder');
    const run = new TensorBoard({ steps: 1 }).follow(tracked());
    run.trial(trial);
    await run.end('finished');
    expect(said.at(-1)).to.contain('not logged any more').and.to.contain('training goes on');
  });
});
