// Pictures of a trial's predictions in its folder: predictions.png with all of them side by side, and in predictions/
// the single pictures with index.json, which reports use.
import { join } from 'node:path';
import sharp from 'sharp';
import { JsonFormat } from '../../registry/support/json-file.js';
import type { MapData, Sample } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { writeFolder, writeWhole } from '../support/files.js';
import { distinctNames } from '../support/names.js';
import type { Legend } from '../../registry/contracts/task-kind.js';
import { legendOf, paint, photograph, rangeOf } from '../drawing/paint.js';
import { drawSheet, png } from '../drawing/sheet.js';

/** predictions/index.json: file names are relative to it. */
export interface PredictionIndex {
  tasks: { name: string; legend: Legend }[];
  images: { id: string; image: string; tasks: Record<string, { label: string; prediction: string }> }[];
}

export interface PredictedSample {
  sample: Sample;
  predictions: Record<string, MapData>;
}

const NAME = { type: 'string', pattern: '^[^./\\\\][^/\\\\]*$' };
const COLOUR = { type: 'string', pattern: '^[#\\w(),. %]+$' };
const TEXT = { type: 'string' };

const INDEX = new JsonFormat<PredictionIndex>('an index of predictions', {
  type: 'object',
  required: ['tasks', 'images'],
  properties: {
    tasks: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'legend'],
        properties: {
          name: TEXT,
          legend: {
            anyOf: [
              {
                type: 'object',
                required: ['kind', 'entries'],
                properties: {
                  kind: { const: 'swatches' },
                  entries: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['name', 'colour'],
                      properties: { name: TEXT, colour: COLOUR },
                    },
                  },
                },
              },
              {
                type: 'object',
                required: ['kind', 'low', 'high', 'colours'],
                properties: {
                  kind: { const: 'scale' },
                  low: TEXT,
                  high: TEXT,
                  colours: { type: 'array', items: COLOUR },
                },
              },
            ],
          },
        },
      },
    },
    images: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'image', 'tasks'],
        properties: {
          id: TEXT,
          image: NAME,
          tasks: {
            type: 'object',
            additionalProperties: {
              type: 'object',
              required: ['label', 'prediction'],
              properties: { label: NAME, prediction: NAME },
            },
          },
        },
      },
    },
  },
});

/**
 * The pictures that a trial left; undefined if there are none.
 * @param folder of the trial
 * @throws MtcpError `io` if the index is damaged
 */
export const readPredictionIndex = (folder: string): PredictionIndex | undefined =>
  INDEX.find(join(folder, 'predictions', 'index.json'));

/** What `predictions/` is filled with. */
const FILES = /^(\d+\.jpg|\d+\..+\.(label|prediction)\.png|index\.json)$/;

/** Writes `predictions/` and then `predictions.png`. */
export async function writePredictions(
  folder: string,
  rows: readonly PredictedSample[],
  tasks: readonly Task[],
): Promise<void> {
  if (rows.length === 0) return;
  // One scale for all images of a task, so that colours can be compared.
  const ranges = new Map(tasks.map((task) => [task.name, rangeOf(task, rows.map(labelOf(task)))]));
  const legends = tasks.map((task) => {
    const maps = rows.flatMap((row) => [labelOf(task)(row), row.predictions[task.name]]);
    return { name: task.name, legend: legendOf(task, maps, ranges.get(task.name)!) };
  });
  const parts = new Map(distinctNames(tasks.map(({ name }) => name)).map((name, t) => [tasks[t].name, name]));
  const index: PredictionIndex = { tasks: legends, images: [] };
  const files = new Map<string, Buffer>();
  const sheet = [];
  for (const [r, { sample, predictions }] of rows.entries()) {
    const image = photograph(sample.image);
    const cells = [image];
    const entry: PredictionIndex['images'][number] = { id: sample.id, image: `${r + 1}.jpg`, tasks: {} };
    const { width, height } = image;
    files.set(
      entry.image,
      await sharp(image.data, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 88 })
        .toBuffer(),
    );
    for (const task of tasks) {
      const range = ranges.get(task.name)!;
      const names = {
        label: `${r + 1}.${parts.get(task.name)}.label.png`,
        prediction: `${r + 1}.${parts.get(task.name)}.prediction.png`,
      };
      const [label, prediction] = [labelOf(task)({ sample, predictions }), predictions[task.name]].map(
        (map) => paint(map, task, range),
      );
      files.set(names.label, await png(label));
      files.set(names.prediction, await png(prediction));
      entry.tasks[task.name] = names;
      cells.push(label, prediction);
    }
    index.images.push(entry);
    sheet.push(cells);
  }
  writeFolder(join(folder, 'predictions'), FILES, (temporary) => {
    for (const [name, bytes] of files) writeWhole(join(temporary, name), bytes);
    writeWhole(join(temporary, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
  });
  const columns = ['image', ...tasks.flatMap(({ name }) => [`${name}: label`, `${name}: prediction`])];
  const titled = legends.map(({ name, legend }) => ({ title: name, legend }));
  writeWhole(join(folder, 'predictions.png'), await drawSheet({ columns, rows: sheet, legends: titled }));
}

const labelOf =
  ({ name }: Task) =>
  ({ sample }: PredictedSample): MapData =>
    sample.labels[name];
