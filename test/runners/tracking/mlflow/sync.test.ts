// Run folders to a real server, straight and through a proxy that breaks things; what arrived is read back by
// Python's own client.
import { expect } from 'chai';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../../../registry/random.js';
import { MlflowClient, MlflowError } from '../../../../runners/tracking/mlflow/client/index.js';
import type { LoggingOptions } from '../../../../runners/tracking/mlflow/options.js';
import { closeDead, syncRuns } from '../../../../runners/tracking/mlflow/sync.js';
import { FaultProxy } from '../../../support/mlflow/fault-proxy.js';
import { temporaryRuns, TrialFolder } from '../../../support/mlflow/folders.js';
import { sharedServer, type TestServer } from '../../../support/mlflow/server.js';

interface ReadRun {
  name: string;
  status: string;
  start: number;
  end: number;
  params: Record<string, string>;
  tags: Record<string, string>;
  metrics: Record<string, number | string>;
  datasets: { name: string; digest: string; tags: Record<string, string> }[];
}
type History = Record<string, [number, number | string, number][]>;

const logging: LoggingOptions = { steps: 1, system: null, checkpoints: 'none', model: false, register: null };

describe('MLflow sync', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(90_000);
  let test: TestServer;
  let client: MlflowClient;
  let runs: string;
  let name = '';
  let count = 0;
  const warnings: string[] = [];

  before(async function () {
    test = await sharedServer(this);
    client = new MlflowClient({ uri: test.server.uri });
  });
  beforeEach(() => {
    runs = temporaryRuns();
    name = `sync-${count++}`;
    warnings.length = 0;
  });
  afterEach(() => rmSync(runs, { recursive: true, force: true }));

  const sync = (through = client) =>
    syncRuns(through, runs, { logging, warn: (text) => warnings.push(text) });

  /** name -> run, its history and its files. */
  async function stored(experiment = name) {
    const found = await test.reader.ask<{ id: string } | null>('experiment', { name: experiment });
    const ids = await test.reader.ask<string[]>('runs', { experiment: found!.id });
    const all: Record<string, ReadRun & { id: string; history: History; files: [string, number][] }> = {};
    for (const run_id of ids) {
      const run = await test.reader.ask<ReadRun>('run', { run_id });
      const key = run.tags['mtcp.row'] ?? 'parent';
      expect(all).not.to.have.property(key);
      const history = await test.reader.ask<History>('history', { run_id });
      all[key] = { ...run, id: run_id, history, files: await test.reader.ask('artifacts', { run_id }) };
    }
    return all;
  }

  it('logs what a finished trial left', async () => {
    const trial = new TrialFolder(runs, name, 'MT-CP w/o CFM & SRM', 1);
    writeFileSync(join(trial.path, 'images.json'), '{"epoch":2,"values":[],"images":[]}');
    writeFileSync(join(trial.path, 'failures.png'), 'worst and best');
    trial
      .started()
      .epoch(1, 3)
      .evaluated(1, { 'depth.RMSE': 0.5, 'normals.<11.25': 12.5, 'semseg.IoU.floor-mat': 3 })
      .epoch(2, 3)
      .finished(2, 6, { 'depth.RMSE': 0.4 });
    writeFileSync(join(runs, name, 'report.md'), '# Table\n\n| a | b |\n');
    expect((await sync()).left).to.deep.equal([]);
    const { parent, 'MT-CP w/o CFM & SRM': run } = await stored();
    expect(warnings).to.deep.equal([]);
    expect(parent.status).to.equal('FINISHED');
    expect(parent.tags['mlflow.note.content']).to.contain('# Table');
    expect(parent.files.map(([path]) => path)).to.include('report/report.md');
    expect(run).to.deep.include({
      name: 'MT-CP w/o CFM & SRM · s1',
      status: 'FINISHED',
      start: 1_700_000_001_000,
    });
    expect(run.params).to.deep.equal({
      'data.type': 'rooms',
      'data.train': '4',
      'scheme.type': 'lps',
      'scheme.spread': '1.5',
      'train.epochs': '2',
      row: 'MT-CP w/o CFM & SRM',
      seed: '1',
      scheme: 'lps',
      dataset: 'rooms',
    });
    expect(run.tags).to.include({
      'mlflow.parentRunId': parent.id,
      'mlflow.source.type': 'LOCAL',
      'mtcp.seed': '1',
      'mtcp.state': 'done',
      'mtcp.config.data.root': '/data/rooms',
      'mtcp.config.train.workers': '3',
    });
    expect(run.tags['mlflow.note.content']).to.contain('| depth.RMSE | 0.4 |');
    expect(run.history['train/loss/depth'].map(([step, value]) => [step, value])).to.deep.equal(
      [1, 2, 3, 4, 5, 6].map((step) => [step, 1 / step]),
    );
    expect(run.history['epoch/loss/depth'].map(([step, value]) => [step, value])).to.deep.equal([
      [3, 1],
      [6, 0.5],
    ]);
    const { metrics } = run;
    expect(metrics).to.include({
      'val/depth/RMSE': 0.5,
      'val/normals/within_11.25': 12.5,
      'val/semseg/IoU/floor-mat': 3,
      'final/depth/RMSE': 0.4,
      'final/parameters': 1234,
    });
    expect(run.datasets.map((each) => [each.digest, each.tags['mlflow.data.context']])).to.have.deep.members([
      ['d1', 'training'],
      ['d1', 'validation'],
    ]);
    expect(run.files.map(([path]) => path)).to.deep.equal([
      'config/resolved.yaml',
      'images.json',
      'log/events.jsonl',
      'pictures/failures.png',
      'pictures/predictions.png',
    ]);
    const images = await test.reader.ask('artifact', { run_id: run.id, path: 'images.json' });
    expect(images).to.equal('{"epoch":2,"values":[],"images":[]}');
  });

  it('follows a trial that grows, goes back to a checkpoint and ends', async () => {
    const trial = new TrialFolder(runs, name, 'grows').started().epoch(1, 4);
    await sync();
    const first = (await stored()).grows;
    expect(first.status).to.equal('RUNNING');
    trial.event({ event: 'interrupted', epoch: 1, step: 4 });
    await sync();
    expect((await stored()).grows.status).to.equal('KILLED');
    // Half a line, as a process may be writing it just now.
    appendFileSync(join(trial.path, 'events.jsonl'), '{"time":');
    await sync();
    writeFileSync(
      join(trial.path, 'events.jsonl'),
      readFileSync(join(trial.path, 'events.jsonl'), 'utf8').replace(/\{"time":$/, ''),
    );
    // The second epoch is lost with its process and trained again.
    trial.started().rewind(1, 4).epoch(2, 4);
    await sync();
    trial.started().rewind(1, 4).epoch(2, 4).epoch(3, 4).finished(3, 12, { 'depth.RMSE': 1 });
    expect((await sync()).sent).to.have.length(1);
    const { grows } = await stored();
    expect(grows.id).to.equal(first.id);
    expect(grows.status).to.equal('FINISHED');
    expect(grows.history['train/objective'].map(([step]) => step)).to.deep.equal([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    expect(grows.history['epoch/objective'].map(([step]) => step)).to.deep.equal([4, 8, 12]);
    expect(grows.tags['mtcp.resumed_from']).to.contain('step 8');
  });

  it('closes what died, and opens it again when it goes on', async () => {
    const trial = new TrialFolder(runs, name, 'dies').started().epoch(1, 2);
    new TrialFolder(runs, name, 'fails').started().event({ event: 'failed', message: 'boom at step 3' });
    await sync();
    expect((await closeDead(client, runs, { logging })).closed).to.have.length(1);
    const { dies, fails } = await stored();
    expect([dies.status, dies.tags['mtcp.state']]).to.deep.equal(['KILLED', 'died']);
    expect(fails.status).to.equal('FAILED');
    expect(fails.tags['mlflow.note.content']).to.contain('boom at step 3');
    expect(await closeDead(client, runs, { logging })).to.deep.equal({ closed: [], failed: [] });
    trial.started().rewind(1, 2).epoch(2, 2);
    await sync();
    expect((await stored()).dies).to.deep.include({ id: dies.id, status: 'RUNNING' });
    rmSync(trial.path, { recursive: true });
    expect((await closeDead(client, runs, { logging })).closed).to.deep.equal(['dies · s0']);
    expect((await stored()).dies.status).to.equal('KILLED');
  });

  it('marks numbers that are not finite', async () => {
    new TrialFolder(runs, name, 'odd')
      .started()
      .epoch(1, 1, { depth: NaN })
      .event({ event: 'failed', message: 'NaN' });
    await sync();
    const { odd } = await stored();
    expect(odd.metrics['epoch/loss/depth']).to.equal('nan');
    expect(odd.tags['mtcp.nonfinite']).to.equal('epoch/loss/depth=NaN@1');
  });

  it('logs again what the server has lost, and finds again what it has when its own record is gone', async () => {
    const trial = new TrialFolder(runs, name, 'found')
      .started()
      .epoch(1, 5)
      .finished(1, 5, { 'depth.RMSE': 1 });
    await sync();
    const before = await stored();
    rmSync(join(trial.path, '.mlflow'), { recursive: true });
    await sync();
    expect((await stored()).found).to.deep.equal(before.found);
    // Another server under the same address knows nothing of the run.
    const path = join(trial.path, '.mlflow', 'state.json');
    const state = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      state.replaceAll(before.found.id, '0'.repeat(32)).replace('"complete": true', '"complete": false'),
    );
    await sync();
    expect((await stored()).found.history).to.deep.equal(before.found.history);
  });

  it('loses and doubles nothing through 80 faults', async function () {
    this.timeout(180_000);
    const proxy = new FaultProxy(test.server.uri, 0.5);
    await proxy.start();
    const random = randomStream('interruptions', 0);
    const trials = Array.from({ length: 3 }, (_, seed) =>
      new TrialFolder(runs, name, `row ${seed}`, seed).started(),
    );
    let stops = 0;
    /** As a process that dies after some number of requests, in the middle of one. */
    const attempt = async (): Promise<boolean> => {
      const stop = new AbortController();
      let left = 5 + random.integer(60);
      const faulty = new MlflowClient(
        { uri: proxy.uri, retries: 2, backoff: 0.002, timeout: 5 },
        {
          signal: stop.signal,
          fetch: (url, init) => {
            if (--left === 0) setTimeout(() => stop.abort(), 5);
            return fetch(url, init as RequestInit);
          },
        },
      );
      try {
        const { left } = await syncRuns(faulty, runs, { logging, patience: 20 });
        return left.length === 0;
      } catch (error) {
        if (!MlflowError.is(error)) throw error;
        stops++;
        return false;
      }
    };
    try {
      for (const trial of trials) trial.epoch(1, 30);
      for (let i = 0; i < 5; i++) await attempt();
      for (const trial of trials)
        trial.evaluated(1, { 'depth.RMSE': 1 }).epoch(2, 30).finished(2, 60, { 'depth.RMSE': 0.5 });
      for (let i = 0; i < 300; i++) {
        if (!(await attempt())) continue;
        if (proxy.injected >= 80) break;
        // Done early: what was logged is logged once more.
        for (const trial of trials) rmSync(join(trial.path, '.mlflow'), { recursive: true, force: true });
      }
    } finally {
      await proxy.stop();
    }
    expect(proxy.injected).to.be.at.least(80);
    expect(Object.values(proxy.counts).every((times) => times > 0)).to.equal(true);
    expect(stops).to.be.above(0);
    expect((await sync()).left).to.deep.equal([]);
    const { parent, ...rows } = await stored();
    expect(parent.status).to.equal('FINISHED');
    expect(Object.keys(rows).sort()).to.deep.equal(trials.map(({ row }) => row));
    for (const { history, status, params, files, datasets } of Object.values(rows)) {
      expect(status).to.equal('FINISHED');
      expect(Object.keys(params)).to.have.length(9);
      expect(files).to.have.length(3);
      expect(datasets).to.have.length(2);
      const steps = Array.from({ length: 60 }, (_, i) => i + 1);
      for (const key of ['train/objective', 'train/loss/depth', 'train/weight/depth', 'train/rate', 'epoch'])
        expect(
          history[key].map(([step]) => step),
          key,
        ).to.deep.equal(steps);
      expect(history['epoch/objective'].map(([step]) => step)).to.deep.equal([30, 60]);
      expect(history['val/depth/RMSE'].map(([step, value]) => [step, value])).to.deep.equal([[30, 1]]);
      expect(history['final/depth/RMSE'].map(([step, value]) => [step, value])).to.deep.equal([[60, 0.5]]);
    }
  });

  it('keeps credentials out of folders, tags and errors', async () => {
    const secret = 'p4ss/w"ord';
    const token = new MlflowClient({ uri: test.server.uri, username: 'ada', password: secret });
    new TrialFolder(runs, name, 'secret')
      .started()
      .event({ event: 'failed', message: `cannot log in as ada:${secret}` });
    process.argv.push(`--password=${secret}`);
    try {
      await sync(token);
    } finally {
      process.argv.pop();
    }
    const { parent, secret: run } = await stored();
    expect(JSON.stringify([parent.tags, run.tags]))
      .to.contain('***')
      .and.not.contain('p4ss');
    // The trial's own record says what the trial said; what the tracker wrote does not.
    const written = files(runs).filter((path) => path.includes('.mlflow'));
    expect(written).not.to.deep.equal([]);
    for (const path of written) expect(readFileSync(path, 'utf8'), path).not.to.contain('p4ss');
    const away = new MlflowClient({
      uri: 'http://127.0.0.1:2',
      username: 'ada',
      password: secret,
      retries: 0,
    });
    await away.version().then(
      () => expect.fail('nothing listens there'),
      (error: MlflowError) => expect(error.format()).to.contain('127.0.0.1:2').and.not.contain('p4ss'),
    );
  });
});

const files = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
