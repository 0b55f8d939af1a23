// Whose code runs, what of the environment a file may read, and where a login goes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { formatErrors } from '../../../runners/config/format.js';
import { validateFiles } from '../../../runners/config/load.js';
import { connectionFromEnv } from '../../../runners/tracking/mlflow/client/connection.js';
import { ROOT, TABLE3 } from '../../support/rooms.js';
import { fakeSchemas, GOOD, temporaryFolder, write } from './support.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

/** A plugin that leaves a trace when it runs. */
const PLUGIN = `import { define } from 'mtcp/registry';
import { writeFileSync } from 'node:fs';
import { size } from './size.js';
writeFileSync(process.env.TRACE!, '');
define({ kind: 'head', name: 'mine', summary: 'Made up.', options: { type: 'object', additionalProperties: false, properties: {} }, create: () => ({ forward: () => size }) });
`;

function study(): { folder: string; env: NodeJS.ProcessEnv; ran(): boolean } {
  const folder = write({
    'x.yaml': `name: x\nextends: ${TABLE3}\nplugins: mine.ts\n`,
    'mine.ts': PLUGIN,
    'size.ts': 'export const size = 3;\n',
  });
  const trace = join(folder, 'ran');
  return {
    folder,
    env: {
      ...process.env,
      TRACE: trace,
      XDG_CONFIG_HOME: join(folder, 'config'),
      MTCP_TRUST_LIST: '',
      NO_COLOR: '1',
    },
    ran: () => existsSync(trace),
  };
}

describe('plugins', function () {
  this.timeout(120_000);
  const mtcp = (of: ReturnType<typeof study>, ...words: string[]) =>
    spawnSync(process.execPath, [MAIN, ...words], { cwd: of.folder, env: of.env, encoding: 'utf8' });

  for (const looking of [
    ['validate', 'x.yaml'],
    ['status', 'x.yaml'],
    ['config', 'show', 'x.yaml'],
    ['list', 'head', '--file', 'x.yaml'],
    ['run', 'x.yaml'],
    ['complete', '--', 'config', 'show', 'x.yaml', '--row', ''],
  ])
    it(`mtcp ${looking.join(' ')} does not run code that nobody has trusted`, () => {
      const of = study();
      const { status, stderr } = mtcp(of, ...looking);
      expect(of.ran()).to.equal(false);
      if (looking[0] === 'complete') return;
      expect(status).to.equal(2);
      expect(stderr).to.contain('x.yaml:3:10: "mine.ts": this plugin is a program that you have not trusted');
      expect(stderr).to.contain('mtcp trust mine.ts');
    });

  it('run once they are trusted, until they or what they import changes', () => {
    const of = study();
    expect(mtcp(of, 'trust', 'mine.ts').status).to.equal(0);
    expect(of.ran()).to.equal(false);
    const list = join(of.folder, 'config/mtcp/trusted-plugins.json');
    expect(statSync(list).mode & 0o777).to.equal(0o600);
    expect(mtcp(of, 'validate', 'x.yaml').status).to.equal(0);
    expect(of.ran()).to.equal(true);
    writeFileSync(join(of.folder, 'size.ts'), 'export const size = 4;\n');
    expect(mtcp(of, 'validate', 'x.yaml').stderr).to.contain('have not trusted, or that has changed since');
    expect(mtcp(of, 'validate', 'x.yaml', '--trust').status).to.equal(0);
    expect(mtcp(of, 'validate', 'x.yaml').status).to.equal(0);
    expect(mtcp(of, 'trust', '--list').stdout).to.contain('mine.ts');
    expect(mtcp(of, 'trust', '--remove', 'mine.ts').status).to.equal(0);
    expect(mtcp(of, 'validate', 'x.yaml').status).to.equal(2);
  });

  it('that their user writes may change, unless others can write them', () => {
    const of = study();
    expect(mtcp(of, 'trust', '--own', 'mine.ts').status).to.equal(0);
    writeFileSync(join(of.folder, 'size.ts'), 'export const size = 5;\n');
    expect(mtcp(of, 'validate', 'x.yaml').status).to.equal(0);
    spawnSync('chmod', ['o+w', join(of.folder, 'mine.ts')]);
    expect(mtcp(of, 'validate', 'x.yaml').status).to.equal(2);
  });

  it("made by mtcp new component are their user's own", () => {
    const of = study();
    expect(mtcp(of, 'new', 'component', 'head', 'my-head').status).to.equal(0);
    writeFileSync(join(of.folder, 'y.yaml'), `name: y\nextends: ${TABLE3}\nplugins: my-head.ts\n`);
    writeFileSync(
      join(of.folder, 'my-head.ts'),
      `${readFileSync(join(of.folder, 'my-head.ts'), 'utf8')}\nconsole.log;\n`,
    );
    expect(mtcp(of, 'validate', 'y.yaml').stderr).to.equal('');
  });

  it('that are devices, or import one, are refused before they are read', () => {
    const folder = write({ 'x.yaml': `${GOOD}plugins: mine.ts\n`, 'mine.ts': "import './zero.js';\n" });
    symlinkSync('/dev/zero', join(folder, 'zero.ts'));
    const said = () => formatErrors(validateFiles([join(folder, 'x.yaml')], { schemas: fakeSchemas() }));
    expect(said()).to.contain('what it imports as "./zero.js" is a pipe or a device');
    const other = write({ 'x.yaml': `${GOOD}plugins: mine.ts\n` });
    symlinkSync('/dev/zero', join(other, 'mine.ts'));
    expect(formatErrors(validateFiles([join(other, 'x.yaml')], { schemas: fakeSchemas() }))).to.contain(
      'this is a pipe or a device',
    );
  });

  it('are not trusted by a list that cannot be read', () => {
    const of = study();
    mkdirSync(join(of.folder, 'config/mtcp'), { recursive: true });
    writeFileSync(join(of.folder, 'config/mtcp/trusted-plugins.json'), '[]');
    const { status, stderr } = mtcp(of, 'validate', 'x.yaml');
    expect(status).to.equal(2);
    expect(stderr).to.contain('is not a list of trusted plugins');
    expect(of.ran()).to.equal(false);
  });
});

