// npm run bench:loader: full-size samples from the disk through both input pipelines, images a second, beside a
// PyTorch DataLoader that does the same with PIL and OpenCV; then what the evaluation metrics cost. Both sides
// read the same folder with as many workers and take turns. `--edges` shows what odsF costs, with one thread and with several.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import '../modules/index.js';
import {
  NYUD_FOLDERS,
  NYUD_TASKS,
  writeNyudSample,
  writeNyudSplit,
} from '../modules/datasets/folders/nyud.js';
import { createTrialContainer } from '../registry/container.js';
import type { LabelMap, MapData } from '../registry/contracts/data.js';
import type { Task } from '../registry/contracts/tasks.js';
import { randomStream } from '../registry/random.js';
import { laplacianEdges } from '../modules/support/outline.js';
import { thin } from '../modules/support/thin.js';
import { resize } from '../modules/support/warp.js';
import { createLoader } from '../runners/data/loader.js';
import { markdownTable, textTable } from '../runners/reporting/table.js';
import { toLabel } from '../runners/training/evaluation.js';
import { runCommand } from './command.js';
import { pythonWithTorch } from './python.js';
import { Side } from './side.js';

const PEER = join(import.meta.dirname, '../../bench/python/loader.py');
const BATCH = 2;

interface Options {
  images: string;
  workers: string;
  rounds: string;
  python?: string;
  markdown?: boolean;
  metrics?: boolean;
  edges?: boolean;
}

/** Photographs with structure at all scales and blocks of labels, as large as NYU Depth v2's. */
async function makeFolder(root: string, count: number, height: number, width: number): Promise<void> {
  for (const folder of NYUD_FOLDERS) mkdirSync(join(root, folder));
  const ids = Array.from({ length: count }, (_, i) => String(i).padStart(4, '0'));
  for (const id of ids) {
    const random = randomStream('bench', 'loader', id);
    const waves = Array.from({ length: 9 }, () => [
      random.uniform() * 0.2,
      random.uniform() * 0.2,
      random.uniform() * 6,
    ]);
    const image = new Uint8Array(3 * height * width);
    for (let i = 0; i < image.length; i++) {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      const level = waves.reduce((sum, [a, b, c]) => sum + Math.sin(a * x + b * y + c + (i % 3)), 0);
      image[i] = Math.max(0, Math.min(255, 128 + 22 * level + 12 * random.normal()));
    }
    const blocks = Array.from({ length: 64 }, () => random.integer(40));
    const blockOf = (i: number) =>
      8 * Math.floor((8 * Math.floor(i / width)) / height) + Math.floor((8 * (i % width)) / width);
    const semseg = Uint8Array.from({ length: height * width }, (_, i) => blocks[blockOf(i)]);
    const depth = Float32Array.from(semseg, (c, i) => 1 + 0.1 * c + (i % width) / width);
    const normals = Float32Array.from({ length: 3 * height * width }, (_, i) => (i % 3 === 2 ? -1 : 0));
    await writeNyudSample(root, { id, height, width, image, semseg, depth, normals });
  }
  await writeNyudSplit(root, 'train', ids);
  await writeNyudSplit(root, 'val', ids.slice(0, 1));
}

/** What the peer reads. */
const TASKS = NYUD_TASKS.filter(({ name }) => ['semseg', 'depth', 'normals'].includes(name));

/** The same augmentations on both sides; what InvPT pads to fits the folder's images. */
const PIPELINES = {
  sv: { type: 'sv', size: [480, 640] },
  atrc: { type: 'atrc', size: [480, 640] },
};

/** Over a second epoch, so that starting workers does not count. */
interface Rate {
  /** Images a second. */
  rate: number;
  /** Processor milliseconds an image, of all threads and processes together: what another load leaves as it is. */
  cpu: number;
}

