// When a trial's state is written and which of its checkpoints stay, and how it comes back; checkpoint.ts knows the
// files.
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
} from '../store/checkpoint.js';
import { restoreScheme, schemeState } from './scheme-state.js';
import type { Session } from './session.js';

/**
 * Sets the weights: new ones, or with everything else those of the newest checkpoint; and those of teachers.
 * @param before events of earlier attempts
 */
export function restore(session: Session, before: readonly TrialEvent[]): void {
  const { context, emit, step, parts, means, steps } = session;
  const found = restoreLatest(context.folder.checkpoints, step, (message) =>
    emit({ event: 'warning', message }),
  );
  if (found) {
    session.state = found.state;
    restoreScheme(parts.criterion, found.state.scheme, found.path);
    means.restore(found.state.losses);
  } else initialize(session);
  const teachers = step.teachers.map(({ teacher }) => teacher);
  loadTeachers(session.trial, teachers, context.sourceFolder);
  const { state } = session;
  const at = { epoch: state.epoch, step: state.step };
  steps.rewind(state.step);
  // A process may die between writing a checkpoint and saying so.
  if (found && !before.some((event) => event.event === 'checkpoint' && event.step === state.step))
    emit({ event: 'checkpoint', ...at, path: found.path });
  if (found || before.length > 0) emit({ event: 'resumed', ...at });
}

function initialize({ trial, emit, context, step: { weights } }: Session): void {
  weights.initialize(trial.seed);
  const array = (name: string) => weights.array(name);
  for (const started of loadStart(trial, weights.table, array, context.sourceFolder))
    emit({ event: 'pretrained', ...started });
}

/**
 * A checkpoint that training can do without for now: the next one may find room on the disk again.
 * @param seconds of the epoch under way
 */
export function trySave(session: Session, seconds = 0): void {
  try {
    save(session, seconds);
  } catch (error) {
    if (!MtcpError.is(error, 'io')) throw error;
    session.emit({
      event: 'warning',
      message: `no checkpoint after step ${session.state.step}: ${error.where ?? ''} ${error.message}; training goes on`,
    });
  }
}

export function save(session: Session, seconds = 0): void {
  const { trial, context, emit, parts, step, means, steps } = session;
  context.assertHeld?.();
  session.saved = performance.now();
  steps.flush();
  const state = {
    ...session.state,
    seconds: session.state.seconds + seconds,
    scheme: schemeState(parts.criterion),
    losses: means.state(),
  };
  const path = writeCheckpoint(context.folder.checkpoints, step, state);
  emit({ event: 'checkpoint', epoch: state.epoch, step: state.step, path });
  // Until the trial is done the newest one is needed whatever is kept in the end, and the one before it in case
  // the newest turns out to be damaged.
  if (trial.config.train.checkpoint.keep !== 'all') prune(session, 2);
}

/** Writes the weights of the best evaluation so far, if they are kept. */
export function saveBest(session: Session): void {
  const { best } = session.state;
  if (best && keepsBest(session)) writeBest(session.context.folder.checkpoints, session.step.weights, best);
}

/** Leaves of a finished trial what `train.checkpoint.keep` says. */
export function tidy(session: Session): void {
  const { keep } = session.trial.config.train.checkpoint;
  if (keep === 'none') pruneCheckpoints(session.context.folder.checkpoints, []);
  else if (keep !== 'all') prune(session, 1);
}

/** Removes all but the `count` newest checkpoints, and the best weights unless they are wanted. */
function prune(session: Session, count: number): void {
  const { checkpoints } = session.context.folder;
  const newest = checkpointsIn(checkpoints).slice(0, count);
  pruneCheckpoints(checkpoints, [...newest, ...(keepsBest(session) ? [bestIn(checkpoints)] : [])]);
}

/** Whether the weights of the best evaluation are kept, and so written when there is a better one. */
function keepsBest({ trial }: Session): boolean {
  const { train, evaluate } = trial.config;
  const { keep } = train.checkpoint;
  return keep === 'best' || keep === 'all' || (keep === 'last' && evaluate.selection.rule === 'best');
}