describe('the environment', () => {
  const said = (name: string, env: Record<string, string>) => {
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const text = `${GOOD.replace('epochs: 2', 'epochs: "${n:-7}"')}variables: { n: { environment: ${name} } }\n`;
      const file = join(write({ 'x.yaml': text }), 'x.yaml');
      return formatErrors(validateFiles([file], { schemas: fakeSchemas() }));
    } finally {
      for (const key of Object.keys(env)) {
        delete process.env[key];
        if (before[key] !== undefined) process.env[key] = before[key];
      }
    }
  };

  it('is read only under names that begin with MTCP_ or are listed', () => {
    expect(said('MTCP_TEST_N', { MTCP_TEST_N: '3' })).to.equal('');
    expect(said('SECRET_N', {})).to.equal('');
    const refused = said('SECRET_N', { SECRET_N: '3' });
    expect(refused).to.contain('the environment variable SECRET_N may not be read by experiment files');
    expect(refused).to.contain('export MTCP_ENVIRONMENT=SECRET_N').and.not.to.contain('has no value');
    expect(said('SECRET_N', { SECRET_N: '3', MTCP_ENVIRONMENT: 'OTHER,SECRET_N' })).to.equal('');
  });
});

describe('a login', () => {
  const HOME = temporaryFolder();
  const uri = 'http://elsewhere.example:5000';
  for (const login of [
    { MLFLOW_TRACKING_TOKEN: 't' },
    { MLFLOW_TRACKING_USERNAME: 'u', MLFLOW_TRACKING_PASSWORD: 'p' },
  ])
    it(`by ${Object.keys(login).join(' and ')} is not sent to a server that a file names`, () => {
      const of = (env: Record<string, string>) => connectionFromEnv({ HOME, ...login, ...env }, uri);
      let refused: unknown;
      try {
        of({});
      } catch (error) {
        refused = error;
      }
      expect(MtcpError.is(refused, 'usage')).to.equal(true);
      expect((refused as MtcpError).format()).to.contain('is not sent to elsewhere.example:5000');
      expect(of({ MTCP_TRACKING_HOSTS: 'a.example, elsewhere.example' }).uri).to.equal(uri);
      expect(of({ MLFLOW_TRACKING_URI: 'http://mine.example' }).uri).to.equal('http://mine.example');
    });

  it('is not asked about where there is none', () => {
    expect(connectionFromEnv({ HOME }, uri).uri).to.equal(uri);
  });
});
