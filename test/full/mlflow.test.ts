// What takes too long for every test run: a server that is killed while it is written to, artifacts in parts to an
// object store (moto's imitation of S3), and times.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { MlflowClient, MlflowError } from '../../runners/tracking/mlflow/client/index.js';
import { syncRuns } from '../../runners/tracking/mlflow/sync.js';
import { expectSameRun, mtcp, smallExperiment } from '../support/crash.js';
import { FaultProxy } from '../support/mlflow/fault-proxy.js';
import { temporaryRuns, TrialFolder } from '../support/mlflow/folders.js';
import { freePort, sharedServer, startServer } from '../support/mlflow/server.js';

const logging = { steps: 1, system: null, checkpoints: 'none', model: false, register: null } as const;
type History = Record<string, [number, number | string, number][]>;

describe('MLflow, at length', function () {
  this.timeout(1_800_000);

  it('loses and doubles nothing through 1000 faults and a server that is killed', async function () {
    await sharedServer(this);
    this.timeout(3_600_000);
    const { server, reader } = await startServer();
    const proxy = new FaultProxy(server.uri, 0.4);
    await proxy.start();
    const runs = temporaryRuns();
    const trials = Array.from({ length: 6 }, (_, seed) =>
      new TrialFolder(runs, 'long', `row ${seed}`, seed).started(),
    );
    const attempt = async () => {
      const client = new MlflowClient({ uri: proxy.uri, retries: 2, backoff: 0.01, timeout: 10 });
      try {
        return (await syncRuns(client, runs, { logging, patience: 10 })).left.length === 0;
      } catch (error) {
        if (!MlflowError.is(error)) throw error;
        return false;
      }
    };
    let [kills, epochs] = [0, 0];
    for (let epoch = 1; proxy.injected < 1000; epoch++) {
      epochs = epoch;
      for (const trial of trials) trial.epoch(epoch, 20).evaluated(epoch, { 'depth.RMSE': 1 / epoch });
      const working = attempt();
      if (epoch % 10 === 0) {
        await sleep(300);
        server.kill();
        kills++;
        await working;
        await server.start();
      } else await working;
    }
    for (const trial of trials) trial.finished(epochs, epochs * 20, { 'depth.RMSE': 1 / epochs });
    while (!(await attempt()));
    await proxy.stop();
    expect(kills).to.be.above(0);
    const found = await reader.ask<{ id: string }>('experiment', { name: 'long' });
    const ids = await reader.ask<string[]>('runs', { experiment: found.id });
    expect(ids).to.have.length(trials.length + 1);
    const steps = Array.from({ length: epochs * 20 }, (_, i) => i + 1);
    for (const run_id of ids) {
      const { tags, status } = await reader.ask<{ tags: Record<string, string>; status: string }>('run', {
        run_id,
      });
      expect(status).to.equal('FINISHED');
      if (!tags['mtcp.row']) continue;
      const history = await reader.ask<History>('history', { run_id });
      expect(history['train/objective'].map(([step]) => step)).to.deep.equal(steps);
      expect(history['val/depth/RMSE']).to.have.length(epochs);
    }
    server.kill();
    rmSync(runs, { recursive: true });
  });

  it('follows a training run through a server that is killed and started again', async function () {
    await sharedServer(this);
    this.timeout(600_000);
    const { server, reader } = await startServer();
    const runs = temporaryRuns();
    const file = smallExperiment();
    const epochs = 1500;
    const overrides = [`train.epochs=${epochs}`, 'train.checkpoint.every=100', 'evaluate.every=100'];
    const train = (folder: string, uri?: string, each?: (event: { event: string }) => void) =>
      mtcp(['run', file, '--profile', 'smoke', ...overrides, '--runs', join(runs, folder), '--json'], {
        shell: uri ? `export MLFLOW_TRACKING_URI=${uri} MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR=0.1` : '',
        each: (event) => void each?.(event),
      });
    let [kills, training, known] = [0, true, false];
    /** Up for a while, down for a while, for as long as there is training. */
    const unrest = async () => {
      while (training) {
        await sleep(1500);
        if (!known || !training) continue;
        server.kill();
        kills++;
        await sleep(500);
        await server.start();
      }
    };
    const restless = unrest();
    const tracked = await train('tracked', server.uri, (event: { event: string; url?: string | null }) => {
      if (event.event === 'tracking' && event.url) known = true;
      if (event.event === 'finished') training = false;
    });
    training = false;
    await restless;
    expect(tracked.code, tracked.stderr).to.equal(0);
    expect(kills).to.be.above(1);
    // What the command could not send in its last seconds.
    const { left } = await syncRuns(new MlflowClient({ uri: server.uri }), join(runs, 'tracked'), {
      logging,
    });
    expect(left).to.deep.equal([]);
    const { id } = await reader.ask<{ id: string }>('experiment', { name: 'test' });
    const ids = await reader.ask<string[]>('runs', { experiment: id });
    expect(ids).to.have.length(2);
    for (const run_id of ids) {
      const { tags, status } = await reader.ask<{ tags: Record<string, string>; status: string }>('run', {
        run_id,
      });
      expect(status).to.equal('FINISHED');
      if (!tags['mtcp.row']) continue;
      const history = await reader.ask<History>('history', { run_id });
      const steps = Array.from({ length: 2 * epochs }, (_, i) => i + 1);
      expect(history['train/objective'].map(([step]) => step)).to.deep.equal(steps);
      expect(history['epoch/objective']).to.have.length(epochs);
      expect(history['val/depth/RMSE']).to.have.length(epochs / 100);
      expect(history['final/depth/RMSE']).to.have.length(1);
    }
    // And training is none the wiser.
    expect((await train('plain')).code).to.equal(0);
    expectSameRun(join(runs, 'tracked'), join(runs, 'plain'));
    server.kill();
    rmSync(runs, { recursive: true });
  });

  it('logs 10,000 metrics in under 5 seconds', async function () {
    const { server } = await sharedServer(this);
    const client = new MlflowClient({ uri: server.uri });
    const { experiment_id } = await client.ensureExperiment('times');
    const { info } = await client.createRun({ experiment_id });
    const metrics = Array.from({ length: 10_000 }, (_, step) => ({
      key: `m${step % 5}`,
      value: step,
      step,
      timestamp: step,
    }));
    const began = performance.now();
    await client.logBatch(info.run_id, { metrics });
    expect(performance.now() - began).to.be.below(5000);
  });

  describe('with an object store behind the server', () => {
    let store: ChildProcess;
    after(() => void store?.kill('SIGKILL'));

    it('sends large artifacts in parts', async function () {
      const { python } = await sharedServer(this);
      const home = `${dirname(dirname(python))}-s3`;
      const install = (name: string, wanted: string): string => {
        const target = join(home, name);
        if (!existsSync(target))
          execFileSync(python, ['-m', 'pip', 'install', '-q', '--target', target, wanted]);
        return target;
      };
      const [boto, moto] = [install('boto3', 'boto3'), install('moto', 'moto[s3,server]')];
      const port = await freePort();
      const endpoint = `http://127.0.0.1:${port}`;
      store = spawn(python, ['-m', 'moto.server', '-p', String(port)], {
        env: { ...process.env, PYTHONPATH: moto },
        stdio: 'ignore',
      });
      for (let i = 0; i < 300 && !(await fetch(`${endpoint}/moto-api/`).catch(() => undefined))?.ok; i++)
        await sleep(100);
      expect((await fetch(`${endpoint}/artifacts`, { method: 'PUT' })).status).to.equal(200);
      const env = {
        PYTHONPATH: boto,
        MLFLOW_S3_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_DEFAULT_REGION: 'us-east-1',
      };
      const { server, reader } = await startServer({
        args: ['--artifacts-destination', 's3://artifacts'],
        env,
      });
      const folder = mkdtempSync(join(tmpdir(), 'mtcp-parts-'));
      const file = join(folder, 'large.bin');
      const text = randomBytes(9 * 1024 * 1024).toString('base64');
      writeFileSync(file, text);
      const asked: string[] = [];
      const client = new MlflowClient(
        { uri: server.uri },
        {
          upload: { partsFrom: 1024 * 1024, part: 5 * 1024 * 1024 },
          fetch: (url, init) => {
            asked.push(
              `${init.method} ${new URL(url).port === String(port) ? 'store' : new URL(url).pathname}`,
            );
            return fetch(url, init as RequestInit);
          },
        },
      );
      const { experiment_id } = await client.ensureExperiment('parts');
      const { info } = await client.createRun({ experiment_id });
      await client.artifacts(info).putFile('a b/large.bin', file);
      expect(asked.filter((each) => each === 'PUT store')).to.have.length(3);
      expect(asked.some((each) => each.includes('mpu/complete'))).to.equal(true);
      const stored = await reader.ask<string>('artifact', { run_id: info.run_id, path: 'a b/large.bin' });
      expect(stored === text).to.equal(true);
      rmSync(folder, { recursive: true });
      server.kill();
    });
  });
});
