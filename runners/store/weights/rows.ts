// A trial's `weights.rows`: which weights of another row go where. A single-task network goes into the encoder and
// the head of its task; a section of a network goes into the same section. As with a file, everything must match:
// each tensor of the source has a target, and a section that is filled is filled completely.
import { STARTED_PARTS, type TrialSpec } from '../../config/index.js';
import { isAdapter } from '../../../registry/contracts/adaptation.js';
import { MtcpError } from '../../../registry/errors.js';
import type { RunFolder } from '../ledger/run-folder.js';
import type { HostTensor } from '../../support/host-tensor.js';
import { mergedAdapters, withoutAdapters } from './adapters.js';
import {
  fitTensors,
  readFitted,
  requireFit,
  shapesOf,
  STARTS_AT_ZERO,
  type Fit,
  type Shapes,
  type Started,
} from './fit.js';
import { WeightsSource } from '../../support/weights-source.js';
import { wholeWeights } from '../checkpoint.js';
import { weightsIn } from './trial-folder.js';

const AUXILIARY = [/^auxiliary\./, 'belongs to an auxiliary loss'] as const;
const isAuxiliary = (name: string): boolean => AUXILIARY[0].test(name);

/**
 * @param part a task, or a part of the network
 * @param stored every parameter and buffer of the row's network
 * @param wanted every parameter and buffer of this network
 * @param tasks of this network
 */
export function fitRow(part: string, stored: Shapes, wanted: Shapes, tasks: readonly string[]): Fit {
  return (STARTED_PARTS as readonly string[]).includes(part)
    ? fitSection(part, withoutAdapters(stored), wanted, tasks)
    : fitTask(part, withoutAdapters(stored), wanted);
}

const mayLack = (name: string) => (isAdapter(name) ? STARTS_AT_ZERO : undefined);

/** Names stay as they are. Heads of tasks that this network does not have are left. */
function fitSection(part: string, stored: Shapes, wanted: Shapes, tasks: readonly string[]): Fit {
  const isInPart = (name: string) => (part === 'model' ? !isAuxiliary(name) : name.startsWith(`${part}.`));
  const inPart = (shapes: Shapes) => new Map([...shapes].filter(([name]) => isInPart(name)));
  const [own, theirs] = [inPart(wanted), inPart(stored)];
  const others = new RegExp(`^heads\\.(?!(${tasks.join('|')})\\.)`);
  return fitTensors(
    theirs,
    own,
    [[others, 'is the head of a task that this network does not have']],
    (name) => [name],
    mayLack,
  );
}

/** Below each section this network may have a part of the task's own: backbone.semseg.*, heads.semseg.* */
function fitTask(task: string, stored: Shapes, wanted: Shapes): Fit {
  const sectionOf = (name: string) => name.split('.')[0];
  const isOwn = (name: string) => !isAuxiliary(name) && name.split('.')[1] === task;
  const place = (name: string): string[] => {
    if (isOwn(name)) return [name];
    const [section, ...rest] = name.split('.');
    return [[section, task, ...rest].join('.')];
  };
  const filled = new Set([...stored.keys()].flatMap(place).filter((name) => wanted.has(name)));
  const sections = new Set([...filled].map(sectionOf));
  const mine = new Map([...wanted].filter(([name]) => isOwn(name) && sections.has(sectionOf(name))));
  const others = new RegExp(`^heads\\.(?!${task}\\.)`);
  return fitTensors(stored, mine, [[others, 'is the head of another task'], AUXILIARY], place, mayLack);
}

/**
 * Whether the rows that a trial starts from fit it.
 * @param shapes of a source's network
 * @throws MtcpError `weights` at the part that does not fit
 */
export function fitRows(
  trial: TrialSpec,
  shapes: (source: TrialSpec) => Shapes,
  wanted: Shapes,
): Map<string, Fit> {
  const tasks = Object.keys(trial.config.tasks);
  const taken = new Map<string, string>();
  const fits = new Map<string, Fit>();
  for (const [part, row] of Object.entries(trial.config.weights.rows)) {
    const place = { where: `row "${trial.row}", weights.rows.${part}`, option: part };
    const fit = fitRow(part, shapes(trial.sources[`weights.rows.${part}`]), wanted, tasks);
    inPart(place, () =>
      requireFit(fit, `row "${row}"`, place.where, 'the row must have the same blocks with the same options'),
    );
    if (fit.taken.size === 0)
      throw new MtcpError('weights', `nothing of row "${row}" has a place in "${part}" of this network`, {
        ...place,
        hint: `a task's own parameters are called backbone.${part}.* or heads.${part}.*; mtcp forward --list shows names`,
      });
    for (const name of fit.taken.keys()) {
      const other = taken.get(name);
      if (other !== undefined)
        throw new MtcpError('weights', `both "${other}" and "${part}" start ${name}`, place);
      taken.set(name, part);
    }
    fits.set(part, fit);
  }
  return fits;
}

/** The errors of `check`, with the part that they are about. */
function inPart(place: { where: string; option: string }, check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!MtcpError.is(cause)) throw cause;
    throw new MtcpError(cause.kind, cause.message, { ...place, hint: cause.hint, frame: cause.frame, cause });
  }
}

/** Fills arrays from the folders of the rows that the trial starts from, which are done. */
export function loadRows(
  trial: TrialSpec,
  folderOf: (source: TrialSpec) => RunFolder,
  wanted: Shapes,
  array: (name: string) => HostTensor['data'],
): Started[] {
  const opened = new Map<TrialSpec, WeightsSource>();
  const fileOf = (source: TrialSpec): WeightsSource => {
    let file = opened.get(source);
    if (!file) opened.set(source, (file = open(folderOf(source))));
    return file;
  };
  try {
    const fits = fitRows(trial, (source) => shapesOf(fileOf(source).tensors), wanted);
    return [...fits].map(([part, fit]) => {
      const source = trial.sources[`weights.rows.${part}`];
      const file = fileOf(source);
      return { source: file.path, ...readFitted(mergedAdapters(file, source.config.train.lora), fit, array) };
    });
  } finally {
    for (const file of opened.values()) file.close();
  }
}

/** Fills the networks that teach a trial from their folders. */
export function loadTeachers(
  trial: TrialSpec,
  teachers: readonly { row: string; load(source: WeightsSource): void }[],
  folderOf: (source: TrialSpec) => RunFolder,
): void {
  for (const teacher of teachers) {
    const source = Object.values(trial.sources).find(({ row }) => row === teacher.row)!;
    const file = open(folderOf(source));
    try {
      teacher.load(file);
    } finally {
      file.close();
    }
  }
}

const open = (folder: RunFolder): WeightsSource => new WeightsSource(wholeWeights(weightsIn(folder.path)));
