// One step of training and the end of an epoch, as every process does them that shares a trial: weights, optimizer and
// scheme change in the same way everywhere.
import { MtcpError } from '../../registry/errors.js';
import { randomStream } from '../../registry/random.js';
import type { TrialSpec } from '../config/index.js';
import type { TrainBatch } from '../data/batch.js';
import type { Loader } from '../data/loader.js';
import type { Assembly } from '../model/assemble.js';
import type { RunState } from '../store/checkpoint.js';
import type { WeightAverage } from './average.js';
import type { LossMeans, Means } from './loss-means.js';
import type { StepResult } from './step/step-result.js';
import type { TrainingStep } from './step/step.js';

/** A trial as far as its steps need it. */
export interface Stepping {
  readonly trial: TrialSpec;
  readonly parts: Assembly;
  readonly loader: Loader;
  readonly step: TrainingStep;
  /** The mean of the weights that is evaluated and kept instead of them (`train.ema`). */
  readonly average?: WeightAverage;
  /** Means of the current epoch. */
  readonly means: LossMeans;
  state: RunState;
}

/** The batches that are left of the epoch; while one is worked on, the next one is made and copied to the device. */
export const batchesOf = ({ loader, step, state }: Stepping): AsyncGenerator<TrainBatch, void, undefined> =>
  ahead(loader.train(state.epoch, { from: state.stepInEpoch, reuse: true }), (batch) => step.stage(batch));

/** @returns losses before the update, and the learning rate */
export async function takeStep(
  stepping: Stepping,
  batch: TrainBatch,
): Promise<{ result: StepResult; rate: number }> {
  const { trial, parts, loader, state, step, average, means } = stepping;
  const { seed, config } = trial;
  const { optimizer, schedule, criterion } = parts;
  const { scheme } = criterion;
  const { epoch } = state;
  const info = { epoch, step: state.step, random: randomStream(seed, 'scheme', state.step) };
  scheme.stepBegin?.(info);
  const result = await step
    .gradientsOf(batch, (name) => randomStream(seed, 'noise', state.step, name), info)
    .catch((error: unknown) => {
      throw atStep(error, epoch + 1, state.stepInEpoch + 1);
    });
  const { stepsPerEpoch } = loader;
  const progress = { epoch, epochs: config.train.epochs, step: state.step, stepsPerEpoch };
  const rate = optimizer.rate * schedule.factor(progress);
  if (!Number.isFinite(rate))
    throw atStep(
      new MtcpError(
        'component',
        `schedule "${config.schedule.type}" and optimizer "${config.optimizer.type}" make a learning rate of ${rate}`,
        { hint: 'factor of a schedule and rate of an optimizer must be finite numbers' },
      ),
      epoch + 1,
      state.stepInEpoch + 1,
    );
  state.step++;
  state.stepInEpoch++;
  await step.apply(state.step, rate);
  if (average) {
    await step.pull();
    average.update(state.step);
  }
  means.add(result);
  const again = scheme.needs?.again ? await step.lossesAgain() : undefined;
  scheme.stepEnd?.({ ...info, rate, raw: result.raw, projected: result.projected, again });
  return { result, rate };
}

/** @returns means over the epoch, which begins a new one */
export function endEpoch({ parts, means, state }: Stepping): Means {
  const taken = means.take();
  parts.criterion.scheme.epochEnd?.({ epoch: state.epoch, raw: taken.raw, projected: taken.projected });
  state.epoch++;
  state.stepInEpoch = 0;
  return taken;
}

/** The same batches; while one is worked on, the next one is fetched and handed to `stage`. */
export async function* ahead<T>(
  batches: AsyncGenerator<T, void, undefined>,
  stage: (batch: T) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const fetch = async () => {
    const result = await batches.next();
    if (!result.done) await stage(result.value);
    return result;
  };
  let next = fetch();
  try {
    for (;;) {
      const result = await next;
      if (result.done) return;
      next = fetch();
      // What goes wrong with it is reported when its turn comes.
      next.catch(() => {});
      yield result.value;
    }
  } finally {
    await next.catch(() => {});
    await batches.return();
  }
}

function atStep(error: unknown, epoch: number, step: number): unknown {
  if (!MtcpError.is(error, 'numeric')) return error;
  const where = `epoch ${epoch}, step ${step}${error.where ? `, ${error.where}` : ''}`;
  return new MtcpError('numeric', error.message, { where, hint: error.hint, cause: error });
}
