// A server may give wrong answers without end. The end of a run waits for it no longer than `patience`.
import { expect } from 'chai';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import '../../../../runners/tracking/index.js';
import { MlflowClient } from '../../../../runners/tracking/mlflow/client/index.js';
import { syncRuns } from '../../../../runners/tracking/mlflow/sync.js';
import { MlflowTracker } from '../../../../runners/tracking/mlflow/tracker.js';
import { temporaryRuns, TrialFolder } from '../../../support/mlflow/folders.js';
import { ENDLESS, WELL, WRONG, wrongServer } from '../../../support/mlflow/wrong-server.js';

const logging = { steps: 1, system: null, checkpoints: 'none', model: false, register: null } as const;

describe('MLflow servers that answer wrongly', function () {
  this.timeout(60_000);
  const environment = { ...process.env };
  const folders: string[] = [];

  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (/^MLFLOW_|_proxy$/i.test(name)) delete process.env[name];
    process.env.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR = '0.05';
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  /** A run of one trial that is over, shown to a server. */
  function follow(uri: string, patience: number) {
    const runs = temporaryRuns();
    folders.push(runs);
    const trial = new TrialFolder(runs, 'e', 'row').started().epoch(1, 3);
    trial.event({ event: 'interrupted', epoch: 1, step: 3 } as never);
    const said: string[] = [];
    const session = new MlflowTracker({ ...logging, uri, experiment: null, patience }).follow({
      experiment: 'e',
      title: 'E',
      file: join(runs, 'e.yaml'),
      profile: null,
      runs,
      folder: join(runs, 'e'),
      report: ({ message }) => said.push(message),
    });
    session.trial(trial.path);
    return { session, said };
  }

  /** @returns seconds that the end took, and what was said */
  async function end(uri: string, patience: number, leave?: AbortSignal) {
    const { session, said } = follow(uri, patience);
    const began = performance.now();
    await session.end('finished', leave);
    return { seconds: (performance.now() - began) / 1000, said: said.join('\n') };
  }

  it('are left when they have taken nothing more for as long as the patience lasts', async () => {
    const kinds = Object.entries(WRONG);
    for (let at = 0; at < kinds.length; at += 5)
      await Promise.all(
        kinds.slice(at, at + 5).map(async ([kind, answer]) => {
          const server = await wrongServer(answer);
          try {
            const { seconds, said } = await end(server.uri, 0.5);
            expect(seconds, kind).to.be.below(12);
            expect(said, kind).to.match(/not logged in full/);
          } finally {
            server.close();
          }
        }),
      );
  });

  it('are told from one that answers well', async () => {
    const server = await wrongServer(WELL);
    try {
      expect((await end(server.uri, 5)).said).not.to.match(/not logged/);
    } finally {
      server.close();
    }
  });

  it('are left at once when a signal asks for it', async () => {
    const server = await wrongServer(WRONG['fails always']);
    const leave = new AbortController();
    try {
      setTimeout(() => leave.abort(), 1000);
      const { seconds, said } = await end(server.uri, 600, leave.signal);
      expect(seconds).to.be.within(0.9, 12);
      expect(said).to.match(/not logged in full/);
    } finally {
      server.close();
    }
  });

  it('do not fill the memory with a body that never ends', async () => {
    const server = await wrongServer(ENDLESS);
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
    try {
      const client = new MlflowClient({ uri: server.uri, retries: 0 });
      const error = await client.version().catch((reason: Error) => reason);
      expect(String(error)).to.match(/longer than 64 MB/);
      // Of an error it is the beginning that counts.
      const failing = await wrongServer((request, response, body) => {
        response.statusCode = 500;
        const { writeHead } = response;
        response.writeHead = () => writeHead.call(response, 500) as never;
        ENDLESS(request, response, body);
      });
      const failed = await new MlflowClient({ uri: failing.uri, retries: 0 })
        .version()
        .catch((reason: Error) => reason);
      expect(String(failed)).to.match(/the server failed \(500\)/);
      failing.close();
      await sleep(50);
      expect((most - before) / 2 ** 20).to.be.below(600);
    } finally {
      clearInterval(watch);
      server.close();
    }
  });

  it('sync sends what it can and says what it could not', async () => {
    const runs = temporaryRuns();
    folders.push(runs);
    for (const name of ['a-broken', 'b-deleted', 'c-good'])
      new TrialFolder(runs, name, 'row')
        .started()
        .epoch(1, 3)
        .event({
          event: 'interrupted',
          epoch: 1,
          step: 3,
        } as never);
    const deleted = { experiment_id: '2', name: 'b-deleted', lifecycle_stage: 'deleted' };
    const server = await wrongServer((request, response, body) => {
      if (request.url!.includes('a-broken')) response.writeHead(500).end('oops');
      else if (request.url!.includes('b-deleted'))
        response.writeHead(200).end(JSON.stringify({ experiment: deleted }));
      else WELL(request, response, body);
    });
    try {
      const client = new MlflowClient({ uri: server.uri, retries: 0 });
      const { sent, left, failed } = await syncRuns(client, runs, { logging, patience: 2 });
      expect(sent).to.have.length(2);
      expect(left).to.have.length(4);
      expect(failed.map(({ experiment }) => experiment)).to.have.members(['a-broken', 'b-deleted']);
      expect(failed.find(({ experiment }) => experiment === 'b-deleted')!.message).to.match(
        /was deleted on the server[^]*restore it/,
      );
    } finally {
      server.close();
    }
  });
});