async function ours(root: string, pipeline: keyof typeof PIPELINES, workers: number): Promise<Rate> {
  const loader = createLoader({
    dataset: { type: 'nyud-v2', root },
    transform: PIPELINES[pipeline],
    tasks: TASKS,
    batch: BATCH,
    seed: 0,
    workers,
    cacheBytes: 0,
  });
  await loader.prepare(() => undefined);
  let result: Rate = { rate: 0, cpu: 0 };
  for (let epoch = 0; epoch < 2; epoch++) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    let images = 0;
    for await (const { ids } of loader.train(epoch, { reuse: true })) images += ids.length;
    const { user, system } = process.cpuUsage(used);
    result = { rate: (1000 * images) / (performance.now() - began), cpu: (user + system) / 1000 / images };
  }
  await loader.close();
  return result;
}

/** Milliseconds an image: a prediction of the network's size to the label's, and into the counts. */
function metricCosts(height: number, width: number): [string, number][] {
  const random = randomStream('bench', 'metrics');
  const make = (task: Task, type: string): [string, number] => {
    const channels = task.kind === 'normals' ? 3 : 1;
    const draw = () =>
      Float32Array.from({ length: height * width * channels }, () =>
        task.kind === 'classes'
          ? random.integer(40)
          : task.kind === 'normals'
            ? random.normal()
            : random.uniform(),
      );
    const map = (data: MapData['data']) => ({ height, width, channels, data });
    const prediction = map(draw());
    const label: LabelMap = {
      kind: task.kind,
      ...map(task.kind === 'binary' ? draw().map(Math.round) : draw()),
    };
    const run = createTrialContainer([task]).create('metric', { type }).start(task);
    let space: Float32Array | undefined;
    const times = Array.from({ length: 100 }, () => {
      const began = performance.now();
      const atLabel = toLabel(prediction, label, task, { mode: 'sv', quantize: true }, 'x', space);
      if (atLabel !== prediction) space = atLabel.data as Float32Array;
      run.update(atLabel, label);
      return performance.now() - began;
    });
    // The first ones are slower: their code is not compiled yet.
    return [type, median(times.slice(40))];
  };
  return [
    make({ name: 'semseg', kind: 'classes', channels: 40 }, 'miou'),
    make({ name: 'depth', kind: 'depth', channels: 1 }, 'rmse'),
    make({ name: 'normals', kind: 'normals', channels: 3 }, 'angular_error'),
    make({ name: 'saliency', kind: 'binary', channels: 1 }, 'saliency'),
  ];
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

function writeMetricCosts(draw: typeof textTable): void {
  const costs = metricCosts(480, 640).map(([name, ms]) => [name, ms.toFixed(1)]);
  process.stdout.write(`${draw([{ title: 'metric' }, { title: 'ms an image', align: 'right' }], costs)}\n`);
}

/** Borders of drawn regions, and a prediction that is a blurred and noisy one of them, cut to bytes as evaluation does. */
function drawnEdges(id: number, height: number, width: number): { prediction: MapData; label: LabelMap } {
  const random = randomStream('bench', 'edges', id);
  const seeds = Array.from({ length: 40 }, () => [random.uniform() * width, random.uniform() * height]);
  const region = Uint8Array.from({ length: height * width }, (_, p) => {
    const [x, y] = [p % width, Math.floor(p / width)];
    const away = seeds.map(([a, b]) => (x - a) ** 2 + (y - b) ** 2);
    return away.indexOf(Math.min(...away));
  });
  const map = { height, width, channels: 1 };
  const data = thin(laplacianEdges(region, height, width), height, width);
  // A quarter of the size and back: blurred.
  const small = resize(
    { ...map, data: Float32Array.from(data, (value) => 255 * value) },
    height >> 2,
    width >> 2,
    'linear',
  );
  const blurred = resize(small, height, width, 'linear').data;
  const noisy = Float32Array.from(blurred, (value) => {
    const byte = Math.floor(value + 20 * random.normal() + 20);
    return Math.max(0, Math.min(255, byte)) / 255;
  });
  return { prediction: { ...map, data: noisy }, label: { kind: 'boundary', ...map, data } };
}

/** Seconds an image of odsF with 101 thresholds, the start of its threads included. */
async function writeEdgeCosts(draw: typeof textTable, count: number, most: number): Promise<void> {
  const [height, width] = [425, 560];
  const images = Array.from({ length: count }, (_, id) => drawnEdges(id, height, width));
  const task: Task = { name: 'edge', kind: 'boundary', channels: 1 };
  const rows: string[][] = [];
  for (const threads of [1, most]) {
    const metric = createTrialContainer([task]).create('metric', { type: 'odsf', thresholds: 'hed' });
    const [began, used] = [performance.now(), process.cpuUsage()];
    const run = metric.start(task, threads);
    for (const [i, { prediction, label }] of images.entries()) await run.update(prediction, label, String(i));
    const { odsF } = await run.compute();
    const { user, system } = process.cpuUsage(used);
    const [wall, cpu] = [performance.now() - began, (user + system) / 1000].map((ms) => ms / 1000 / count);
    rows.push([String(threads), wall.toFixed(1), cpu.toFixed(1), String(odsF)]);
    await metric.close?.();
  }
  const columns = ['threads', 's an image', 'CPU s an image', 'odsF'];
  process.stdout.write(
    `${draw(
      columns.map((title) => ({ title, align: 'right' as const })),
      rows,
    )}\n`,
  );
}

async function main(options: Options): Promise<void> {
  const draw = options.markdown ? markdownTable : textTable;
  if (options.edges) return writeEdgeCosts(draw, Number(options.images), Number(options.workers));
  if (options.metrics) return writeMetricCosts(draw);
  const python = pythonWithTorch(options.python, (line) => process.stderr.write(`${line}\n`));
  const [workers, rounds] = [Number(options.workers), Number(options.rounds)];
  const root = mkdtempSync(join(tmpdir(), 'mtcp-bench-'));
  try {
    await makeFolder(root, Number(options.images), 480, 640);
    const rows: string[][] = [];
    for (const pipeline of Object.keys(PIPELINES) as (keyof typeof PIPELINES)[]) {
      const [mine, theirs]: Rate[][] = [[], []];
      for (let round = 0; round < rounds; round++) {
        mine.push(await ours(root, pipeline, workers));
        const side = new Side('PyTorch', python, [PEER, root, pipeline, String(workers), String(BATCH)]);
        theirs.push(await side.ask<Rate>());
        await side.close();
      }
      const of = (rates: Rate[], key: keyof Rate) => median(rates.map((rate) => rate[key]));
      const ratio = median(mine.map(({ rate }, i) => rate / theirs[i].rate));
      rows.push([
        pipeline,
        of(mine, 'rate').toFixed(1),
        of(theirs, 'rate').toFixed(1),
        ratio.toFixed(2),
        of(mine, 'cpu').toFixed(0),
        of(theirs, 'cpu').toFixed(0),
      ]);
    }
    const columns = [
      { title: 'pipeline' },
      { title: 'mtcp images/s', align: 'right' as const },
      { title: 'DataLoader images/s', align: 'right' as const },
      { title: 'ratio', align: 'right' as const },
      { title: 'mtcp CPU ms an image', align: 'right' as const },
      { title: 'DataLoader CPU ms', align: 'right' as const },
    ];
    process.stdout.write(`${draw(columns, rows)}\n\n`);
    writeMetricCosts(draw);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const program = new Command('bench:loader')
  .description('Loading and augmenting full-size samples, and evaluation metrics.')
  .option('--images <n>', 'images in the folder', '24')
  .option('--workers <n>', 'worker threads, and worker processes of the DataLoader', '2')
  .option('--rounds <n>', 'turns of each side', '3')
  .option('--python <path>', 'a Python with torch; MTCP_PYTHON does the same')
  .option('--markdown', 'tables in Markdown')
  .option('--metrics', 'only the metrics, which needs no Python')
  .option('--edges', 'only odsF, on --images images, with 1 thread and with --workers threads')
  .action(main);
await runCommand(program);
