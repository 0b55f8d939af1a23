// mtcp predict: writes predictions for image files: colour maps with legends, raw values, and a contact sheet.
import { existsSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { MOST_PIXELS } from '../../modules/datasets/formats/budget.js';
import { readBytes } from '../../modules/datasets/formats/file.js';
import { encodeNpy } from '../../modules/datasets/formats/npy.js';
import type { MapData } from '../../registry/contracts/data.js';
import type { Legend } from '../../registry/contracts/task-kind.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { kindOf } from '../../registry/kinds.js';
import type { TrialSpec } from '../config/index.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { asIoError, writeWhole } from '../support/files.js';
import { distinctNames } from '../support/names.js';
import { legendOf, paint, photograph, rangeOf, type Picture } from '../drawing/paint.js';
import { drawSheet, png } from '../drawing/sheet.js';
import { Predictor, type PredictorOptions } from './predictor.js';

/** What predicts: a trained trial by its folder, or a trial's network with weights from a file. */
export type PredictSource =
  | { folder: string; network?: undefined }
  | { folder?: undefined; network: { trial: TrialSpec; weights: string } };

export type PredictOptions = PredictSource & PredictFiles;

interface PredictFiles extends PredictorOptions {
  images: readonly string[];
  /** Folder to write into. */
  out: string;
  /** `npy`: float32; `png16`: 16-bit, see `values` in predictions.json; none if left out. */
  raw?: 'npy' | 'png16';
  /** Images that are shown on the contact sheet, at most. */
  shown?: number;
  observe?(done: number, total: number, image: string): void;
}

export interface PredictedFile {
  image: string;
  width: number;
  height: number;
  tasks: Record<string, { map: string; legend: Legend; raw?: string; values?: string }>;
}

export interface Predictions {
  trial: { row: string; seed: number; hash: string; checkpoint: string };
  images: PredictedFile[];
  failed: { image: string; message: string }[];
  /** predictions.png; undefined if no image could be read. */
  sheet?: string;
}

const SHOWN = 12;
/** Pictures on the sheet are kept at this width at most. */
const SHEET_WIDTH = 384;

/** Writes `predictions.json` last. An image that cannot be read does not stop the others. */
export async function predict({
  folder,
  network,
  images,
  out,
  raw,
  shown = SHOWN,
  observe,
  ...options
}: PredictOptions): Promise<Predictions> {
  const predictor = await (network
    ? Predictor.ofFile(network.trial, network.weights, options)
    : Predictor.open(folder, options));
  try {
    const { tasks, trial } = predictor;
    const { row, seed, hash } = trial;
    const result: Predictions = {
      trial: { row, seed, hash, checkpoint: predictor.checkpoint },
      images: [],
      failed: [],
    };
    const names = distinctNames(images.map((path) => basename(path, extname(path))));
    const parts = new Map(
      distinctNames(tasks.map(({ name }) => name)).map((name, t) => [tasks[t].name, name]),
    );
    const filesOf = (i: number, task: string): TaskFiles => {
      const path = join(out, `${names[i]}.${parts.get(task)}`);
      return { map: `${path}.png`, raw: raw && `${path}.${raw === 'npy' ? 'npy' : 'raw.png'}` };
    };
    refuseInputs(
      images,
      images.flatMap((_, i) => tasks.flatMap(({ name }) => Object.values(filesOf(i, name)))),
      out,
    );
    makeOutput(out);
    const cells: { image: MapData; maps: Record<string, MapData> }[] = [];
    for (const [i, path] of images.entries()) {
      observe?.(i, images.length, path);
      try {
        const image = await readImage(path);
        const maps = await predictor.predict(image);
        result.images.push(await writeMaps(path, image, maps, tasks, (task) => filesOf(i, task), raw));
        if (cells.length < shown) cells.push(await small(image, maps));
      } catch (error) {
        if (!MtcpError.is(error, 'data')) throw error;
        result.failed.push({ image: path, message: error.format() });
      }
    }
    if (cells.length > 0) {
      result.sheet = join(out, 'predictions.png');
      writeWhole(result.sheet, await sheetOf(cells, tasks));
    }
    writeWhole(join(out, 'predictions.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    predictor.close();
  }
}

/** Where a task's maps of an image go. */
interface TaskFiles {
  map: string;
  raw: string | undefined;
}

/** @throws MtcpError `usage` if an image would be written over by a prediction */
function refuseInputs(images: readonly string[], made: readonly (string | undefined)[], out: string): void {
  const inputs = new Set(images.map((path) => resolve(path)));
  const files = [...made, join(out, 'predictions.png'), join(out, 'predictions.json')];
  const over = files.find((file) => file !== undefined && inputs.has(resolve(file)));
  if (over !== undefined)
    throw new MtcpError('usage', `${over} is one of the images, and a prediction would be written over it`, {
      where: `argument "--out ${out}"`,
      hint: 'name another folder',
    });
}

function makeOutput(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw asIoError(error, path);
  }
}

/** RGB as it is meant to be seen: turned by its EXIF orientation, colours in sRGB, transparency on white. */
async function readImage(path: string): Promise<MapData> {
  try {
    const { data, info } = await sharp(await readBytes(path), {
      failOn: 'error',
      limitInputPixels: MOST_PIXELS,
    })
      .autoOrient()
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels === 3)
      return { height: info.height, width: info.width, channels: 3, data: Uint8Array.from(data) };
    const grey = Uint8Array.from(
      { length: info.width * info.height * 3 },
      (_, i) => data[Math.floor(i / 3) * info.channels],
    );
    return { height: info.height, width: info.width, channels: 3, data: grey };
  } catch (cause) {
    if (MtcpError.is(cause)) throw cause;
    if (!existsSync(path)) throw new MtcpError('data', 'there is no such file', { where: path, cause });
    throw new MtcpError('data', `cannot be read as an image (${(cause as Error).message.split('\n')[0]})`, {
      where: path,
      hint: 'JPEG, PNG, WebP, TIFF, GIF and AVIF are read',
      cause,
    });
  }
}

async function writeMaps(
  image: string,
  { width, height }: MapData,
  maps: Record<string, MapData>,
  tasks: readonly Task[],
  filesOf: (task: string) => TaskFiles,
  raw: PredictOptions['raw'],
): Promise<PredictedFile> {
  const file: PredictedFile = { image, width, height, tasks: {} };
  for (const task of tasks) {
    const map = maps[task.name];
    const range = rangeOf(task, [map]);
    const { map: colours, raw: target } = filesOf(task.name);
    writeWhole(colours, await png(paint(map, task, range)));
    file.tasks[task.name] = { map: colours, legend: legendOf(task, [map], range) };
    if (target === undefined) continue;
    const { bytes, values } = raw === 'npy' ? asNpy(map, task) : await asPng16(map, task);
    writeWhole(target, bytes);
    Object.assign(file.tasks[task.name], { raw: target, values });
  }
  return file;
}

function asNpy(
  { data, height, width, channels }: MapData,
  task: Task,
): { bytes: Uint8Array; values: string } {
  const shape = channels === 1 ? [height, width] : [height, width, channels];
  return { bytes: encodeNpy(Float32Array.from(data), shape), values: kindOf(task).meaning };
}

/** Whole numbers from 0 to 65535. */
async function asPng16(
  { data, height, width, channels }: MapData,
  task: Task,
): Promise<{ bytes: Uint8Array; values: string }> {
  const { values, of } = kindOf(task).sixteen;
  const whole = Uint16Array.from(data, (value) => Math.max(0, Math.min(65535, Math.round(of(value)))));
  const raw = { width, height, channels: channels as 1 | 3 };
  const picture = sharp(whole, { raw }).toColourspace(channels === 1 ? 'grey16' : 'rgb16');
  return { bytes: await picture.png().toBuffer(), values };
}

/** For the sheet, so that a thousand large images do not stay in memory. */
async function small(
  image: MapData,
  maps: Record<string, MapData>,
): Promise<{ image: MapData; maps: Record<string, MapData> }> {
  const scale = Math.min(1, SHEET_WIDTH / image.width);
  const shrink = (map: MapData): MapData => {
    const [height, width] = [
      Math.max(1, Math.round(map.height * scale)),
      Math.max(1, Math.round(map.width * scale)),
    ];
    const { channels } = map;
    const data = new Float32Array(height * width * channels);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const from =
          (Math.floor(((y + 0.5) * map.height) / height) * map.width +
            Math.floor(((x + 0.5) * map.width) / width)) *
          channels;
        for (let k = 0; k < channels; k++) data[(y * width + x) * channels + k] = map.data[from + k];
      }
    return { height, width, channels, data };
  };
  return {
    image: shrink(image),
    maps: Object.fromEntries(Object.entries(maps).map(([task, map]) => [task, shrink(map)])),
  };
}

/** Everything in one picture; depths on one scale. Images of other proportions than the first are stretched. */
function sheetOf(
  cells: readonly { image: MapData; maps: Record<string, MapData> }[],
  tasks: readonly Task[],
): Promise<Buffer> {
  const ofTask = ({ name }: Task) => cells.map(({ maps }) => maps[name]);
  const ranges = new Map(tasks.map((task) => [task.name, rangeOf(task, ofTask(task))]));
  return drawSheet({
    columns: ['image', ...tasks.map(({ name }) => name)],
    rows: cells.map(({ image, maps }): Picture[] => [
      photograph(image),
      ...tasks.map((task) => paint(maps[task.name], task, ranges.get(task.name))),
    ]),
    legends: tasks.map((task) => ({
      title: task.name,
      legend: legendOf(task, ofTask(task), ranges.get(task.name)!),
    })),
  });
}
