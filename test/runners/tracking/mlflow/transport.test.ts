// What the client does when things go wrong, against a server made for it.
import { expect } from 'chai';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  cleanKey,
  connectionFromEnv,
  LIMITS,
  MlflowClient,
  MlflowError,
  shorten,
} from '../../../../runners/tracking/mlflow/client/index.js';
import { encodeMetric, splitBatch } from '../../../../runners/tracking/mlflow/client/limits.js';
import { configEntities, shortNote } from '../../../../runners/tracking/mlflow/entities.js';
import { gpuValues } from '../../../../runners/tracking/mlflow/system.js';
import { findMlflow } from '../../../../runners/tracking/mlflow/ui.js';

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

describe('MLflow transport', () => {
  let server: Server;
  let replies: Reply[] = [];
  let seen: { method: string; url: string; authorization?: string; at: number }[] = [];
  let uri: string;

  before((done) => {
    server = createServer((request, response) => {
      const { method, url, headers } = request;
      seen.push({ method: method!, url: url!, authorization: headers.authorization, at: performance.now() });
      request
        .resume()
        .on('end', () => (replies.length > 1 ? replies.shift()! : replies[0])(request, response));
    }).listen(0, '127.0.0.1', () => {
      uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      done();
    });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen = [];
  });

  const answer =
    (status: number, body: object | string, headers = {}): Reply =>
    (_, response) =>
      response
        .writeHead(status, {
          'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
          ...headers,
        })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
  const reset: Reply = (request) => request.socket.destroy();
  const silent: Reply = () => {};
  const client = (more: object = {}) =>
    new MlflowClient({ uri, backoff: 0.001, retries: 2, timeout: 5, ...more });
  const RUN = {
    run: { info: { run_id: 'r', experiment_id: '1', artifact_uri: 'mlflow-artifacts:/1/r' }, data: {} },
  };

  async function fault(work: Promise<unknown>): Promise<MlflowError> {
    try {
      await work;
    } catch (error) {
      if (MlflowError.is(error)) return error;
      throw error;
    }
    throw new Error('nothing failed');
  }

  it('repeats what failed in passing', async () => {
    for (const passing of [
      answer(500, 'oops'),
      answer(503, ''),
      answer(429, ''),
      answer(408, ''),
      reset,
      answer(200, '{"run":'),
    ]) {
      replies = [passing, answer(200, RUN)];
      expect((await client().run('r')).info.run_id).to.equal('r');
    }
    expect(seen).to.have.length(12);
  });

  it('gives up after the last try, and at once where trying again is no use', async () => {
    replies = [answer(500, { error_code: 'INTERNAL_ERROR', message: 'disk full' })];
    expect((await fault(client().run('r'))).message).to.equal('the server failed (500): disk full');
    expect(seen).to.have.length(3);
    seen = [];
    replies = [answer(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such key' })];
    expect((await fault(client().run('r'))).code).to.equal('INVALID_PARAMETER_VALUE');
    expect(seen).to.have.length(1);
  });

  it('does not make a run again unless it certainly was not made', async () => {
    for (const doubtful of [answer(500, ''), answer(503, ''), reset, answer(200, 'half')]) {
      seen = [];
      replies = [doubtful, answer(200, RUN)];
      expect((await fault(client().createRun({ experiment_id: '1' }))).certain).to.equal(false);
      expect(seen).to.have.length(1);
    }
    replies = [answer(429, ''), answer(200, RUN)];
    expect((await client().createRun({ experiment_id: '1' })).info.run_id).to.equal('r');
    expect(
      (await fault(client({ uri: 'http://127.0.0.1:2' }).createRun({ experiment_id: '1' }))).certain,
    ).to.equal(true);
  });

  it('waits as long as the server asks', async () => {
    replies = [answer(429, '', { 'retry-after': '0.3' }), answer(200, RUN)];
    await client().run('r');
    expect(seen[1].at - seen[0].at).to.be.at.least(290);
    seen = [];
    replies = [
      answer(503, '', { 'retry-after': new Date(Date.now() + 2000).toUTCString() }),
      answer(200, RUN),
    ];
    await client().run('r');
    // A date has whole seconds; a busy machine may be later, never earlier.
    expect(seen[1].at - seen[0].at).to.be.at.least(500);
  });

  it('does not wait for ever', async () => {
    replies = [silent];
    const error = await fault(client({ timeout: 0.1, retries: 0 }).run('r'));
    expect(error.message).to.equal('no answer within 0.1 s');
    const stop = new AbortController();
    const waiting = new MlflowClient({ uri, retries: 5, backoff: 60 }, { signal: stop.signal });
    replies = [answer(503, '')];
    setTimeout(() => stop.abort(), 100);
    expect((await fault(waiting.run('r'))).status).to.equal(503);
  });

  it('says what to do about logins, permissions and addresses', async () => {
    const told = async (reply: Reply, more: object = {}) => {
      replies = [reply];
      const { message, hint } = await fault(client(more).run('r'));
      return `${message} / ${hint}`;
    };
    expect(await told(answer(401, 'x'))).to.match(/asks for a login.*MLFLOW_TRACKING_USERNAME/);
    expect(await told(answer(401, 'x'), { token: 't0k3n' })).to.match(
      /refuses the login.*MLFLOW_TRACKING_TOKEN/,
    );
    expect(await told(answer(403, 'Invalid Host header - possible DNS rebinding attack detected'))).to.match(
      /does not answer to the name.*--allowed-hosts 127\.0\.0\.1/,
    );
    expect(await told(answer(403, { error_code: 'PERMISSION_DENIED', message: 'no' }))).to.match(
      /not allowed \(403\): no/,
    );
    expect(await told(answer(404, '<html>'))).to.match(/nothing that speaks MLflow.*MLFLOW_TRACKING_URI/);
    expect(await told(answer(200, '<html>login</html>', { 'content-type': 'text/html' }))).to.match(
      /a web page, not JSON/,
    );
    expect((await fault(client({ uri: 'http://127.0.0.1:2', retries: 0 }).run('r'))).message).to.contain(
      'nothing listens there',
    );
    expect((await fault(client({ uri: 'http://127.0.0.1:9' }).run('r'))).message).to.contain('no such port');
  });

  it('logs in, and tells nobody how', async () => {
    replies = [answer(500, { error_code: 'X', message: 'user ada:s3cret bearer t0ken YWRhOnMzY3JldA==' })];
    const basic = await fault(client({ username: 'ada', password: 's3cret', retries: 0 }).run('r'));
    expect(seen[0].authorization).to.equal(`Basic ${Buffer.from('ada:s3cret').toString('base64')}`);
    expect(basic.format())
      .to.contain('***')
      .and.not.match(/s3cret|YWRh/);
    const token = await fault(client({ token: 't0ken', retries: 0 }).run('r'));
    expect(seen[1].authorization).to.equal('Bearer t0ken');
    expect(token.format()).not.to.contain('t0ken');
    // As MLflow's own client: a whole login goes before a token.
    await fault(client({ username: 'ada', password: 's3cret', token: 't0ken', retries: 0 }).run('r'));
    expect(seen[2].authorization).to.match(/^Basic/);
  });

  it('reads the variables of MLflow', () => {
    const env = {
      HOME: '/nowhere',
      MLFLOW_TRACKING_URI: 'https://ada:pass%20word@host:8443/prefix/',
      MLFLOW_TRACKING_INSECURE_TLS: 'true',
      MLFLOW_HTTP_REQUEST_TIMEOUT: '7',
    };
    expect(connectionFromEnv(env, 'http://other')).to.include({
      uri: 'https://host:8443/prefix',
      username: 'ada',
      password: 'pass word',
      insecureTls: true,
      timeout: 7,
    });
    expect(connectionFromEnv({ HOME: '/nowhere' }, 'http://other').uri).to.equal('http://other');
    for (const uri of ['mlruns', 'sqlite:///mlflow.db', 'file:///tmp', 'databricks', 'http://'])
      expect(() => connectionFromEnv({ MLFLOW_TRACKING_URI: uri }), uri).to.throw();
    const refused = (more: object) => () => connectionFromEnv({ MLFLOW_TRACKING_URI: 'http://h', ...more });
    expect(refused({ MLFLOW_HTTP_REQUEST_TIMEOUT: 'soon' })).to.throw('not a number');
    expect(refused({ MLFLOW_TRACKING_AWS_SIGV4: 'true' })).to.throw('not supported');
    expect(refused({ MLFLOW_TRACKING_AWS_SIGV4: 'false' })).not.to.throw();
  });

  it('keeps every limit of a batch', () => {
    const metric = { key: 'k'.repeat(250), value: NaN, step: 1, timestamp: 1 };
    const metrics = Array.from({ length: 5000 }, () => metric);
    const params = Array.from({ length: 250 }, (_, i) => ({ key: `p${i}`, value: 'v'.repeat(6000) }));
    const batches = splitBatch({ metrics, params, tags: params });
    for (const batch of batches) {
      const counts = [batch.metrics.length, batch.params.length, batch.tags.length];
      expect(counts.reduce((a, b) => a + b)).to.be.at.most(LIMITS.entitiesPerBatch);
      expect(batch.params.length).to.be.at.most(LIMITS.paramsPerBatch);
      const body = JSON.stringify({
        run_id: 'r'.repeat(32),
        ...batch,
        metrics: batch.metrics.map(encodeMetric),
      });
      expect(Buffer.byteLength(body)).to.be.below(1e6);
    }
    expect(batches.flatMap((batch) => batch.metrics)).to.have.length(5000);
    expect(batches.flatMap((batch) => batch.params)).to.deep.equal(params);
  });

  it('keeps names and texts apart that it has to shorten', () => {
    const [a, b] = ['x'.repeat(300), `${'x'.repeat(299)}y`].map(cleanKey);
    expect(a).to.have.length(250).and.not.equal(b);
    expect(shorten('ü'.repeat(20), 20)).to.equal('ü'.repeat(20));
    const note = shortNote(Array.from({ length: 900 }, (_, i) => `line ${i}`).join('\n'));
    expect(note)
      .to.have.length.of.at.most(LIMITS.tag)
      .and.match(/line \d+\n\nThe rest is in/);
  });

  it('tells params from what does not decide a result', () => {
    const { params, tags } = configEntities({
      data: { root: '/data', type: 'rooms', size: [2, 3], none: null },
      train: { workers: 3, epochs: 1, deep: {} },
    });
    expect(Object.fromEntries(params.map(({ key, value }) => [key, value]))).to.deep.equal({
      'data.type': 'rooms',
      'data.size': '[2,3]',
      'data.none': 'null',
      'train.epochs': '1',
      'train.deep': '{}',
    });
    expect(tags.map(({ key }) => key)).to.deep.equal(['mtcp.config.data.root', 'mtcp.config.train.workers']);
  });

  it('reads what nvidia-smi prints', () => {
    expect(gpuValues('0, 35, 1000, 4000, 61.5\n1, 0, 0, 4000, [N/A]\n')).to.deep.equal({
      gpu_0_utilization_percentage: 35,
      gpu_0_memory_usage_megabytes: 1048.576,
      gpu_0_memory_usage_percentage: 25,
      gpu_0_power_usage_watts: 61.5,
      gpu_1_utilization_percentage: 0,
      gpu_1_memory_usage_megabytes: 0,
      gpu_1_memory_usage_percentage: 0,
    });
  });

  it('says how to install MLflow where there is none', () => {
    expect(() => findMlflow({ PATH: '/nowhere' }))
      .to.throw('has no MLflow')
      .with.property('hint', 'python3 -m pip install mlflow');
  });
});
