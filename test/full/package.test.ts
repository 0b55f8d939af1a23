// The package as others get it: packed, installed into an empty folder, run as a command and used as a library with
// its types. Needs a registry and a gigabyte of disk.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../support/rooms.js';

const run = promisify(execFile);
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
/** onnxruntime-node's install script would fetch GPU libraries. */
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_onnxruntime_node_install: 'skip' };

const PROGRAM = `import { openExperiment, runExperiment, type RunEvent, type RunOutcome } from 'mtcp';
import { define } from 'mtcp/registry';

const events: RunEvent[] = [];
const outcome: RunOutcome = await runExperiment(process.argv[2], {
  profile: 'smoke',
  rows: ['STL depth'],
  runs: 'runs',
  observe: (event) => void events.push(event),
});
const epochs: number[] = events.flatMap((event) => (event.event === 'epoch' ? [event.epoch] : []));
const title: string = openExperiment(process.argv[2], { profile: 'smoke' }).title;
console.log(JSON.stringify({ title, epochs, states: outcome.report.json.rows.map(({ state }) => state), define: typeof define }));
`;

describe('the package', function () {
  this.timeout(1_800_000);
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-package-'));
  const installed = join(folder, 'node_modules/mtcp');

  before(async () => {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, ...quiet], { cwd: ROOT });
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    await run('npm', ['install', ...quiet, `./${tarball}`, 'typescript@7', '@types/node@20'], {
      cwd: folder,
      env,
    });
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('brings what it needs and nothing else', () => {
    for (const path of [
      'dist/runners/index.js',
      'dist/runners/index.d.ts',
      'schemas/experiment.schema.json',
      'modules/references.bib',
      'experiments/table3.yaml',
      'docs/library.md',
    ])
      expect(existsSync(join(installed, path)), path).to.equal(true);
    for (const path of ['dist/test', 'test', 'bench', 'runners'])
      expect(existsSync(join(installed, path)), path).to.equal(false);
  });

  it('runs as a command', async () => {
    const mtcp = join(folder, 'node_modules/.bin/mtcp');
    const args = [
      'run',
      join(installed, 'experiments/table3.yaml'),
      '--profile',
      'smoke',
      '--row',
      'STL depth',
      '--runs',
      'cli',
    ];
    const { stdout } = await run(mtcp, args, { cwd: folder });
    expect(stdout).to.match(/^STL depth +\d/m);
    expect((await run(mtcp, ['--version'], { cwd: folder })).stdout).to.match(/^\d+\.\d+\.\d+/);
  });

  it('is a library with types', async () => {
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const options = [
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--strict',
      '--skipLibCheck',
      '--types',
      'node',
    ];
    await run(join(folder, 'node_modules/.bin/tsc'), [...options, 'program.ts'], { cwd: folder });
    const { stdout } = await run(
      process.execPath,
      ['program.js', join(installed, 'experiments/table3.yaml')],
      { cwd: folder },
    );
    expect(JSON.parse(stdout)).to.deep.equal({
      title: 'Table 3: what CFM and SRM contribute',
      epochs: [1],
      states: ['done'],
      define: 'function',
    });
  });
});
