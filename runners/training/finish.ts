// The end of a trial: the last evaluation, pictures of predictions, and the result file, which marks the trial as
// done.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetInfo } from '../../registry/contracts/data.js';
import type { TrialResult } from '../store/ledger/run-folder.js';
import { messageOf, MtcpError } from '../../registry/errors.js';
import { writeImageScores } from '../store/images.js';
import { assess, evaluateOn } from './assess.js';
import type { Predicted } from './evaluation.js';
import { rungAt } from './halving.js';
import { writePredictions, type PredictedSample } from './pictures.js';
import { writeFailures } from './failures.js';
import { Confusion } from './confusion.js';
import { ImageScoring } from './image-scores.js';
import { classWeightsOf } from '../model/class-counts.js';
import { save, tidy } from './save.js';
import type { RunningTrial } from './running-trial.js';

/** Images shown in predictions.png. */
const SHOWN = 4;
/** Of each task, the worst and the best shown in failures.png. */
const EXTREMES = 3;
/** What the last evaluation leaves. */
const LEFT = ['predictions.png', 'failures.png', 'images.json'];

export async function finish(running: RunningTrial): Promise<TrialResult> {
  const { context, emit, log, parts, state } = running;
  const { folder } = context;
  const shown: PredictedSample[] = [];
  let images: ImageScoring | undefined = new ImageScoring(parts.tasks, parts.metrics, EXTREMES);
  const confusion = new Confusion(parts.tasks);
  const scoreless = (error: unknown) => {
    // A metric may be at a loss with a single image; that of the split is what counts.
    images = undefined;
    emit({ event: 'warning', message: `no metrics of single images: ${messageOf(error)}` });
  };
  const see = async (predicted: Predicted) => {
    confusion.add(predicted);
    await images?.add(predicted).catch(scoreless);
    const { sample, predictions } = predicted;
    // Predictions are views into the program's outputs; copies outlive the next batch.
    if (shown.length < SHOWN) shown.push({ sample, predictions: structuredClone(predictions) });
  };
  // A process that died after this checkpoint left only the rest to do.
  if (state.last?.epoch !== state.epoch) {
    await assess(running, see);
    save(running);
  } else if (!LEFT.every((name) => existsSync(join(folder.path, name))))
    await evaluateOn(running, 'val', see);
  await images?.complete().catch(scoreless);
  await writePredictions(folder.path, shown, parts.tasks).catch((error: Error) =>
    emit({ event: 'warning', message: `no pictures of predictions: ${error.message}` }),
  );
  await writeFailures(folder.path, images?.extremes() ?? []).catch((error: Error) =>
    emit({ event: 'warning', message: `no pictures of the worst images: ${error.message}` }),
  );
  await confusion
    .write(folder.path)
    .catch((error: Error) =>
      emit({ event: 'warning', message: `no picture of confusions: ${error.message}` }),
    );
  if (images) tryScores(running, images);
  const result = resultOf(running);
  emit({ event: 'finished', epoch: state.epoch, seconds: state.seconds });
  log.flush();
  // From here on the trial is done: everything else that says so has been written before.
  folder.finish(result);
  tidy(running);
  return result;
}

/** Without them the trial is done all the same. */
function tryScores({ context, emit, state }: RunningTrial, images: ImageScoring): void {
  const scores = images.scores(state.epoch);
  if (scores.images.length === 0) return;
  try {
    writeImageScores(context.folder.path, scores);
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    emit({ event: 'warning', message: `no metrics of single images: ${error.message}` });
  }
}

function resultOf(running: RunningTrial): TrialResult {
  const { trial, context, state, trained, memory, evaluation } = running;
  const { config, row, seed, hash } = trial;
  const { best, epoch, step, seconds } = state;
  const last = state.last!;
  const rung = rungAt(running, epoch);
  const { rule, split, metric } = config.evaluate.selection;
  const classWeights = classWeightsOf(running.parts);
  const chosen = rule === 'best' && best ? best : last;
  return {
    row,
    seed,
    hash,
    metrics: chosen.metrics,
    ...(chosen.absent && { absent: chosen.absent }),
    selected: { rule: chosen === best ? rule : 'last', split, metric, epoch: chosen.epoch },
    last: last.metrics,
    best: best && { epoch: best.epoch, metrics: best.metrics },
    ...(rung && { halved: { epoch, ...rung } }),
    parameters: trained,
    epochs: epoch,
    steps: step,
    seconds,
    memory,
    flops: evaluation.program.stats.flops / config.evaluate.batch,
    data: about(context.data),
    ...(Object.keys(classWeights).length > 0 && { classWeights }),
    engine: context.engine.description,
  };
}

export const about = ({ caption, digest, notes }: DatasetInfo) => ({ caption, digest, notes });
