// The client over TLS to a real server, with certificates made for the moment, set up by MLflow's own variables.
import { expect } from 'chai';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectionFromEnv,
  MlflowClient,
  MlflowError,
} from '../../../../runners/tracking/mlflow/client/index.js';
import { mtcp } from '../../../support/crash.js';
import { TrialFolder } from '../../../support/mlflow/folders.js';
import { sharedServer, type TestServer } from '../../../support/mlflow/server.js';
import { makeCertificates, TlsProxy } from '../../../support/mlflow/tls.js';

describe('MLflow over TLS', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-tls-'));
  const at = (name: string) => join(folder, name);
  let test: TestServer;
  let open: TlsProxy;
  let mutual: TlsProxy;

  before(async function () {
    test = await sharedServer(this);
    makeCertificates(test.python, folder);
    open = new TlsProxy(folder, test.server.uri, false);
    mutual = new TlsProxy(folder, test.server.uri, true);
    await Promise.all([open.start(), mutual.start()]);
  });
  after(() => {
    for (const proxy of [open, mutual]) proxy?.stop();
    rmSync(folder, { recursive: true });
  });

  /** @param env without the prefix MLFLOW_TRACKING_ */
  const client = (uri: string, env: Record<string, string> = {}, more: Record<string, string> = {}) => {
    const named = Object.entries(env).map(([name, value]) => [`MLFLOW_TRACKING_${name}`, value]);
    return new MlflowClient(
      connectionFromEnv({ HOME: folder, MLFLOW_TRACKING_URI: uri, ...Object.fromEntries(named), ...more }),
    );
  };
  const fault = async (work: Promise<unknown>): Promise<Error> => {
    try {
      await work;
    } catch (error) {
      return error as Error;
    }
    throw new Error('this works');
  };
  const ca = () => ({ SERVER_CERT_PATH: at('ca.pem') });

  /** Everything that travels: JSON both ways, and a streamed file. */
  async function works(through: MlflowClient, name: string): Promise<void> {
    const { experiment_id } = await through.ensureExperiment('tls');
    const { info } = await through.createRun({ experiment_id, run_name: name });
    await through.logBatch(info.run_id, {
      metrics: [{ key: 'loss', value: 0.5, step: 1, timestamp: 1 }],
    });
    const text = 'sent over TLS\n'.repeat(100_000);
    writeFileSync(at('file.txt'), text);
    await through.artifacts(info).putFile('file.txt', at('file.txt'));
    const { metrics } = await test.reader.ask<{ metrics: object }>('run', { run_id: info.run_id });
    expect(metrics).to.deep.equal({ loss: 0.5 });
    const stored = await test.reader.ask('artifact', { run_id: info.run_id, path: 'file.txt' });
    expect(stored === text).to.equal(true);
  }

  it('trusts an authority of its own: a file, or a folder of them', async () => {
    await works(client(open.uri(), ca()), 'file');
    mkdirSync(at('trusted'));
    for (const name of ['other-ca.pem', 'ca.pem']) copyFileSync(at(name), join(at('trusted'), name));
    await works(client(open.uri(), { SERVER_CERT_PATH: at('trusted') }), 'folder');
  });

  it('trusts nobody else, and does not try again', async () => {
    for (const env of [{}, { SERVER_CERT_PATH: at('other-ca.pem') }] as Record<string, string>[]) {
      const began = performance.now();
      const error = await fault(client(open.uri(), env).version());
      expect(performance.now() - began).to.be.below(1000);
      expect(error).to.be.instanceOf(MlflowError).and.have.property('passing', false);
      expect((error as MlflowError).format())
        .to.contain("the server's certificate is not trusted")
        .and.contain('MLFLOW_TRACKING_SERVER_CERT_PATH');
    }
    const elsewhere = await fault(client(open.uri('localhost'), ca()).version());
    expect(elsewhere.message).to.contain("the server's certificate is for another name");
  });

  it('accepts any certificate if it is told to', async () => {
    await works(client(open.uri('localhost'), { INSECURE_TLS: 'true' }), 'insecure');
    expect(() => client(open.uri(), { INSECURE_TLS: 'true', ...ca() })).to.throw('make no sense');
  });

  it('shows a certificate of its own', async () => {
    await works(client(mutual.uri(), { ...ca(), CLIENT_CERT_PATH: at('client.pem') }), 'mutual');
    const none = (await fault(client(mutual.uri(), ca()).version())) as MlflowError;
    expect(none.format()).to.contain('certificate required').and.contain('MLFLOW_TRACKING_CLIENT_CERT_PATH');
    expect(none.passing).to.equal(false);
    // This server ends the connection without saying why.
    const stranger = { ...ca(), CLIENT_CERT_PATH: at('other-client.pem') };
    const refused = client(mutual.uri(), stranger, { MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0' });
    expect(((await fault(refused.version())) as MlflowError).format())
      .to.contain('the connection was cut')
      .and.contain('MLFLOW_TRACKING_CLIENT_CERT_PATH');
  });

  it('says which file of certificates cannot be used, and why', async () => {
    writeFileSync(at('none.pem'), 'nothing');
    const key = /-----BEGIN PRIVATE[^]*/.exec(readFileSync(at('other-client.pem'), 'utf8'))![0];
    writeFileSync(
      at('mixed.pem'),
      readFileSync(at('client.pem'), 'utf8').replace(/-----BEGIN PRIVATE[^]*/, key),
    );
    const cases: [Record<string, string>, RegExp][] = [
      [{ SERVER_CERT_PATH: at('missing.pem') }, /SERVER_CERT_PATH.*missing\.pem cannot be read/s],
      [{ SERVER_CERT_PATH: at('none.pem') }, /SERVER_CERT_PATH.*none\.pem holds no certificates/s],
      [{ CLIENT_CERT_PATH: at('none.pem') }, /CLIENT_CERT_PATH.*none\.pem holds no certificate/s],
      [{ CLIENT_CERT_PATH: at('ca.pem') }, /CLIENT_CERT_PATH.*ca\.pem holds no key/s],
      [{ CLIENT_CERT_PATH: at('mixed.pem') }, /CLIENT_CERT_PATH.*mixed\.pem cannot be used.*mismatch/s],
    ];
    for (const [env, expected] of cases) {
      const error = await fault(client(open.uri(), env).version());
      expect((error as MlflowError).format()).to.match(expected);
    }
  });

  it('tells http from https', async () => {
    const error = await fault(client(test.server.uri.replace('http:', 'https:')).version());
    expect((error as MlflowError).format())
      .to.contain('the server does not speak TLS')
      .and.contain('http://');
  });

  it('is what `mtcp mlflow sync` goes by', async () => {
    const runs = at('runs');
    const trial = new TrialFolder(runs, 'tls-sync', 'MT-CP').started().epoch(1, 3);
    trial.finished(1, 3, { 'depth.RMSE': 0.4 });
    const sync = (env: object) => {
      const named = Object.entries(env).map(([name, value]) => `MLFLOW_TRACKING_${name}='${value}'`);
      return mtcp(['mlflow', 'sync', '--runs', runs, '--json'], { shell: `export ${named.join(' ')}` });
    };
    const uri = { URI: mutual.uri() };
    const refused = await sync({ ...uri, ...ca() });
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('MLFLOW_TRACKING_CLIENT_CERT_PATH');
    const sent = await sync({ ...uri, ...ca(), CLIENT_CERT_PATH: at('client.pem') });
    expect(sent.code, sent.stderr).to.equal(0);
    expect(JSON.parse(sent.stdout)).to.deep.include({ left: [] });
    const { id } = await test.reader.ask<{ id: string }>('experiment', { name: 'tls-sync' });
    expect(await test.reader.ask('runs', { experiment: id })).to.have.length(2);
  });
});
