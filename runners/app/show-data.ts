// mtcp data show: pictures of training data. raw.png has samples as they are stored; augmented.png has several draws
// of the trial's input pipeline, the same draws that its first epochs use.
import { join } from 'node:path';
import { denormalise } from '../../modules/transforms/machinery/image.js';
import { markInvalid } from '../../modules/transforms/machinery/ignore.js';
import { createTrialContainer } from '../../registry/container.js';
import type { Dataset, MapData, Sample } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { randomStream } from '../../registry/random.js';
import type { TrialSpec } from '../config/index.js';
import { writeWhole } from '../support/files.js';
import { legendOf, paint, photograph, rangeOf } from '../drawing/paint.js';
import { drawSheet } from '../drawing/sheet.js';

export interface ShowOptions {
  /** Training samples, spread over the split. */
  samples: number;
  /** Augmented versions of each. */
  draws: number;
}

/** @returns the files written */
export async function showData(
  { config, seed }: TrialSpec,
  directory: string,
  { samples, draws }: ShowOptions,
  report: (done: number, total: number, what: string) => void,
): Promise<string[]> {
  const all = createTrialContainer([]).create('dataset', config.data).tasks;
  const wanted = all.filter(({ name }) => name in config.tasks);
  const dataset = createTrialContainer(wanted).create('dataset', config.data);
  const transform = createTrialContainer(wanted).create('transform', config.augment);
  await dataset.prepare(report);
  const ids = await dataset.ids('train');
  const count = Math.min(samples, ids.length);
  const chosen = Array.from({ length: count }, (_, i) => ids[Math.floor((i * ids.length) / count)]);
  const tasks = await availableTasks(dataset, all, wanted, chosen[0]);
  const raw: Sample[] = [];
  const augmented: Sample[] = [];
  for (const [i, id] of chosen.entries()) {
    const sample = await dataset.load(
      id,
      tasks.map(({ name }) => name),
    );
    raw.push({ ...sample, labels: markInvalid(sample.labels) });
    for (let epoch = 0; epoch < draws; epoch++) {
      const drawn = transform.train(sample, randomStream(seed, 'augment', epoch, id));
      augmented.push({ ...drawn, image: denormalise(drawn.image) });
    }
    report(i + 1, count, 'drawing samples');
  }
  const files: string[] = [];
  for (const [name, rows] of Object.entries({ raw, augmented })) {
    if (rows.length === 0) continue;
    const file = join(directory, `${name}.png`);
    writeWhole(file, await sheetOf(rows, tasks));
    files.push(file);
  }
  return files;
}

/** The trial's tasks, and every other one that the sample has labels for. */
async function availableTasks(
  dataset: Dataset,
  all: readonly Task[],
  wanted: readonly Task[],
  id: string,
): Promise<Task[]> {
  const there: Task[] = [];
  for (const task of all)
    try {
      if (!wanted.includes(task)) await dataset.load(id, [task.name]);
      there.push(task);
    } catch (error) {
      if (!MtcpError.is(error, 'data')) throw error;
    }
  return there;
}

function sheetOf(rows: readonly Sample[], tasks: readonly Task[]): Promise<Buffer> {
  const mapsOf = ({ name }: Task): MapData[] => rows.map(({ labels }) => labels[name]);
  const ranges = new Map(tasks.map((task) => [task.name, rangeOf(task, mapsOf(task))]));
  return drawSheet({
    columns: ['image', ...tasks.map(({ name }) => name)],
    rows: rows.map(({ image, labels }) => [
      photograph(image),
      ...tasks.map((task) => paint(labels[task.name], task, ranges.get(task.name))),
    ]),
    legends: tasks.map((task) => ({
      title: task.name,
      legend: legendOf(task, mapsOf(task), ranges.get(task.name)!),
    })),
  });
}
