// Assigns the tensors of a file to parameters. Everything must match: missing tensors, superfluous tensors and
// different shapes are reported by name, and then nothing is loaded.
import { isAdapter } from '../../../registry/contracts/adaptation.js';
import type { CheckpointFormat } from '../../../registry/contracts/checkpoints.js';
import { MtcpError } from '../../../registry/errors.js';
import { nearestNames } from '../../../registry/support/near.js';
import type { HostTensor } from '../../support/host-tensor.js';
import type { TensorFile } from '../../support/tensor-file.js';

export type Shapes = ReadonlyMap<string, readonly number[]>;

export interface Fit {
  /** Parameter or buffer to the name of its tensor in the file. */
  readonly taken: ReadonlyMap<string, string>;
  readonly renamed: readonly { from: string; to: string }[];
  readonly skipped: readonly { name: string; reason: string }[];
  /** What the file may lack and does. */
  readonly fresh: readonly { name: string; reason: string }[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly { name: string; shape: readonly number[]; wanted: readonly number[] }[];
}

/** What was loaded into a trial before its first step. */
export interface Started {
  source: string;
  tensors: number;
  parameters: number;
}

/** Why a file need not have a low-rank update of the network's own (train.lora). */
export const STARTS_AT_ZERO = 'a low-rank update, which starts at zero';

/** Tensors of PyTorch modules that hold no weights. */
const COUNTERS: CheckpointFormat['skips'][number] = [
  /\.num_batches_tracked$/,
  'counts steps, which nothing here needs',
];

const SECTION = 'backbone.';

export function renamed(name: string, format: CheckpointFormat | undefined): string {
  return (format?.renames ?? []).reduce((left, [pattern, to]) => left.replace(pattern, to), name);
}

/**
 * A file of a whole model: its names are ours, but for what the backbone's format renames.
 * @param wanted every parameter and buffer of the model
 */
export function fitModel(stored: Shapes, wanted: Shapes, format: CheckpointFormat | undefined): Fit {
  return fitTensors(stored, wanted, [], (name) =>
    name.startsWith(SECTION) ? [SECTION + renamed(name.slice(SECTION.length), format)] : [name],
  );
}

/**
 * A file for the backbone alone: as others publish it, as `mtcp weights import` writes it, or the backbone's part of
 * a whole model's file.
 * @param wanted as in `fitModel`; what is not the backbone's is left alone
 * @param tasks a backbone with an encoder for each task gets the same weights in each
 */
export function fitBackbone(
  stored: Shapes,
  wanted: Shapes,
  format: CheckpointFormat | undefined,
  tasks: readonly string[],
): Fit {
  const own = new Map([...wanted].filter(([name]) => name.startsWith(SECTION)));
  const perTask = tasks.map((task) => `${SECTION}${task}.`);
  const isPerTask =
    own.size > 0 && [...own.keys()].every((name) => perTask.some((prefix) => name.startsWith(prefix)));
  const prefixes = isPerTask ? perTask : [SECTION];
  const isWhole = [...stored.keys()].some((name) => name.startsWith(SECTION));
  const others: CheckpointFormat['skips'] = isWhole
    ? [[/^(?!backbone\.)/, 'is not part of the backbone']]
    : [];
  const skips = [...others, ...(format?.skips ?? [])];
  const mayLack = (name: string) => {
    if (isAdapter(name)) return STARTS_AT_ZERO;
    const prefix = prefixes.find((each) => name.startsWith(each)) ?? '';
    return format?.fresh?.find(([pattern]) => pattern.test(name.slice(prefix.length)))?.[1];
  };
  const place = (name: string) => {
    const local = renamed(isWhole && name.startsWith(SECTION) ? name.slice(SECTION.length) : name, format);
    // The backbone's part of such a model has its tasks in its names already.
    if (isWhole && isPerTask) return [SECTION + local];
    return prefixes.map((prefix) => prefix + local);
  };
  return fitTensors(stored, own, skips, place, mayLack);
}

/** Axes of length 1 do not matter: the numbers are the same in the same order. */
const extents = (shape: readonly number[]): string => shape.filter((n) => n !== 1).join();

/**
 * Assigns each stored tensor to one or more parameters.
 * @param skips stored tensors that need no counterpart
 * @param place the parameters that a stored tensor may fill
 * @param mayLack why the file need not have a wanted tensor, if it need not
 */
export function fitTensors(
  stored: Shapes,
  wanted: Shapes,
  skips: CheckpointFormat['skips'],
  place: (name: string) => string[],
  mayLack: (name: string) => string | undefined = () => undefined,
): Fit {
  const taken = new Map<string, string>();
  const changed: { from: string; to: string }[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const unexpected: string[] = [];
  const misshapen: { name: string; shape: readonly number[]; wanted: readonly number[] }[] = [];
  for (const [name, shape] of stored) {
    const places = place(name);
    const known = places.filter((target) => wanted.has(target));
    if (known.length === 0) {
      const bare = places[0].startsWith(SECTION) ? places[0].slice(SECTION.length) : places[0];
      const skip = [COUNTERS, ...skips].find(([pattern]) => pattern.test(bare) || pattern.test(name));
      if (skip) skipped.push({ name, reason: skip[1] });
      else unexpected.push(name);
      continue;
    }
    for (const target of known) {
      const expected = wanted.get(target)!;
      if (taken.has(target)) unexpected.push(name);
      else if (extents(expected) !== extents(shape)) misshapen.push({ name, shape, wanted: expected });
      taken.set(target, name);
    }
    if (!known[0].endsWith(name)) changed.push({ from: name, to: known[0] });
  }
  const lacking = [...wanted.keys()].filter((name) => !taken.has(name));
  const reasons = lacking.map(mayLack);
  return {
    taken,
    renamed: changed,
    skipped,
    fresh: lacking.flatMap((name, i) => {
      const reason = reasons[i];
      return reason === undefined ? [] : { name, reason };
    }),
    missing: lacking.filter((_, i) => reasons[i] === undefined),
    unexpected,
    misshapen,
  };
}

export const shapesOf = (tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>): Shapes =>
  new Map([...tensors].map(([name, { shape }]) => [name, shape]));

const OPTIONS = 'set the options of model.backbone to those that `mtcp weights import` reports for the file';

/** Names listed in a message; the rest is counted. */
const LISTED = 6;

/** @throws MtcpError `weights` with everything that does not fit */
export function requireFit(fit: Fit, source: string, where?: string, advice = OPTIONS): void {
  const { missing, unexpected, misshapen } = fit;
  if (missing.length + unexpected.length + misshapen.length === 0) return;
  const lines = [
    ...list('missing in the file', missing, (name) => {
      const [near] = nearestNames(name, unexpected, 1);
      return near ? `${name} (the file has ${near})` : name;
    }),
    ...list('unexpected in the file', unexpected, (name) => name),
    ...list(
      'of another shape',
      misshapen,
      ({ name, shape, wanted }) =>
        `${name} is ${shape.join('x') || 'a number'}, the model wants ${wanted.join('x') || 'a number'}`,
    ),
  ];
  throw new MtcpError(
    'weights',
    `${source} does not fit the model; nothing was loaded\n${lines.join('\n')}`,
    {
      where,
      hint:
        fit.taken.size === 0 ? 'no name of the file is known here: is it a file of this backbone?' : advice,
    },
  );
}

function list<T>(title: string, items: readonly T[], text: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, LISTED).map((item) => `    ${text(item)}`);
  const rest = items.length > LISTED ? [`    and ${items.length - LISTED} more`] : [];
  return [`  ${title} (${items.length}):`, ...shown, ...rest];
}

/** Reads what was matched straight into the model's arrays. */
export function readFitted(
  source: Pick<TensorFile, 'readInto'>,
  fit: Fit,
  array: (name: string) => HostTensor['data'],
): { tensors: number; parameters: number } {
  let parameters = 0;
  for (const [name, stored] of fit.taken) {
    const target = array(name);
    source.readInto(stored, target);
    parameters += target.length;
  }
  return { tensors: fit.taken.size, parameters };
}
