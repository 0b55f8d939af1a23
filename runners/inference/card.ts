// The card of an exported model: all that a program without mtcp has to know to do what `mtcp predict` does, as data. How a
// picture becomes the model's input, how its outputs become maps of the picture's size, and how maps are coloured.
//
// Pipelines and kinds of tasks are code, of plugins too. The card is found by showing them examples and comparing what they
// do with the few rules that the card can say; what follows none of them is refused rather than described wrongly.
import { UNKNOWN, css } from '../../modules/tasks/machinery/colours.js';
import { resize } from '../../modules/support/warp.js';
import type { MapData, Transform } from '../../registry/contracts/data.js';
import type { Colour, Range, TaskKind } from '../../registry/contracts/task-kind.js';
import { IGNORE, type Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { kindOf } from '../../registry/kinds.js';
import { randomStream } from '../../registry/random.js';
import { ONE_SIZE, type OnnxModel } from './export.js';

export interface ModelCard {
  format: 1;
  trial: { experiment: string; row: string; seed: number; hash: string };
  input: InputCard;
  tasks: TaskCard[];
}

export interface InputCard {
  height: number;
  width: number;
  /** Why they are fixed. */
  fixed: string;
  /** `stretch`: resized to the input, by cubic interpolation; `pad`: put into its centre as it is. */
  fit: 'stretch' | 'pad';
  /** Where cubic interpolation leaves 0..255: `clip`, or `wrap` around as bytes do. */
  overshoot: 'clip' | 'wrap';
  /** RGB, 0..255, around a padded picture. */
  padding: number[];
}

export interface TaskCard {
  name: string;
  kind: string;
  /** 'metres along the optical axis' */
  meaning: string;
  unit: string | null;
  /** By class index. */
  classes: string[] | null;
  /** Numbers at each pixel. */
  channels: number;
  /** To the picture's size. */
  resampling: 'nearest' | 'linear';
  /** Vectors are divided by their length after resizing. */
  unitLength: boolean;
  colours: ColourCard | null;
}

/** Hex colours; null if the kind's pictures follow none of these rules. */
export type ColourCard =
  | { by: 'class'; table: string[]; unknown: string }
  /** `table` runs from the low to the high end of the range: 0..1, that of all values, or that of those above 0. */
  | { by: 'value'; table: string[]; unknown: string; range: 'unit' | 'all' | 'positive' }
  /** matrix * vector + offset, 0..255 */
  | { by: 'vector'; matrix: number[][]; offset: number[]; unknown: string };

/** @throws MtcpError `config` if the input pipeline or a kind of task does what a card cannot say */
export function cardOf({ trial, tasks, transform, colours }: OnnxModel): ModelCard {
  const { experiment, row, seed, hash } = trial;
  return {
    format: 1,
    trial: { experiment, row, seed, hash },
    input: inputOf(transform, colours),
    tasks: tasks.map(taskOf),
  };
}

/** Compares what the pipeline makes of a noisy picture with what the card says. */
function inputOf(transform: Transform, { scale, offset }: OnnxModel['colours']): InputCard {
  const [height, width] = transform.size;
  const padding = scale.map((factor, c) => (factor === 0 ? 0 : -offset[c] / factor));
  const fit = transform.fit === 'pad' ? 'pad' : 'stretch';
  const size = fit === 'pad' ? { height: height - 3, width: width - 2 } : { height: 37, width: 53 };
  const image = noise(Math.max(1, size.height), Math.max(1, size.width));
  const got = transform.evaluate({ id: 'noise', image, labels: {} }).image.data;
  for (const overshoot of ['clip', 'wrap'] as const) {
    const bytes =
      fit === 'pad' ? padded(image, height, width, padding) : stretched(image, height, width, overshoot);
    if (bytes.every((value, i) => Math.abs(value * scale[i % 3] + offset[i % 3] - got[i]) < 1e-3))
      return { height, width, fixed: ONE_SIZE, fit, overshoot, padding };
  }
  throw new MtcpError('config', 'the input pipeline does something else than resizing or padding pictures', {
    hint: '`mtcp export --format onnx` writes the network alone, which takes what the pipeline makes',
  });
}

/** Black and white, so that cubic interpolation leaves 0..255. */
function noise(height: number, width: number): MapData & { data: Uint8Array } {
  const random = randomStream('model card');
  const data = Uint8Array.from({ length: height * width * 3 }, () => (random.uniform() < 0.5 ? 0 : 255));
  return { height, width, channels: 3, data };
}

function stretched(image: MapData, height: number, width: number, overshoot: 'clip' | 'wrap'): Float32Array {
  const { data } = resize(image, height, width, 'cubic');
  const cut = (value: number) => (overshoot === 'wrap' ? value & 255 : Math.max(0, Math.min(255, value)));
  return Float32Array.from(data, (value) => cut(Math.trunc(value)));
}

function padded(image: MapData, height: number, width: number, padding: readonly number[]): Float32Array {
  const out = Float32Array.from({ length: height * width * 3 }, (_, i) => padding[i % 3]);
  const [top, left] = [(height - image.height) >> 1, (width - image.width) >> 1];
  for (let y = 0; y < image.height; y++)
    out.set(
      image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width),
      3 * ((top + y) * width + left),
    );
  return out;
}

