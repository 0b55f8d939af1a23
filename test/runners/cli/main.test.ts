// The command line as a user meets it: each case is a process of its own.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DEPTH_ONLY, experimentFile, ROOT, TABLE3, temporaryFolder } from '../../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function mtcp(...args: string[]): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: '1' };
  return promisify(execFile)(process.execPath, [MAIN, ...args], { env, maxBuffer: 1 << 26 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
  );
}

/** NYUD_MT as the reader's own tests have it: two images, all labels. */
function smallNyud(): string {
  const folder = join(temporaryFolder(), 'NYUD_MT');
  cpSync(join(ROOT, 'test/reference/data/nyud'), folder, { recursive: true });
  writeFileSync(join(folder, 'gt_sets/train.txt'), '0001\n');
  writeFileSync(join(folder, 'gt_sets/val.txt'), '0001\n');
  return folder;
}

describe('mtcp', function () {
  this.timeout(60_000);

  it('explains itself without loading an engine', () => {
    const script = `
      import { Module } from 'node:module';
      process.argv.push('--help');
      process.on('exit', () => console.error(JSON.stringify(Object.keys(Module._cache))));
      await import(${JSON.stringify(MAIN)});`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(stdout).to.contain('Usage: mtcp').and.to.contain('Examples:');
    expect(stderr)
      .to.contain('commander')
      .and.not.to.match(/tfjs|tensorflow|onnxruntime|sharp/);
  });

  it('offers the nearest command, kind and component', async () => {
    expect(await mtcp('rum'))
      .to.include({ code: 2 })
      .with.property('stderr')
      .that.contains('run');
    expect(await mtcp('list', 'scheem'))
      .to.include({ code: 2 })
      .with.property('stderr')
      .that.contains('scheme');
    expect(await mtcp('describe', 'cfn'))
      .to.include({ code: 2 })
      .with.property('stderr')
      .that.contains('cfm');
  });

  it('has no help for commands that do not exist', async () => {
    for (const words of [
      ['compare', '--help'],
      ['data', 'render', '-h'],
      ['help', 'compare'],
    ])
      expect(await mtcp(...words))
        .to.include({ code: 2, stdout: '' })
        .with.property('stderr')
        .that.contains('there is no command');
    expect(await mtcp('data', 'shwo', '--help'))
      .to.include({ code: 2 })
      .with.property('stderr')
      .that.contains('did you mean "show"?');
  });

  it('refuses empty values, wherever they are', async () => {
    const folder = temporaryFolder();
    const cases: [string[], string][] = [
      [['run', TABLE3, '--runs', ''], '--runs'],
      [['report', TABLE3, '--runs', folder, '-o', ''], '--out'],
      [['plan', TABLE3, '--row', ''], '--row'],
      [['plan', ''], 'file'],
      [['predict', folder, '', '-o', 'x'], 'images'],
      [['mlflow', 'sync', '--runs', ''], '--runs'],
    ];
    for (const [words, flag] of cases)
      expect(await mtcp(...words), words.join(' '))
        .to.include({ code: 2, stdout: '' })
        .with.property('stderr')
        .that.contains(`argument "${flag}": its value is empty`);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('refuses a file where a folder is to be written, and a folder where a file is', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, 'mine');
    for (const words of [
      ['predict', folder, 'x.png', '-o', file],
      ['data', 'show', TABLE3, '--output', file],
      ['schema', '-o', folder],
    ])
      expect(await mtcp(...words), words.join(' '))
        .to.include({ code: 2, stdout: '' })
        .with.property('stderr')
        .that.matches(/this is a (file; the output is a folder|folder; the output is a file)/);
    expect(readdirSync(folder)).to.deep.equal(['mine.yaml']);
  });

  it('says how values of an experiment are written as arguments', async () => {
    for (const words of [['--train.epochs=3'], ['--epochs', '3']])
      expect(await mtcp('plan', TABLE3, ...words))
        .to.include({ code: 2 })
        .with.property('stderr')
        .that.contains('train.epochs=5')
        .and.contains('mtcp plan --help');
  });

  it('says once what is wrong with a flag of a report, and which flag', async () => {
    const runs = temporaryFolder();
    const words = ['--profile', 'smoke', '--runs', runs, '--format', 'latex'];
    for (const flag of [
      ['--rows', 'MTCP'],
      ['--digits', 'semseg.miou=2'],
    ]) {
      const { code, stdout, stderr } = await mtcp('report', TABLE3, ...words, ...flag);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr.match(/the table has no/g)).to.have.length(1);
      expect(stderr)
        .to.contain(`argument "${flag.join(' ')}"`)
        .and.to.contain('did you mean');
    }
  });

  it('refuses --detach where nothing can be left alone', async () => {
    const { code, stderr } = await mtcp('run', TABLE3, '--detach', '--runs', temporaryFolder());
    expect(code).to.equal(2);
    expect(stderr).to.contain('argument "--detach"').and.to.contain('--launcher slurm');
  });

  it('lists and describes from the catalog', async () => {
    const { stdout } = await mtcp('list', '--json');
    const names = (JSON.parse(stdout) as { kind: string; name: string }[]).map(
      ({ kind, name }) => `${kind} ${name}`,
    );
    expect(names).to.include.members([
      'backbone mask2former',
      'interaction cfm',
      'scheme lps',
      'optimizer adamw',
    ]);
    const { stdout: text } = await mtcp('describe', 'scheme', 'lps');
    expect(text)
      .to.contain('Source: MT-CP section 3.5')
      .and.to.match(/^ *spread .*2\.5/m);
    expect((await mtcp('describe', 'task', 'boundary')).stdout).to.contain(
      'Usual: head { type: linear }, loss { type: balanced_bce, positive_weight: 0.95 }, metric { type: odsf }.',
    );
  });

  it('describes the network of a row with path=value arguments', async () => {
    const row = ['describe', TABLE3, '--row', 'MT-CP', '--profile', 'smoke', '--json'];
    const { stdout } = await mtcp(...row, 'augment.size=[64,32]');
    expect((JSON.parse(stdout) as object[])[0])
      .to.have.nested.property('flow.image')
      .that.eql([64, 32, 3]);
    expect(await mtcp(...row, 'nothing')).to.include({ code: 2 });
  });

  it('describes the sections of a trial', async () => {
    const { stdout } = await mtcp('describe', 'evaluate');
    expect(stdout)
      .to.match(/^section evaluate$/m)
      .and.to.match(/^ *mode +sv \| atrc, default "sv"/m);
    expect((await mtcp('describe', 'tasks')).stdout).to.match(/^ *NAME\.head +a head/m);
    expect((await mtcp('describe', 'data')).stdout).to.contain('mtcp list dataset');
    expect((await mtcp('describe', 'engine')).stdout).to.match(
      /^ *provider \(onnx\) +cpu \| cuda \| webgpu/m,
    );
    expect(JSON.parse((await mtcp('describe', 'memory', '--json')).stdout)).to.have.nested.property(
      'properties.recompute',
    );
    expect(await mtcp('describe', 'evalute'))
      .to.include({ code: 2 })
      .with.property('stderr')
      .that.contains('evaluate');
  });

  it('validates every shipped experiment', async () => {
    const folder = join(ROOT, 'experiments');
    const files = [folder, join(folder, 'base')].flatMap((dir) =>
      readdirSync(dir)
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => join(dir, name)),
    );
    const { code, stderr } = await mtcp('validate', ...files);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  });

  it('points at what is wrong in a file and exits with 2', async () => {
    const file = experimentFile('model: { interactoin: { type: cfm } }\n');
    const { code, stderr } = await mtcp('run', file);
    expect(code).to.equal(2);
    expect(stderr).to.contain('experiment.yaml:3:10: unknown option "interactoin" in model');
    expect(stderr).to.contain('> 3 | model: { interactoin').and.to.contain('did you mean "interaction"');
  });

  it('runs with JSON events, one object a line, the table last', async () => {
    const runs = temporaryFolder();
    const { code, stdout } = await mtcp(
      'run',
      TABLE3,
      '--profile',
      'smoke',
      '--row',
      'STL depth',
      '--runs',
      runs,
      '--json',
    );
    expect(code).to.equal(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).to.include({ event: 'experiment', name: 'table3', profile: 'smoke' });
    expect(events.map(({ event }) => event)).to.include.members(['trial', 'step', 'epoch', 'evaluated']);
    const table = events.at(-1)!;
    expect(table).to.include({ event: 'table', experiment: 'table3' });
    expect(table.rows).to.have.length(1);
    expect(table.rows).to.have.nested.property('[0].metrics').with.all.keys('depth.RMSE');
    expect(table.constant).to.have.property('depth.RMSE');
  });

  it('writes no control characters where nobody watches, and the table to stdout alone', async () => {
    const file = experimentFile(`rows: { depth: ${DEPTH_ONLY} }\n`);
    const words = ['run', file, '--profile', 'smoke', '--runs', temporaryFolder()];
    const { code, stdout, stderr } = await mtcp(...words);
    expect(code).to.equal(0);
    // oxlint-disable-next-line no-control-regex
    expect(stdout + stderr).not.to.match(/[\x1b\r]/);
    expect(stdout).to.contain('constant predictor').and.to.contain('runs and report:');
    expect(stderr)
      .to.contain('[1/1] depth, seed 0')
      .and.to.match(/epoch 1: depth/);
    expect(stderr).not.to.contain('its report is of');
    expect((await mtcp(...words, '--row', 'depth')).stderr).to.contain('its report is of the rows');
  });

  it('exits with 1 when a trial fails, after the others', async () => {
    const bad = DEPTH_ONLY.replace(/ }$/, ', optimizer: { rate: 1e30 }, train: { epochs: 3 } }');
    const file = experimentFile(`rows:\n  bad: ${bad}\n  good: ${DEPTH_ONLY}\n`);
    const { code, stdout, stderr } = await mtcp(
      'run',
      file,
      '--profile',
      'smoke',
      '--runs',
      temporaryFolder(),
    );
    expect(code).to.equal(1);
    expect(stdout).to.match(/^good +[A-Z] +\d/m);
    expect(stderr)
      .to.contain('failed: bad, seed 0')
      .and.to.match(/the (loss of depth|objective) is/);
  });

  describe('with data on the disk', () => {
    const run = (data: string, ...more: string[]) => {
      const file = experimentFile(`rows: { depth: ${DEPTH_ONLY} }\n`);
      const small = ['model.backbone.channels=8', 'model.backbone.heads=2', 'model.backbone.groups=2'];
      return mtcp(
        'run',
        file,
        '--profile',
        'smoke',
        'data={type: nyud-v2, root: x}',
        'train.batch=1',
        ...small,
        'evaluate.batch=1',
        '--data',
        data,
        '--runs',
        temporaryFolder(),
        ...more,
      );
    };

    it('trains from the NYUD_MT layout', async () => {
      const { code, stdout, stderr } = await run(smallNyud());
      expect(code, stderr).to.equal(0);
      expect(stdout).to.contain('Trained here: NYU');
    });

    it('says that the folder is missing', async () => {
      const { code, stderr } = await run('/nowhere/NYUD_MT');
      expect(code).to.equal(2);
      expect(stderr).to.contain('/nowhere/NYUD_MT');
    });

    it('names a truncated image', async () => {
      const folder = smallNyud();
      writeFileSync(join(folder, 'images/0001.jpg'), Buffer.alloc(100, 0xff));
      const { code, stderr } = await run(folder);
      expect(code).to.equal(2);
      expect(stderr).to.contain('images/0001.jpg');
    });

    it('names a label map of another size', async () => {
      const folder = smallNyud();
      copyFileSync(join(ROOT, 'test/reference/data/npy/f4.npy'), join(folder, 'depth/0001.npy'));
      const { code, stderr } = await run(folder);
      expect(code).to.equal(2);
      expect(stderr).to.contain('depth/0001.npy');
    });
  });

  it('renders a data set anywhere, and refuses a folder that holds something else', async () => {
    const out = join(temporaryFolder(), 'rooms');
    const synth = ['data', 'synth', '--out', out, '--train', '2', '--val', '1', '--size', '16x24'];
    const made = await mtcp(...synth, '--seed', '3');
    expect(made, made.stderr).to.include({ code: 0 });
    expect(readdirSync(join(out, 'images'))).to.have.length(3);
    const other = join(temporaryFolder(), 'full');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), 'mine');
    const refused = await mtcp(...synth.map((arg) => (arg === out ? other : arg)));
    expect(refused.code).to.equal(2);
    expect(readdirSync(other)).to.deep.equal(['thesis.txt']);
    expect(await mtcp('data', 'synth', '--out', out, '--size', '16')).to.include({ code: 2 });
  });
});
