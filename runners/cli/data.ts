// mtcp data: making, building, checking and looking at data sets.
import { mkdirSync } from 'node:fs';
import { checkFolder, type Problem } from '../../modules/datasets/folders/check.js';
import { prepareNyud } from '../../modules/datasets/prepare/nyud.js';
import { preparePascal } from '../../modules/datasets/prepare/pascal.js';
import type { PreparedManifest } from '../../modules/datasets/prepare/target.js';
import { generateRooms } from '../../modules/datasets/rendered/rooms/generate.js';
import { generateScenes } from '../../modules/datasets/rendered/scenes/generate.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { showData } from '../app/show-data.js';
import { openExperiment } from '../config/open.js';
import { parseCount, parseSize, parseWhole } from './flags.js';
import { Progress } from './progress.js';

/** What each layout is filled with. */
const LAYOUTS: Readonly<Record<string, typeof generateRooms | typeof generateScenes>> = {
  nyud: generateRooms,
  pascal: generateScenes,
};

export interface SynthOptions {
  out: string;
  layout: string;
  train: string;
  val: string;
  size: string;
  seed: string;
  json?: boolean;
}

export async function synth({ out, layout, json, ...texts }: SynthOptions): Promise<void> {
  if (!Object.hasOwn(LAYOUTS, layout))
    throw new MtcpError('usage', `unknown layout "${layout}"`, {
      where: `argument "--layout ${layout}"`,
      hint: didYouMean(layout, Object.keys(LAYOUTS)),
    });
  const [train, val] = [parseCount(texts.train, '--train'), parseCount(texts.val, '--val')];
  const progress = progressOf(json);
  const manifest = await LAYOUTS[layout](
    out,
    {
      train,
      val,
      size: parseSize(texts.size, (n) => n >= 8, 'height x width, at least 8x8, such as 96x128'),
      seed: parseWhole(texts.seed, '--seed'),
    },
    progress.report,
  );
  progress.end();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ event: 'data', root: out, digest: manifest.digest, counts: { train, val } })}\n`,
    );
  else
    process.stdout.write(
      `${train} training and ${val} validation scenes in ${out} (digest ${manifest.digest})\n`,
    );
}

/** Progress as JSON lines on stdout, or as a line on stderr. */
function progressOf(json: boolean | undefined) {
  const progress = new Progress(process.stderr, Boolean(json));
  return {
    report: (done: number, total: number, what: string) => {
      if (json) process.stdout.write(`${JSON.stringify({ event: 'preparing', what, done, total })}\n`);
      else progress.state(`${what} ${done}/${total}`, done, total);
    },
    end: () => progress.clear(),
  };
}

export interface PrepareOptions {
  out: string;
  json?: boolean;
  /** nyud-v2 */
  from?: string;
  splits?: string;
  classes?: string;
  normals?: string;
  /** pascal-context */
  voc?: string;
  voc12?: string;
  context?: string;
  parts?: string;
  distilled?: string;
}

export async function prepare(benchmark: string, options: PrepareOptions): Promise<void> {
  const { out, json } = options;
  const progress = progressOf(json);
  const given = <K extends keyof PrepareOptions>(...names: K[]) =>
    Object.fromEntries(names.map((name) => [name, needed(name, options[name])])) as Record<K, string>;
  let manifest: PreparedManifest;
  if (benchmark === 'nyud-v2') {
    const { from, splits, classes } = given('from', 'splits', 'classes');
    const sources = { labeled: from, splits, classes, normals: options.normals };
    manifest = await prepareNyud(out, sources, progress.report);
  } else if (benchmark === 'pascal-context') {
    const sources = given('voc', 'context', 'parts');
    const { voc12, distilled } = options;
    manifest = await preparePascal(out, { ...sources, voc12, distilled }, progress.report);
  } else
    throw new MtcpError('usage', `unknown benchmark "${benchmark}"`, {
      where: `argument "${benchmark}"`,
      hint: didYouMean(benchmark, ['nyud-v2', 'pascal-context']),
    });
  progress.end();
  const files = Object.keys(manifest.files).length;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ event: 'prepared', root: out, files, notes: manifest.notes })}\n`,
    );
  else
    process.stdout.write(
      [`${files} files in ${out}, listed with their digests in prepared.json`, ...manifest.notes, ''].join(
        '\n',
      ),
    );
}

function needed(name: string, value: string | boolean | undefined): string {
  if (typeof value === 'string') return value;
  throw new MtcpError('usage', `--${name} is missing`, {
    where: 'mtcp data prepare',
    hint: 'mtcp data prepare --help lists the files of each benchmark',
  });
}

/** Problems shown; --json gives all. */
const SHOWN_PROBLEMS = 50;

export async function check(directory: string, { json }: { json?: boolean }): Promise<void> {
  const progress = progressOf(false);
  const { layout, counts, problems, warnings } = await checkFolder(directory, progress.report);
  progress.end();
  if (problems.length > 0) process.exitCode = 2;
  if (json) {
    process.stdout.write(`${JSON.stringify({ layout, counts, problems, warnings }, undefined, 1)}\n`);
    return;
  }
  const lines = [
    ...problems.map((problem) => text('', problem)),
    ...warnings.map((problem) => text('warning: ', problem)),
  ];
  process.stdout.write(lines.slice(0, SHOWN_PROBLEMS).join(''));
  if (lines.length > SHOWN_PROBLEMS)
    process.stdout.write(`... and ${lines.length - SHOWN_PROBLEMS} more (--json lists all)\n`);
  const found = [
    problems.length === 0 ? 'no problems' : `${problems.length} problems`,
    ...(warnings.length > 0 ? [`${warnings.length} warning${warnings.length > 1 ? 's' : ''}`] : []),
  ];
  process.stdout.write(
    `${layout}: ${counts.train} training and ${counts.val} validation images, ${found.join(', ')}\n`,
  );
}

const text = (kind: string, { file, message, hint }: Problem): string =>
  `${file}: ${kind}${message}\n${hint === undefined ? '' : `  ${hint}\n`}`;

export interface ShowCommandOptions {
  out: string;
  samples: string;
  draws: string;
  profile?: string;
  row?: string[];
  data?: string;
}

export async function show(
  file: string,
  overrides: string[],
  { out, samples, draws, profile, row: rows, data }: ShowCommandOptions,
): Promise<void> {
  const options = { samples: parseCount(samples, '--samples'), draws: parseCount(draws, '--draws') };
  const { trials } = openExperiment(file, { profile, rows, overrides, data });
  const progress = progressOf(false);
  mkdirSync(out, { recursive: true });
  const files = await showData(trials[0], out, options, progress.report);
  progress.end();
  process.stdout.write(files.map((name) => `${name}\n`).join(''));
}