function taskOf(task: Task): TaskCard {
  const kind = kindOf(task);
  const { meaning, resampling } = kind;
  const channels = kind.batch === 'indices' ? 1 : kind.labelChannels(task);
  return {
    name: task.name,
    kind: task.kind,
    meaning,
    unit: task.unit ?? null,
    classes: task.classes ? [...task.classes] : null,
    channels,
    resampling,
    unitLength: settlesToUnitLength(kind, task),
    colours: colourCard(kind, task, channels),
  };
}

/** @throws MtcpError `config` if interpolation is followed by something else than unit length */
function settlesToUnitLength(kind: TaskKind, task: Task): boolean {
  if (!kind.settle) return false;
  const settled = kind.settle(Float32Array.of(3, 0, 4, 0, 0, 0, 0, -2, 0));
  if ([0.6, 0, 0.8, 0, 0, 0, 0, -1, 0].every((value, i) => Math.abs(value - settled[i]) < 1e-5)) return true;
  throw new MtcpError(
    'config',
    `what "${task.kind}" does to values after resizing cannot be said in a file`,
    {
      where: `task "${task.name}"`,
      hint: '`mtcp export --format onnx` writes the network alone',
    },
  );
}

/** Colours of a scale. */
const STEPS = 256;

function colourCard(kind: TaskKind, task: Task, channels: number): ColourCard | null {
  const unknown = css(UNKNOWN);
  const colour = (values: readonly number[], range: Range = [0, 1]): Colour =>
    kind.colour(Float32Array.from(values), 0, range, channels);
  if (kind.batch === 'indices')
    return {
      by: 'class',
      table: Array.from({ length: Math.min(task.channels, IGNORE) }, (_, index) => css(colour([index]))),
      unknown,
    };
  const one = (value: number, rest = 0) =>
    Array.from({ length: channels }, (_, c) => (c === 0 ? value : rest));
  const range = rangeCard(kind, channels);
  const like = (a: Colour, b: Colour) => a.every((value, k) => Math.abs(value - b[k]) < 1e-3);
  // A scale: the first value alone, by where it lies in the range.
  if (
    range &&
    [0.2, 0.7].every(
      (share) =>
        like(colour(one(share)), colour(one(share, 0.9))) &&
        (range === 'unit' || like(colour(one(share)), colour(one(2 + share * 8), [2, 10]))),
    )
  )
    return {
      by: 'value',
      table: Array.from({ length: STEPS }, (_, i) => css(colour(one(i / (STEPS - 1))))),
      unknown,
      range,
    };
  if (channels !== 3) return null;
  const offset = colour([0, 0, 0]);
  const columns = [0, 1, 2].map((c) =>
    colour([0, 1, 2].map((k) => (k === c ? 1 : 0))).map((v, k) => v - offset[k]),
  );
  const matrix = [0, 1, 2].map((k) => columns.map((column) => column[k]));
  const linear = (v: readonly number[]) =>
    matrix.map((row, k) => row.reduce((sum, m, c) => sum + m * v[c], offset[k])) as unknown as Colour;
  const random = randomStream('colours of vectors');
  const vectors = Array.from({ length: 8 }, () => [0, 1, 2].map(() => 2 * random.uniform() - 1));
  return vectors.every((v) => like(colour(v), linear(v)))
    ? { by: 'vector', matrix, offset: [...offset], unknown }
    : null;
}

/** Which values the ends of the colour scale are taken from; undefined if it follows none of the rules. */
function rangeCard(kind: TaskKind, channels: number): 'unit' | 'all' | 'positive' | undefined {
  if (!kind.range) return 'unit';
  const values = [-1, 2, 5].flatMap((value) => Array.from({ length: channels }, () => value));
  const map = { height: 1, width: 3, channels, data: Float32Array.from(values) };
  return ({ '-1,5': 'all', '2,5': 'positive' } as const)[kind.range([map]).join()];
}
