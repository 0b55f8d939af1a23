// Logins, against MLflow's own `mlflow server --app-name basic-auth`.
import { expect } from 'chai';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectionFromEnv,
  MlflowClient,
  type MlflowError,
} from '../../../../runners/tracking/mlflow/client/index.js';
import { mtcp } from '../../../support/crash.js';
import { TrialFolder } from '../../../support/mlflow/folders.js';
import { sharedServer, startServer, type TestServer } from '../../../support/mlflow/server.js';

const [ADMIN, READER] = ['administrator-s3cret', 'reader-of-runs-s3cret'];

describe('MLflow with logins', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-login-'));
  let test: TestServer;

  before(async function () {
    // Skips where there is no PyPI.
    await sharedServer(this);
    writeFileSync(
      join(folder, 'auth.ini'),
      `[mlflow]\ndefault_permission = READ\nauth_cache_ttl_seconds = 60\ndatabase_uri = sqlite:///${folder}/auth.db\n` +
        `admin_username = admin\nadmin_password = ${ADMIN}\n` +
        'authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n',
    );
    test = await startServer({
      args: ['--app-name', 'basic-auth'],
      env: {
        MLFLOW_AUTH_CONFIG_PATH: join(folder, 'auth.ini'),
        MLFLOW_FLASK_SERVER_SECRET_KEY: 'for the tests only',
        MLFLOW_TRACKING_USERNAME: 'admin',
        MLFLOW_TRACKING_PASSWORD: ADMIN,
      },
    });
    await client({ USERNAME: 'admin', PASSWORD: ADMIN }).transport.json(
      {
        method: 'POST',
        path: '/api/2.0/mlflow/users/create',
        json: { username: 'reader', password: READER },
        repeatable: false,
      },
      'done',
    );
  });
  after(() => {
    test?.server.kill();
    rmSync(folder, { recursive: true });
  });

  /** @param login without the prefix MLFLOW_TRACKING_ */
  const client = (login: Record<string, string>, home = folder) => {
    const named = Object.entries(login).map(([name, value]) => [`MLFLOW_TRACKING_${name}`, value]);
    return new MlflowClient(
      connectionFromEnv({ HOME: home, MLFLOW_TRACKING_URI: test.server.uri, ...Object.fromEntries(named) }),
    );
  };
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      return (error as MlflowError).format();
    }
    throw new Error('this is let in');
  };

  it('logs in by variables, by the address, or by the file of MLflow', async () => {
    const home = join(folder, 'home');
    mkdirSync(join(home, '.mlflow'), { recursive: true });
    const file = join(home, '.mlflow', 'credentials');
    writeFileSync(file, `[mlflow]\nmlflow_tracking_username = admin\nmlflow_tracking_password = ${ADMIN}\n`);
    chmodSync(file, 0o600);
    const uri = test.server.uri.replace('//', `//admin:${ADMIN}@`);
    const ways = [
      client({ USERNAME: 'admin', PASSWORD: ADMIN, TOKEN: 'of another server' }),
      client({ URI: uri }),
      client({}, home),
    ];
    const made = [];
    for (const way of ways) made.push(await way.ensureExperiment('logged in'));
    expect(new Set(made.map(({ experiment_id }) => experiment_id)).size).to.equal(1);
    expect(await test.reader.ask('experiment', { name: 'logged in' })).to.deep.include({
      id: made[0].experiment_id,
    });
  });

  it('says what is missing: a login, the right one, a permission', async () => {
    const none = await refusal(client({}).ensureExperiment('x'));
    expect(none).to.contain('the server asks for a login (401)').and.contain('MLFLOW_TRACKING_USERNAME');
    const wrong = await refusal(client({ USERNAME: 'admin', PASSWORD: 'wr0ng' }).ensureExperiment('x'));
    expect(wrong).to.contain('the server refuses the login (401)').and.not.contain('wr0ng');

    const [admin, reader] = [
      client({ USERNAME: 'admin', PASSWORD: ADMIN }),
      client({ USERNAME: 'reader', PASSWORD: READER }),
    ];
    const { experiment_id } = await admin.ensureExperiment("the administrator's");
    const { info } = await admin.createRun({ experiment_id });
    expect((await reader.run(info.run_id)).info.run_id).to.equal(info.run_id);
    const forbidden = await refusal(reader.setTag(info.run_id, 'a', 'b'));
    expect(forbidden).to.contain('not allowed (403): Permission denied').and.contain('ask for permission');
    await reader.createRun(await reader.ensureExperiment("the reader's"));
  });

  it('keeps what could not be sent until a login lets it in', async () => {
    const runs = join(folder, 'runs');
    const trial = new TrialFolder(runs, "table of the administrator's", 'MT-CP').started().epoch(1, 3);
    trial.finished(1, 3, { 'depth.RMSE': 0.4 });
    const sync = (login: Record<string, string>) => {
      const named = Object.entries({ URI: test.server.uri, ...login }).map(
        ([name, value]) => `MLFLOW_TRACKING_${name}='${value}'`,
      );
      return mtcp(['mlflow', 'sync', '--runs', runs], { shell: `export HOME=${folder} ${named.join(' ')}` });
    };
    const refused = await sync({ USERNAME: 'admin', PASSWORD: 'wr0ng' });
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('refuses the login (401)').and.not.contain('wr0ng');
    await client({ USERNAME: 'admin', PASSWORD: ADMIN }).ensureExperiment("table of the administrator's");
    const forbidden = await sync({ USERNAME: 'reader', PASSWORD: READER });
    expect(forbidden.code).to.equal(1);
    expect(forbidden.stderr).to.contain('not allowed (403)');
    const sent = await sync({ USERNAME: 'admin', PASSWORD: ADMIN });
    expect(sent.code, sent.stderr).to.equal(0);
    const { id } = await test.reader.ask<{ id: string }>('experiment', {
      name: "table of the administrator's",
    });
    const ids = await test.reader.ask<string[]>('runs', { experiment: id });
    expect(ids).to.have.length(2);
    for (const run_id of ids)
      expect(JSON.stringify(await test.reader.ask('run', { run_id }))).not.to.contain('s3cret');
    const states = ['state.json'].map((name) => readFileSync(join(trial.path, '.mlflow', name), 'utf8'));
    expect(states.join()).to.contain('"complete": true').and.not.contain('s3cret');
  });
});
