import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import '../../../../../modules/datasets/embedded-rooms.js';
import { generateRooms, type RoomsOptions } from '../../../../../modules/datasets/rendered/rooms/generate.js';
import { createTrialContainer } from '../../../../../registry/container.js';
import { rejection } from '../../../../support/reference.js';

const OPTIONS: RoomsOptions = { train: 3, val: 2, size: [24, 32], seed: 5 };
const quiet = () => undefined;
const run = promisify(execFile);

/** A program that generates a set and prints its digest. */
const program = (directory: string, options: RoomsOptions) => [
  '--input-type=module',
  '-e',
  `const { generateRooms } = await import(${JSON.stringify(new URL('../../../../../modules/datasets/rendered/rooms/generate.js', import.meta.url).href)});
   const report = (done) => console.error(done);
   console.log((await generateRooms(${JSON.stringify(directory)}, ${JSON.stringify(options)}, report, 1)).digest);`,
];

describe('generating rooms', () => {
  let root: string;
  let made: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'mtcp-rooms-'));
    made = join(root, 'made');
    await generateRooms(made, OPTIONS, quiet, 1);
  });
  after(() => rm(root, { recursive: true, force: true }));

  const files = async (directory: string) => {
    const names = await readdir(directory, { recursive: true, withFileTypes: true });
    const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(
        paths.map(async (path) => [path.slice(directory.length), (await readFile(path)).toString('base64')]),
      ),
    );
  };

  it('gives the same bytes with any number of threads', async () => {
    const again = join(root, 'again');
    const reports: [number, number][] = [];
    await generateRooms(again, OPTIONS, (done, total) => reports.push([done, total]), 2);
    expect(await files(again)).to.deep.equal(await files(made));
    expect(Object.keys(await files(made))).to.have.length(5 * 4 + 3);
    expect(reports.at(-1)).to.deep.equal([5, 5]);
  });

  it('keeps what is finished: nothing is rendered or written again', async () => {
    const reports: number[] = [];
    const written = async () =>
      Promise.all(
        Object.keys(await files(made)).map(async (file) => {
          const { mtimeNs, ino } = await stat(join(made, file), { bigint: true });
          return [file, ino, mtimeNs];
        }),
      );
    const before = await written();
    const manifest = await generateRooms(made, OPTIONS, (done) => reports.push(done));
    expect(reports).to.deep.equal([]);
    expect(await written()).to.deep.equal(before);
    expect(manifest.options).to.deep.equal(OPTIONS);
    expect(manifest.cameras['val-0002'].focal).to.be.within(20, 40);
  });

  it('draws train and val scenes from different streams', async () => {
    const all = await files(made);
    for (const i of [1, 2])
      expect(all[`/depth/train-000${i}.npy`]).not.to.equal(all[`/depth/val-000${i}.npy`]);
  });

  it('refuses folders that hold something else, and leaves them alone', async () => {
    const other = join(root, 'other');
    await mkdir(other);
    await writeFile(join(other, 'thesis.txt'), 'precious');
    expect((await rejection(generateRooms(other, OPTIONS))).message).to.contain(
      'does not hold a finished set',
    );
    expect(await readdir(other)).to.deep.equal(['thesis.txt']);
    const { message, kind } = await rejection(generateRooms(made, { ...OPTIONS, seed: 6 }));
    expect([kind, message]).to.deep.equal(['usage', 'holds rooms that were made with other options']);
    const damaged = join(root, 'damaged');
    await cp(made, damaged, { recursive: true });
    await writeFile(join(damaged, 'depth/train-0002.npy'), 'short');
    expect((await rejection(generateRooms(damaged, OPTIONS))).message).to.contain('have changed');
    await writeFile(join(damaged, 'manifest.json'), '{');
    expect((await rejection(generateRooms(damaged, OPTIONS))).message).to.contain('cannot be read');
    const file = join(root, 'file');
    await writeFile(file, '');
    expect((await rejection(generateRooms(file, OPTIONS))).message).to.contain('not a folder');
  });

  it('leaves nothing that is trusted when it is killed, and cleans up later', async () => {
    const target = join(root, 'killed');
    const child = spawn(process.execPath, program(target, { ...OPTIONS, train: 2000 }), { stdio: 'pipe' });
    const exit = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stderr.once('data', resolve));
    child.kill('SIGKILL');
    await exit;
    const left = (await readdir(root)).filter((name) => name.startsWith('killed'));
    expect(left).to.have.length(1);
    expect(left[0]).to.contain('.partial-');
    await generateRooms(target, OPTIONS, quiet, 1);
    expect((await readdir(root)).filter((name) => name.startsWith('killed'))).to.deep.equal(['killed']);
  });

  it('survives two processes that make the same set', async () => {
    const target = join(root, 'raced');
    await mkdir(target);
    const [one, two] = await Promise.all(
      [1, 2].map(() => run(process.execPath, program(target, OPTIONS), { encoding: 'utf8' })),
    );
    expect(one.stdout)
      .to.equal(two.stdout)
      .and.to.match(/^[0-9a-f]{16}\n$/);
    expect(await files(target)).to.deep.equal(await files(made));
    expect((await readdir(root)).filter((name) => name.startsWith('raced'))).to.deep.equal(['raced']);
  });

  it('is what the data set does on first use', async () => {
    const before = process.env.MTCP_CACHE;
    process.env.MTCP_CACHE = join(root, 'cache');
    try {
      const slot = { type: 'embedded-rooms', ...OPTIONS };
      const dataset = createTrialContainer([]).create('dataset', slot);
      const info = await dataset.prepare(quiet);
      expect(info.root).to.match(/cache\/rooms-[0-9a-f]{12}$/);
      expect(info.counts).to.deep.equal({ train: 3, val: 2 });
      expect(await files(info.root)).to.deep.equal(await files(made));
      expect(await dataset.ids('val')).to.deep.equal(['val-0001', 'val-0002']);
      const { labels } = await dataset.load('train-0003', ['semseg', 'depth', 'normals']);
      expect(labels.semseg).to.include({ height: 24, width: 32, kind: 'classes' });
    } finally {
      if (before === undefined) delete process.env.MTCP_CACHE;
      else process.env.MTCP_CACHE = before;
    }
  });
});
