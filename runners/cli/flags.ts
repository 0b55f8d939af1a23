// Flags that several commands share: their declarations, and how their text is read.
import type { Command } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import { MOST_THREADS, threadsHint } from '../config/limits.js';

/** For flags that may be given several times. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

// Spread into `.option(...)`.
/** Of mtcp itself, in front of a command. */
export const TRUST = [
  '--trust',
  'run the plugins of the experiment and trust their code from now on',
] as const;
export const PROFILE = [
  '--profile <name>',
  'embedded (default), full, smoke or another profile of the file',
] as const;
export const ROWS = ['--row <name>', 'only this row; may be given several times', collect] as const;
export const RUNS = ['--runs <dir>', 'folder of all runs', 'runs'] as const;
export const DATA = [
  '--data <dir>',
  'folder of the data set, for profiles that read one, such as full',
] as const;
export const PLUGINS = ['-f, --file <file>', 'experiment file whose plugins are included'] as const;
export const CHECKPOINT = [
  '--checkpoint <name>',
  'checkpoint to use; by default the one that the reported numbers belong to',
] as const;
export const JSON_DOCUMENT = ['--json', 'one JSON document'] as const;
export const DEVICES = [
  '--devices <n>',
  'engine xla: number of devices to divide each batch among, or all',
] as const;
export const QUIET = ['-q, --quiet', 'no progress'] as const;

export interface ExperimentOptions {
  whereItFits?: boolean;
  profile?: string;
  row?: string[];
  seeds?: string;
}

/** Arguments and options of the commands that read an experiment. */
export const experimentCommand = (command: Command, file = 'experiment file'): Command =>
  command
    .argument('<file>', file)
    .argument('[overrides...]', 'path=value, for example train.epochs=5')
    .option(...PROFILE)
    .option(...ROWS)
    .option('--where-it-fits', 'apply each override only to the rows that it fits')
    .option('--seeds <list>', "seeds to use instead of the file's, for example 0,1,2");

/** Of the commands that also look into the folder of runs. */
export interface RunsOptions extends ExperimentOptions {
  runs: string;
  json?: boolean;
}

export interface EngineOptions {
  engine?: string;
  threads?: string;
  devices?: string;
}

/** Options of the commands that compute. */
export const engineOptions = (command: Command): Command =>
  command
    .option('--engine <name>', 'onnx, xla, onnx:cuda, onnx:webgpu, tensorflow, wasm or cpu')
    .option('--threads <n>', 'threads of the engine; one per core if left out')
    .option(...DEVICES);

/** What the options of `experimentCommand` and the overrides ask `openExperiment` for. */
export const choiceOf = ({ profile, row, seeds, whereItFits }: ExperimentOptions, overrides: string[]) => ({
  profile,
  whereItFits,
  rows: row,
  seeds: parseSeeds(seeds),
  overrides,
});

// All of these throw an MtcpError `usage` that names the flag.

/** The whole number that this text is; undefined if it is none, or one that a JavaScript number cannot hold exactly. */
function wholeOf(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isSafeInteger(value) ? value : undefined;
}

export function parseWhole(text: string, flag: string): number {
  const value = wholeOf(text);
  if (value !== undefined) return value;
  throw new MtcpError('usage', `"${text}" is not a whole number up to 2^53`, {
    where: `argument "${flag} ${text}"`,
  });
}

export function parseCount(text: string, flag: string): number {
  const count = wholeOf(text);
  if (count !== undefined && count > 0) return count;
  throw new MtcpError('usage', `"${text}" is not a positive whole number`, {
    where: `argument "${flag} ${text}"`,
  });
}

/** @throws MtcpError `usage` at more threads than this machine bears, whatever the command */
export function parseThreads(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const threads = parseCount(text, '--threads');
  if (threads <= MOST_THREADS) return threads;
  throw new MtcpError('usage', `${threads} threads are too many`, {
    where: `argument "--threads ${text}"`,
    hint: threadsHint(),
  });
}

/** Of --devices, how many a batch is divided among. */
export function parseDevices(text: string | undefined): number | 'all' | undefined {
  if (text === undefined || text === 'all') return text;
  const count = wholeOf(text);
  if (count !== undefined && count > 0) return count;
  throw new MtcpError('usage', `"${text}" is neither a positive whole number nor all`, {
    where: `argument "--devices ${text}"`,
  });
}

export function parseSeeds(text: string | undefined): number[] | undefined {
  return text?.split(',').map((part) => {
    const seed = wholeOf(part);
    if (seed !== undefined && seed >= 0) return seed;
    throw new MtcpError('usage', `"${part}" is not a seed`, {
      where: `argument "--seeds ${text}"`,
      hint: 'whole numbers up to 2^53 separated by commas, such as 0,1,2',
    });
  });
}

/** Height and width of "HxW". */
export function parseSize(text: string, fits: (n: number) => boolean, hint: string): [number, number] {
  const size = /^(\d+)x(\d+)$/.exec(text)?.slice(1).map(Number);
  if (size?.every(fits)) return size as [number, number];
  throw new MtcpError('usage', `"${text}" is not a size`, { where: `argument "--size ${text}"`, hint });
}

/** Of --size where a network takes images: multiples of 32, or the image's own size. */
export function sizeOfInput(text: string | undefined): [number, number] | 'native' | undefined {
  if (text === undefined || text === 'native') return text;
  return parseSize(
    text,
    (n) => n > 0 && n % 32 === 0,
    'height x width in multiples of 32, such as 480x640, or native',
  );
}
