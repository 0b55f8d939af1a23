import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import '../../../modules/transforms/sv.js';
import { createLoader, type Loader, type LoaderSetup } from '../../../runners/data/loader.js';
import { splitStatistics } from '../../../runners/data/statistics.js';
import type { TrainBatch } from '../../../runners/data/batch.js';
import { rejection } from '../../support/reference.js';
import { TOY_TASKS } from './toy.js';

const quiet = () => undefined;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('loader', () => {
  const loaders: Loader[] = [];
  afterEach(async () => {
    for (const loader of loaders.splice(0)) await loader.close();
  });

  async function open(dataset: Record<string, unknown> = {}, setup: Partial<LoaderSetup> = {}) {
    const loader = createLoader({
      dataset: { type: 'loader-toy', ...dataset },
      transform: { type: 'sv', size: [6, 8] },
      tasks: TOY_TASKS,
      batch: 3,
      seed: 0,
      workers: 1,
      ...setup,
    });
    loaders.push(loader);
    await loader.prepare(quiet);
    return loader;
  }

  it('gives every sample at most once an epoch, in whole batches, in an order of its own', async () => {
    const loader = await open();
    expect(loader.stepsPerEpoch).to.equal(3);
    expect(loader.size).to.deep.equal([6, 8]);
    const ids = async (epoch: number) => (await collect(loader.train(epoch))).flatMap((batch) => batch.ids);
    const [first, again, second] = [await ids(0), await ids(0), await ids(1)];
    expect(new Set(first)).to.have.property('size', 9);
    expect(again).to.deep.equal(first);
    expect(second).not.to.deep.equal(first);
    expect([...first].sort()).not.to.deep.equal(first);
  });

  it('stacks images and labels of the same samples', async () => {
    const loader = await open({}, { transform: { type: 'sv', size: [6, 8], scales: [1] } });
    for (const { ids, image, labels } of await collect(loader.train(0))) {
      expect(image)
        .to.be.instanceOf(Float32Array)
        .with.length(3 * 6 * 8 * 3);
      expect(labels.semseg)
        .to.be.instanceOf(Int32Array)
        .with.length(3 * 6 * 8);
      expect(labels.depth)
        .to.be.instanceOf(Float32Array)
        .with.length(3 * 6 * 8);
      expect(labels.normals)
        .to.be.instanceOf(Float32Array)
        .with.length(3 * 6 * 8 * 3);
      for (const [i, id] of ids.entries()) {
        const index = Number(id.split('-')[1]);
        const pixel = i * 48 + 20;
        expect(image[3 * pixel]).to.be.closeTo((index / 255 - 0.485) / 0.229, 1e-6);
        expect(labels.semseg[pixel]).to.equal(index % 3);
        expect(labels.depth[pixel]).to.equal(index + 1);
        expect(Math.abs(labels.normals[3 * pixel + 2])).to.be.closeTo(1 / Math.sqrt(3), 1e-6);
      }
    }
  });

  it('gives the same batches whatever the threads, the cache and the first step', async () => {
    const one = await collect((await open()).train(2));
    const three = await collect((await open({}, { workers: 3, cacheBytes: 0 })).train(2));
    expect(three).to.deep.equal(one);
    // None but the main thread.
    expect(await collect((await open({}, { workers: 0 })).train(2))).to.deep.equal(one);
    const warm = await open({}, { workers: 2 });
    await collect(warm.evaluate('train', 4));
    expect(await collect(warm.train(2))).to.deep.equal(one);
    expect(await collect(warm.train(2, { from: 2 }))).to.deep.equal(one.slice(2));
    expect(await collect(warm.train(2, { from: 3 }))).to.deep.equal([]);
    const scaled = one.some(({ labels }: TrainBatch) => labels.depth.some((depth) => depth % 1 !== 0));
    expect(scaled, 'augmentation took part').to.equal(true);
  });

  it('writes into the memory of a batch again, if that is allowed', async () => {
    for (const workers of [0, 2]) {
      const loader = await open({ train: 30 }, { workers });
      const expected = await collect(loader.train(1));
      const copy = structuredClone(expected);
      let first: TrainBatch | undefined;
      let step = 0;
      for await (const { ids, image, labels } of loader.train(1, { reuse: true })) {
        first ??= { ids, image, labels };
        expect({ ids, image, labels }).to.deep.equal(copy[step++]);
      }
      expect(step).to.equal(10);
      expect(first!.image, 'memory of the first batch').not.to.deep.equal(copy[0].image);
      expect(expected, 'batches that are kept').to.deep.equal(copy);
    }
  });

  it('evaluates a split in order, padded with its last image, labels as stored with IGNORE', async () => {
    const loader = await open();
    const batches = await collect(loader.evaluate('val', 2));
    expect(batches.map((batch) => batch.count)).to.deep.equal([2, 2, 1]);
    expect(batches.flatMap((batch) => batch.ids)).to.deep.equal([0, 1, 2, 3, 4].map((i) => `val-${i}`));
    const last = batches[2];
    expect(last.raw).to.have.length(1);
    expect(last.image).to.have.length(2 * 144);
    expect(last.image.subarray(144)).to.deep.equal(last.image.subarray(0, 144));
    expect([...last.raw[0].labels.normals.data.subarray(0, 4)]).to.deep.equal([255, 255, 255, -1]);
    expect(last.raw[0].labels.depth.data[0]).to.equal(5);
    expect(last.raw[0].image.data[0]).to.equal(4);
  });

  it('decodes a cached sample once, and without room every time', async () => {
    const decodings = async (cacheBytes: number) => {
      const loader = await open({}, { cacheBytes });
      for (let pass = 0; pass < 2; pass++) await collect(loader.evaluate('val', 2));
      const [batch] = await collect(loader.evaluate('val', 5));
      return batch.raw.map(({ labels }) => -labels.normals.data[3]);
    };
    const bytes = 48 * (3 + 1 + 4 + 12);
    expect(await decodings(2 ** 20)).to.deep.equal([1, 1, 1, 1, 1]);
    expect(await decodings(0)).to.deep.equal([3, 3, 3, 3, 3]);
    expect(await decodings(2 * bytes)).to.deep.equal([1, 1, 3, 3, 3]);
  });

  it('reads only the tasks of the trial', async () => {
    const loader = await open({}, { tasks: TOY_TASKS.slice(0, 1) });
    const [batch] = await collect(loader.train(0));
    expect(Object.keys(batch.labels)).to.deep.equal(['semseg']);
  });

  it('passes on an MtcpError of a thread, and every time', async () => {
    const loader = await open({ broken: 'val-3' });
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await rejection(collect(loader.evaluate('val', 2)));
      expect(error.kind).to.equal('data');
      expect(error.format()).to.equal('val-3.jpg: is damaged\nfetch it again');
    }
    // The batches before it arrive.
    const iterator = loader.evaluate('val', 2);
    expect((await iterator.next()).value).to.have.property('count', 2);
    await iterator.return();
    expect(await collect(loader.train(0))).to.have.length(3);
  });

  it('reports a bug in a data set as itself', async () => {
    const loader = await open({ broken: 'val-0', how: 'bug' });
    const error = await collect(loader.evaluate('val', 2)).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property('message', 'index out of bounds');
    expect((error as Error).stack).to.contain('toy');
  });

  for (const [how, reason] of [
    ['exit', 'exit code 3'],
    ['crash', 'out of nowhere'],
  ])
    it(`ends when a thread dies: ${how}`, async () => {
      const loader = await open({ broken: 'val-1', how }, { workers: 2 });
      const error = await rejection(collect(loader.evaluate('val', 1)));
      expect(error.message).to.equal(`a worker thread stopped (${reason})`);
      expect((await rejection(collect(loader.train(0)))).kind).to.equal('io');
    });

  it('can be left early and used again', async () => {
    const loader = await open({ broken: 'train-0', how: 'slow', train: 60 });
    for (let round = 0; round < 3; round++)
      for await (const batch of loader.train(round)) {
        expect(batch.ids).to.have.length(3);
        break;
      }
    expect(await collect(loader.train(0))).to.have.length(20);
  });

  it('rejects what is still asked for when it is closed', async () => {
    const loader = await open({ broken: 'val-0', how: 'slow' });
    const waiting = rejection(collect(loader.evaluate('val', 1)));
    await loader.close();
    expect((await waiting).message).to.contain('closed');
  });

  it('refuses a batch that the split cannot fill', async () => {
    const error = await rejection(open({ train: 2 }));
    expect(error.message).to.equal('2 training samples do not fill a batch of 3');
  });

  it('refuses a validation split without an image', async () => {
    const error = await rejection(open({ val: 0 }));
    expect(error.message).to.contain('the validation split has no image');
  });

  it('computes the best constant predictions', async () => {
    const loader = await open({ train: 4 });
    const constants = await splitStatistics(loader.evaluate('train', 2), TOY_TASKS);
    // Samples 0 to 3: classes 0 1 2 0, depths 1 to 4.
    expect(constants.semseg).to.deep.equal([0]);
    expect(constants.depth![0]).to.be.closeTo(2.5, 1e-6);
    constants.normals!.forEach((component) => expect(component).to.be.closeTo(-Math.sqrt(1 / 3), 1e-6));
  });

  it('loads no TensorFlow.js in its threads', () => {
    const modules = new URL('../../../modules/', import.meta.url);
    const files = ['datasets/', 'transforms/'].flatMap((folder) =>
      readdirSync(new URL(folder, modules))
        .filter((file) => file.endsWith('.js'))
        .map((file) => new URL(folder + file, modules).href),
    );
    expect(files.length).to.be.above(4);
    const loaded = (imports: string[]) => {
      const script = `
        import { createRequire } from 'node:module';
        for (const file of ${JSON.stringify(imports)}) await import(file);
        const cache = Object.keys(createRequire(import.meta.url).cache);
        console.log(cache.filter((file) => file.includes('@tensorflow')).length);`;
      return Number(
        execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
      );
    };
    const registry = new URL('../registry/container.js', modules).href;
    expect(loaded([...files, registry])).to.equal(0);
  });

  /** Leaves an epoch early in a process of its own, and does `then`. */
  const leftEarly = (then: string): string => {
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import { TOY_TASKS } from ${at('./toy.js')};
      await import(${at('../../../modules/transforms/sv.js')});
      const { createLoader } = await import(${at('../../../runners/data/loader.js')});
      const loader = createLoader({ dataset: { type: 'loader-toy', train: 60 }, transform: { type: 'sv', size: [6, 8] },
        tasks: TOY_TASKS, batch: 2, seed: 0, workers: 2 });
      await loader.prepare(() => {});
      for await (const batch of loader.train(0)) break;
      ${then}`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 15000,
    });
  };

  it('does not keep the process alive', () => {
    expect(leftEarly("console.log('left');")).to.equal('left\n');
  });

  it('keeps it alive until its threads are stopped', () => {
    // The jobs that ran ahead end while this thread is busy: their results come when it is closing already.
    const busy = 'for (const began = Date.now(); Date.now() - began < 500; );';
    const closing = `${busy} await loader.close(); console.log('closed');`;
    expect(leftEarly(closing)).to.equal('closed\n');
  });
});
