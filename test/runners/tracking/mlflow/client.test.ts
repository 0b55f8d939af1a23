// The client against a real server; what it did is read back by Python's own client.
import { expect } from 'chai';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cleanKey,
  MlflowClient,
  type LoggedModel,
  type RunInfo,
} from '../../../../runners/tracking/mlflow/client/index.js';
import { sharedServer, type TestServer } from '../../../support/mlflow/server.js';

interface ReadRun {
  name: string;
  user: string;
  status: string;
  start: number;
  end: number;
  params: Record<string, string>;
  tags: Record<string, string>;
  metrics: Record<string, number | string>;
  datasets: { name: string; digest: string; source: string; tags: Record<string, string> }[];
  models: { id: string; step: number }[];
}

describe('MlflowClient', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(90_000);
  let test: TestServer;
  let client: MlflowClient;
  let experiment_id: string;
  let info: RunInfo;

  before(async function () {
    test = await sharedServer(this);
    client = new MlflowClient({ uri: test.server.uri });
    ({ experiment_id } = await client.ensureExperiment('Tabelle 3/übersicht', [
      { key: 'mtcp.kind', value: 'table' },
    ]));
  });

  beforeEach(async () => {
    ({ info } = await client.createRun({
      experiment_id,
      run_name: 'MT-CP w/o CFM & SRM · s0',
      start_time: 1_700_000_000_000,
      user_id: 'ada',
      tags: [{ key: 'mlflow.user', value: 'ada' }],
    }));
  });

  const read = () => test.reader.ask<ReadRun>('run', { run_id: info.run_id });
  const history = () =>
    test.reader.ask<Record<string, [number, number | string, number][]>>('history', { run_id: info.run_id });

  it('makes an experiment once, whatever its name', async () => {
    const again = await client.ensureExperiment('Tabelle 3/übersicht');
    expect(again.experiment_id).to.equal(experiment_id);
    const seen = await test.reader.ask('experiment', { name: 'Tabelle 3/übersicht' });
    expect(seen).to.deep.include({ id: experiment_id, tags: { 'mtcp.kind': 'table' } });
    expect(await client.experimentByName('no such table')).to.equal(undefined);
  });

  it('makes, renames, ends and deletes runs', async () => {
    expect(await read()).to.deep.include({
      name: 'MT-CP w/o CFM & SRM · s0',
      user: 'ada',
      status: 'RUNNING',
      start: 1_700_000_000_000,
    });
    await client.updateRun(info.run_id, { status: 'KILLED', end_time: 1_700_000_001_000, run_name: 'again' });
    expect(await read()).to.deep.include({ name: 'again', status: 'KILLED', end: 1_700_000_001_000 });
    const found = await client.searchRuns([experiment_id], `attributes.run_id = '${info.run_id}'`);
    expect(found.map((run) => run.info.run_name)).to.deep.equal(['again']);
    await client.deleteRun(info.run_id);
    expect(await client.searchRuns([experiment_id], `attributes.run_id = '${info.run_id}'`)).to.deep.equal(
      [],
    );
    await client.restoreRun(info.run_id);
    expect((await client.run(info.run_id)).info.lifecycle_stage).to.equal('active');
  });

  it('logs params and tags beyond the size of a batch', async () => {
    const params = Array.from({ length: 230 }, (_, i) => ({ key: `p/${i}`, value: `${i} ü` }));
    const tags = Array.from({ length: 230 }, (_, i) => ({ key: `t.${i}`, value: 'x'.repeat(4000) }));
    await client.logBatch(info.run_id, { params, tags });
    const seen = await read();
    expect(Object.keys(seen.params)).to.have.length(230);
    expect(seen.params['p/229']).to.equal('229 ü');
    expect(Object.keys(seen.tags).filter((key) => key.startsWith('t.'))).to.have.length(230);
    await client.logBatch(info.run_id, { params: params.slice(0, 3) });
    await client.logBatch(info.run_id, { params: [{ key: 'p/0', value: 'other' }] }).then(
      () => expect.fail('a param cannot change'),
      (error: Error) => expect(error.message).to.match(/refused \(400\).*p\/0/s),
    );
    await client.setTag(info.run_id, 't.0', 'changed');
    expect((await read()).tags['t.0']).to.equal('changed');
  });

  it('logs metrics under any name, finite or not, and equal ones once', async () => {
    const names = [
      'val/normals/<11.25',
      'train/loss/größe',
      '深度 RMSE',
      '../up//and /.hidden',
      'a%&b*',
      'x'.repeat(300),
    ];
    const keys = names.map(cleanKey);
    expect(keys.slice(0, 5)).to.deep.equal([
      'val/normals/within_11.25',
      'train/loss/größe',
      '深度 RMSE',
      '__/up/and /.hidden',
      'apercentandb_',
    ]);
    const metrics = keys.map((key, i) => ({ key, value: i + 0.1, step: i, timestamp: 1000 + i }));
    const odd = [NaN, Infinity, -Infinity].map((value, step) => ({ key: 'odd', value, step, timestamp: 5 }));
    for (let repeat = 0; repeat < 2; repeat++)
      await client.logBatch(info.run_id, { metrics: [...metrics, ...odd] });
    const seen = await history();
    expect(seen[cleanKey('val/normals/<11.25')]).to.deep.equal([[0, 0.1, 1000]]);
    expect(Object.keys(seen)).to.have.members([...keys, 'odd']);
    const largest = 1.7976931348623157e308;
    expect(seen.odd).to.deep.equal([
      [0, 'nan', 5],
      [1, largest, 5],
      [2, -largest, 5],
    ]);
    const own = await client.metricHistory(info.run_id, 'odd');
    expect(own.map(({ value }) => value)).to.deep.equal([NaN, largest, -largest]);
  });

  it('logs 10,000 metrics in 10 requests', async function () {
    this.timeout(60_000);
    const metrics = Array.from({ length: 10_000 }, (_, step) => ({
      key: `train/loss/${step % 5}`,
      value: Math.sin(step),
      step: Math.floor(step / 5),
      timestamp: 1_700_000_000_000 + step,
    }));
    let requests = 0;
    const counting = new MlflowClient(
      { uri: test.server.uri },
      { fetch: (url, init) => (requests++, fetch(url, init as RequestInit)) },
    );
    await counting.logBatch(info.run_id, { metrics });
    expect(requests).to.equal(10);
    const seen = await history();
    expect(Object.values(seen).flat()).to.have.length(10_000);
    expect(seen['train/loss/4'].at(-1)).to.deep.equal([1999, Math.sin(9999), 1_700_000_009_999]);
  });

  it('logs data sets with their context, once', async () => {
    const dataset = {
      name: 'rooms',
      digest: 'abc123',
      source_type: 'local',
      source: '{"uri": "data/rooms"}',
    };
    const input = { dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] };
    for (let repeat = 0; repeat < 2; repeat++) await client.logInputs(info.run_id, [input]);
    const { datasets } = await read();
    expect(datasets).to.have.length(1);
    expect(datasets[0]).to.deep.include({ ...dataset, tags: { 'mlflow.data.context': 'training' } });
  });

  it('uploads files, folders and text, and lists them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-artifacts-'));
    try {
      writeFileSync(join(folder, 'täble 1.md'), '# ü\n');
      writeFileSync(join(folder, 'empty.json'), '');
      const artifacts = client.artifacts(info);
      await artifacts.putFolder('report/a & b', folder);
      await artifacts.putText('note.txt', 'first');
      await artifacts.putText('note.txt', 'second');
      expect(await test.reader.ask('artifacts', { run_id: info.run_id })).to.deep.equal([
        ['note.txt', 6],
        ['report/a & b/empty.json', null],
        ['report/a & b/täble 1.md', 5],
      ]);
      expect(
        await test.reader.ask('artifact', { run_id: info.run_id, path: 'report/a & b/täble 1.md' }),
      ).to.equal('# ü\n');
      expect((await artifacts.list('report')).map(({ path, is_dir }) => [path, is_dir])).to.deep.equal([
        ['report/a & b', true],
      ]);
      expect(await (await artifacts.download('note.txt')).text()).to.equal('second');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('streams 200 MB in bounded memory', async function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-large-'));
    const file = join(folder, 'weights.safetensors');
    const bytes = 200e6;
    writeFileSync(file, 'head');
    truncateSync(file, bytes);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10);
    try {
      await client.artifacts(info).putFile('checkpoints/weights.safetensors', file);
    } finally {
      clearInterval(watch);
      rmSync(folder, { recursive: true });
    }
    expect(await test.reader.ask('artifacts', { run_id: info.run_id })).to.deep.equal([
      ['checkpoints/weights.safetensors', bytes],
    ]);
    expect(peak - before).to.be.below(80e6);
  });

  it('makes logged models, links them to their run, and registers each once', async () => {
    const model = await client.createLoggedModel({
      experiment_id,
      name: 'mt-cp',
      model_type: 'onnx',
      source_run_id: info.run_id,
      params: [{ key: 'rate', value: '5e-5' }],
      tags: [{ key: 'mtcp.row', value: 'MT-CP' }],
    });
    const { model_id } = model.info;
    await client.artifacts(model.info).putText('MLmodel', 'flavors: {}\n');
    await client.logOutputs(info.run_id, [{ model_id, step: 7 }]);
    const ready: LoggedModel = await client.finalizeLoggedModel(model_id, 'READY');
    expect(ready.info.status).to.equal('LOGGED_MODEL_READY');
    await client.logBatch(info.run_id, {
      metrics: [{ key: 'final/depth/RMSE', value: 0.5, step: 7, timestamp: 1, model_id }],
    });
    const seen = await test.reader.ask('model', { model_id });
    expect(seen).to.deep.include({
      name: 'mt-cp',
      run: info.run_id,
      params: { rate: '5e-5' },
      metrics: { 'final/depth/RMSE': 0.5 },
      status: 'READY',
    });
    expect((await read()).models).to.deep.equal([{ id: model_id, step: 7 }]);
    expect((await client.searchLoggedModels([experiment_id])).map((each) => each.info.model_id)).to.include(
      model_id,
    );
    const name = `it's a "model" ${model_id.slice(-4)}`.replace(/["']/g, '');
    for (let repeat = 0; repeat < 2; repeat++) await client.ensureModelVersion(name, ready);
    const versions = await test.reader.ask<{ run: string; source: string }[]>('versions', { name });
    expect(versions.map(({ run, source }) => [run, source])).to.deep.equal([
      [info.run_id, `models:/${model_id}`],
    ]);
  });
});
