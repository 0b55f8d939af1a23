// When a trial's checkpoints are written, which of them are kept, and how a trial is restored. The files of a
// checkpoint are in store/checkpoint.ts.
import { MtcpError } from '../../registry/errors.js';
import type { TrialEvent } from '../store/ledger/events.js';
import { loadTeachers } from '../store/weights/rows.js';
import { loadStart } from '../store/weights/start.js';
import {
  bestIn,
  checkpointsIn,
  pruneCheckpoints,
  restoreLatest,
  writeBest,
  writeCheckpoint,
  type Stored,
} from '../store/checkpoint.js';
import { averaged } from './average.js';
import { restoreScheme, schemeState } from './scheme-state.js';
import type { RunningTrial } from './running-trial.js';

/**
 * Sets the weights: new ones, or with everything else those of the newest checkpoint; and those of teachers.
 * @param before events of earlier attempts
 */
export function restore(running: RunningTrial, before: readonly TrialEvent[]): void {
  const { context, emit, step, parts, means, steps } = running;
  const found = restoreLatest(context.folder.checkpoints, stored(running), (message) =>
    emit({ event: 'warning', message }),
  );
  if (found) {
    // A checkpoint has the mean in the place of the weights.
    running.average?.swap();
    running.state = found.state;
    restoreScheme(parts.criterion, found.state.scheme, found.path);
    means.restore(found.state.losses);
  } else {
    initialize(running);
    running.average?.start();
  }
  const teachers = step.teachers.map(({ teacher }) => teacher);
  loadTeachers(running.trial, teachers, context.sourceFolder);
  const { state } = running;
  const at = { epoch: state.epoch, step: state.step };
  const lost = steps.rewind(state.step);
  if (lost > 0)
    emit({ event: 'warning', message: `${steps.path}: ${lost} lines could not be read and are removed` });
  // A process may die between writing a checkpoint and saying so.
  if (found && !before.some((event) => event.event === 'checkpoint' && event.step === state.step))
    emit({ event: 'checkpoint', ...at, path: found.path });
  if (found || before.length > 0) emit({ event: 'resumed', ...at });
}

function initialize({ trial, emit, context, step: { weights } }: RunningTrial): void {
  weights.initialize(trial.seed);
  const array = (name: string) => weights.array(name);
  for (const started of loadStart(trial, weights.table, array, context.sourceFolder))
    emit({ event: 'pretrained', ...started });
}

/** What a checkpoint holds: weights, the optimizer's vectors, and the trained weights beside their mean. */
function stored({ step, average }: RunningTrial): Stored {
  return average ? { weights: step.weights, slots: { ...step.slots, trained: average } } : step;
}

/**
 * A checkpoint that training can do without for now: the next one may find room on the disk again.
 * @param seconds of the epoch under way
 */
export function trySave(running: RunningTrial, seconds = 0): void {
  try {
    save(running, seconds);
  } catch (error) {
    if (!MtcpError.is(error, 'io')) throw error;
    running.emit({
      event: 'warning',
      message: `no checkpoint after step ${running.state.step}: ${error.where ?? ''} ${error.message}; training goes on`,
    });
  }
}

export function save(running: RunningTrial, seconds = 0): void {
  const { trial, context, emit, parts, means, steps } = running;
  context.assertHeld?.();
  running.saved = performance.now();
  steps.flush();
  const state = {
    ...running.state,
    seconds: running.state.seconds + seconds,
    scheme: schemeState(parts.criterion),
    losses: means.state(),
  };
  const path = averaged(running.average, () =>
    writeCheckpoint(context.folder.checkpoints, stored(running), state),
  );
  emit({ event: 'checkpoint', epoch: state.epoch, step: state.step, path });
  // Until the trial is done the newest one is needed whatever is kept in the end, and the one before it in case
  // the newest turns out to be damaged.
  if (trial.config.train.checkpoint.keep !== 'all') prune(running, 2);
}

/** Writes the weights of the best evaluation so far, if they are kept. */
export function saveBest(running: RunningTrial): void {
  const { best } = running.state;
  if (best && keepsBest(running))
    averaged(running.average, () =>
      writeBest(running.context.folder.checkpoints, running.step.weights, best),
    );
}

/** Leaves of a finished trial what `train.checkpoint.keep` says. */
export function tidy(running: RunningTrial): void {
  const { keep } = running.trial.config.train.checkpoint;
  if (keep === 'none') pruneCheckpoints(running.context.folder.checkpoints, []);
  else if (keep !== 'all') prune(running, 1);
}

/** Removes all but the `count` newest checkpoints, and the best weights unless they are wanted. */
function prune(running: RunningTrial, count: number): void {
  const { checkpoints } = running.context.folder;
  const newest = checkpointsIn(checkpoints).slice(0, count);
  pruneCheckpoints(checkpoints, [...newest, ...(keepsBest(running) ? [bestIn(checkpoints)] : [])]);
}

/** Whether the weights of the best evaluation are kept, and so written when there is a better one. */
function keepsBest({ trial }: RunningTrial): boolean {
  const { train, evaluate } = trial.config;
  const { keep } = train.checkpoint;
  return keep === 'best' || keep === 'all' || (keep === 'last' && evaluate.selection.rule === 'best');
}
