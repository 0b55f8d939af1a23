// Collects what the page shows from the folders of the trials.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { readBytes } from '../../../modules/datasets/formats/file.js';
import { MtcpError } from '../../../registry/errors.js';
import { differences, inShort, writeResolved, type Experiment } from '../../config/index.js';
import { readPredictionIndex, type PredictionIndex } from '../../training/pictures.js';
import { labelled, type Primary } from '../measure.js';
import type { RowResult } from '../row-result.js';
import { trainingCurves } from '../plots/training.js';
import { drawSvg } from '../../drawing/draw.js';
import type { Report } from '../report.js';
import type { Section } from '../sections.js';
import { page, type PredictionGallery } from './page.js';
import { perClass } from './per-class.js';

/** Pictures wider than this are made smaller for the page. */
const WIDEST = 320;

/** @returns the page */
export async function htmlReport(
  experiment: Experiment,
  rows: readonly RowResult[],
  report: Report,
  primary: Primary,
): Promise<string> {
  const measured = new Set(report.measured.map(({ name }) => name));
  const shown = rows.filter(({ trial }) => measured.has(trial.row));
  const first = firstSeeds(shown);
  const plots = [...trainingCurves(shown, primary, labelled(report.measured)), ...report.plots];
  return page({
    experiment,
    sections: report.sections,
    checked: report.checked,
    plots: await Promise.all(
      plots.map(async (plot) => ({
        title: plot.title,
        ...(plot.marks && { marks: plot.marks }),
        svg: await drawSvg(plot, { mode: 'page', titled: false }),
      })),
    ),
    rows: report.measured.map(({ name }) => name),
    perClass: perClass(report.measured),
    gallery: await gallery(first),
    failures: await failureSheets(first),
    configs: first.map(({ trial }) => ({ row: trial.row, yaml: writeResolved(trial) })),
    differences: differencesTable(shown),
  });
}

const firstSeeds = (rows: readonly RowResult[]): RowResult[] =>
  rows.filter(({ trial }, i) => rows.findIndex((other) => other.trial.row === trial.row) === i);

/** The pictures of a row as data URIs, by file name. */
interface Pictures {
  row: string;
  index: PredictionIndex;
  uris: Map<string, string>;
}

/** A row whose pictures cannot be read is left out, and named. */
async function gallery(rows: readonly RowResult[]): Promise<PredictionGallery | undefined> {
  const found: Pictures[] = [];
  const missing: string[] = [];
  for (const { trial, folder } of rows)
    try {
      const index = readPredictionIndex(folder);
      if (index)
        found.push({ row: trial.row, index, uris: await picturesOf(index, join(folder, 'predictions')) });
    } catch (error) {
      const reason = MtcpError.is(error) ? `${error.where}: ${error.message}` : (error as Error).message;
      missing.push(`no pictures of ${trial.row}: ${reason}`);
    }
  if (found.length === 0)
    return missing.length > 0 ? { tasks: [], rows: [], images: [], missing } : undefined;
  // The row with the most tasks says which images and labels there are.
  const widest = found.reduce((a, b) => (b.index.tasks.length > a.index.tasks.length ? b : a));
  const images = widest.index.images.map(({ id, image, tasks }) => ({
    id,
    source: widest.uris.get(image)!,
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([task, { label }]) => {
        const predictions = found.flatMap(({ row, index, uris }) => {
          const own = index.images.find((other) => other.id === id)?.tasks[task];
          return own ? [[row, uris.get(own.prediction)!] as const] : [];
        });
        return [task, { label: widest.uris.get(label)!, predictions: Object.fromEntries(predictions) }];
      }),
    ),
  }));
  return { tasks: widest.index.tasks, rows: found.map(({ row }) => row), images, missing };
}

/** Rows without such a picture, those of earlier versions, are left out; one that is damaged is, too. */
async function failureSheets(rows: readonly RowResult[]): Promise<{ row: string; source: string }[]> {
  const sheets = [];
  for (const { trial, folder } of rows) {
    const path = join(folder, 'failures.png');
    if (!existsSync(path)) continue;
    try {
      sheets.push({ row: trial.row, source: await dataUri(path, Infinity) });
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
    }
  }
  return sheets;
}

async function picturesOf({ images }: PredictionIndex, folder: string): Promise<Map<string, string>> {
  const names = images.flatMap(({ image, tasks }) => [
    image,
    ...Object.values(tasks).flatMap(({ label, prediction }) => [label, prediction]),
  ]);
  const uris = new Map<string, string>();
  for (const name of names) uris.set(name, await dataUri(join(folder, name)));
  return uris;
}

async function dataUri(path: string, widest = WIDEST): Promise<string> {
  let bytes = await readBytes(path);
  try {
    const { width } = await sharp(bytes).metadata();
    if (width > widest) bytes = await sharp(bytes).resize(widest, null, { kernel: 'nearest' }).toBuffer();
  } catch (cause) {
    throw new MtcpError('io', 'is not an image that can be read', { where: path, cause });
  }
  return `data:image/${path.endsWith('.jpg') ? 'jpeg' : 'png'};base64,${bytes.toString('base64')}`;
}

function differencesTable(rows: readonly RowResult[]): Section | undefined {
  const changed = differences(rows.map(({ trial }) => trial));
  if (changed.length === 0) return undefined;
  const names = [...new Set(rows.map(({ trial }) => trial.row))];
  return {
    id: 'settings',
    title: 'What the rows change',
    columns: [{ title: 'setting' }, ...names.map((title) => ({ title }))],
    rows: changed.map(({ path, values }) => [path, ...names.map((name) => inShort(values[name]))]),
    notes: [],
  };
}
