// A real training run, followed by the tracker through a proxy that breaks things.
import { expect } from 'chai';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadExperiment } from '../../../../runners/config/index.js';
import { runExperiment } from '../../../../runners/app/run.js';
import type { RunEvent } from '../../../../runners/app/run-options.js';
import { trackerOf } from '../../../../runners/tracking/index.js';
import { FaultProxy } from '../../../support/mlflow/fault-proxy.js';
import { temporaryRuns } from '../../../support/mlflow/folders.js';
import { sharedServer, type TestServer } from '../../../support/mlflow/server.js';

const BASE = join(process.cwd(), 'experiments/base/mtcp-nyud.yaml');

describe('MLflow tracker', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(90_000);
  let test: TestServer;
  let runs: string;
  const environment = { ...process.env };

  before(async function () {
    test = await sharedServer(this);
  });
  beforeEach(() => {
    runs = temporaryRuns();
  });
  afterEach(() => {
    rmSync(runs, { recursive: true, force: true });
    for (const key of Object.keys(process.env)) if (!(key in environment)) delete process.env[key];
    Object.assign(process.env, environment);
  });

  /** One single-task row of the smallest size. */
  function experiment(tracking: string): string {
    const file = join(runs, 'tiny.yaml');
    writeFileSync(
      file,
      `name: tiny\ntitle: Tiny table\nextends: ${BASE}\n${tracking}\n` +
        'rows:\n  STL depth:\n    tasks: { semseg: null, normals: null }\n' +
        '    model: { interaction: null, refinement: null }\n    scheme: { type: equal }\n',
    );
    return file;
  }

  async function run(file: string, folder: string) {
    const events: RunEvent[] = [];
    const outcome = await runExperiment(file, {
      runs: join(runs, folder),
      profile: 'smoke',
      overrides: [`data.cache=${join(runs, 'rooms')}`, 'train.epochs=2', 'evaluate.every=1'],
      observe: (event) => events.push(event),
    });
    const [result] =
      outcome.report.json.rows.length > 0 ? events.filter(({ event }) => event === 'trial') : [];
    const path = (result as RunEvent & { event: 'trial' }).folder;
    return { path, messages: events.filter((event) => event.event === 'tracking') };
  }

  const weights = (folder: string) =>
    readFileSync(join(folder, 'checkpoints', 'step-00000004', 'weights.safetensors'));

  it('logs a run with its model, and changes nothing in it', async function () {
    this.timeout(180_000);
    const plain = await run(experiment('tracking: null'), 'plain');
    expect(plain.messages).to.deep.equal([]);
    expect(existsSync(join(plain.path, '.mlflow'))).to.equal(false);

    const proxy = new FaultProxy(test.server.uri, 0.1);
    await proxy.start();
    process.env.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR = '0.01';
    const file = experiment(
      `tracking: { type: mlflow, uri: '${proxy.uri}', register: tiny depth, system: 0.2 }`,
    );
    const tracked = await run(file, 'tracked').finally(() => proxy.stop());
    expect(weights(tracked.path).equals(weights(plain.path))).to.equal(true);

    const [{ url }] = tracked.messages.filter((event) => 'url' in event && event.url !== null) as {
      url: string;
    }[];
    const [, experimentId, parent] = /#\/experiments\/(\d+)\/runs\/(\w+)\?/.exec(url)!;
    const ids = await test.reader.ask<string[]>('runs', { experiment: experimentId });
    expect(ids).to.have.length(2);
    const [run_id] = ids.filter((id) => id !== parent);
    const read = await test.reader.ask<{
      status: string;
      metrics: Record<string, number>;
      models: { id: string; step: number }[];
      tags: Record<string, string>;
    }>('run', { run_id });
    expect(read.status).to.equal('FINISHED');
    expect(read.tags['mlflow.parentRunId']).to.equal(parent);
    expect(read.metrics).to.include.keys('train/loss/depth', 'val/depth/RMSE', 'final/depth/RMSE');
    expect(read.metrics).to.include.keys(
      'system/cpu_utilization_percentage',
      'system/system_memory_usage_megabytes',
    );
    expect(read.models).to.deep.equal([{ id: read.models[0]?.id, step: 4 }]);

    const logged = await test.reader.ask<{
      params: Record<string, string>;
      metrics: Record<string, number>;
      datasets: Record<string, string>;
    }>('model', { model_id: read.models[0].id });
    expect(logged.params).to.include({ 'scheme.type': 'equal', 'train.epochs': '2' });
    expect(logged.metrics['final/depth/RMSE']).to.equal(read.metrics['final/depth/RMSE']);
    expect(logged.datasets['final/depth/RMSE']).to.equal('embedded-rooms val');

    const model = `models:/${read.models[0].id}`;
    const predicted = await test.reader.ask<{
      inputs: object;
      outputs: Record<string, { shape: number[]; sum: number }>;
    }>('predict', { uri: model, inputs: { image: [2, 32, 32, 3] } });
    expect(predicted.inputs).to.deep.equal({ image: ['batch', 32, 32, 3] });
    const { shape, sum } = predicted.outputs.depth;
    expect(shape).to.deep.equal([2, 32, 32]);
    expect(sum).to.be.a('number').and.not.equal(0);
    const versions = await test.reader.ask<{ source: string }[]>('versions', { name: 'tiny depth' });
    expect(versions.map(({ source }) => source)).to.deep.equal([model]);
  });

  it('does not hold up a run whose server is away', async function () {
    this.timeout(120_000);
    process.env.MLFLOW_TRACKING_URI = 'http://127.0.0.1:2';
    const { path, messages } = await run(experiment('tracking: { type: mlflow, patience: 1 }'), 'away');
    expect(existsSync(join(path, 'result.json'))).to.equal(true);
    const said = messages.map((event) => (event as { message: string }).message);
    expect(said.at(-1)).to.contain('mtcp mlflow sync');
  });

  it('refuses options that cannot work, where they are written', () => {
    const refused = (tracking: string) => {
      try {
        trackerOf(loadExperiment(experiment(tracking), { profile: 'smoke' }), {});
      } catch (error) {
        return (error as Error & { format(): string }).format();
      }
      return 'accepted';
    };
    expect(refused("tracking: { type: mlflow, uri: 'http://ada:secret@host' }"))
      .to.match(/tiny\.yaml:4:\d+: credentials do not belong/)
      .and.not.contain('secret');
    expect(refused('tracking: { type: mlflow, uri: mlruns }')).to.contain('mtcp mlflow ui');
    expect(refused('tracking: { type: mlflow }')).to.match(/tiny\.yaml:4:\d+: no tracking server is named/);
    expect(refused('tracking: { type: mlflow, ur: x }')).to.contain('did you mean "uri"');
  });

  it('leaves the identity of a trial alone', () => {
    const hash = (tracking: string) =>
      loadExperiment(experiment(tracking), { profile: 'smoke' }).trials.map((trial) => trial.hash);
    expect(hash('tracking: { type: mlflow, steps: 7 }')).to.deep.equal(hash(''));
  });
});
