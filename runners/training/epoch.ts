// Trains one epoch, from its beginning or from the step at which a trial was interrupted. Between two steps the trial
// may save a checkpoint or stop.
import { MtcpError } from '../../registry/errors.js';
import { randomStream } from '../../registry/random.js';
import { save, trySave } from './save.js';
import { Interrupted } from './interrupted.js';
import { noteMemory, type RunningTrial } from './running-trial.js';

/** @throws Interrupted after a checkpoint, if the trial was asked to stop */
export async function trainEpoch(running: RunningTrial): Promise<void> {
  const { trial, context, parts, loader, state, means, steps } = running;
  const { seed, config } = trial;
  const { optimizer, schedule } = parts;
  const { scheme } = parts.criterion;
  const { stepsPerEpoch } = loader;
  const { epoch } = state;
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const firstStep = state.stepInEpoch;
  let waited = 0;
  let rate = optimizer.rate;
  let asked = elapsed();
  const batches = ahead(loader.train(epoch, { from: firstStep, reuse: true }), (batch) =>
    running.step.stage(batch),
  );
  for await (const batch of batches) {
    waited += elapsed() - asked;
    const info = { epoch, step: state.step, random: randomStream(seed, 'scheme', state.step) };
    scheme.stepBegin?.(info);
    const result = await running.step
      .gradientsOf(batch, (name) => randomStream(seed, 'noise', state.step, name), info)
      .catch((error: unknown) => {
        throw atStep(error, epoch + 1, state.stepInEpoch + 1);
      });
    const progress = { epoch, epochs: config.train.epochs, step: state.step, stepsPerEpoch };
    rate = optimizer.rate * schedule.factor(progress);
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
    await running.step.apply(state.step, rate);
    if (running.average) {
      await running.step.pull();
      running.average.update(state.step);
    }
    means.add(result);
    noteMemory(running);
    const again = scheme.needs?.again ? await running.step.lossesAgain() : undefined;
    scheme.stepEnd?.({ ...info, rate, raw: result.raw, projected: result.projected, again });
    steps.add({ epoch: epoch + 1, step: state.step, rate, ...result });
    context.observe({
      event: 'step',
      epoch: epoch + 1,
      step: state.stepInEpoch,
      steps: stepsPerEpoch,
      objective: result.total,
      secondsPerStep: elapsed() / (state.stepInEpoch - firstStep),
    });
    if (state.stepInEpoch < stepsPerEpoch) {
      if (context.stopRequested()) {
        state.seconds += elapsed();
        await interrupt(running);
      }
      if (isDue(running)) {
        await running.step.pull();
        trySave(running, elapsed());
      }
    }
    asked = elapsed();
  }
  // Whatever comes now reads the weights: a checkpoint, the best weights, a mean.
  await running.step.pull();
  const seconds = elapsed();
  const { raw, projected, total, weights, cosines } = means.take();
  scheme.epochEnd?.({ epoch, raw, projected });
  steps.tryFlush();
  state.seconds += seconds;
  state.epoch++;
  state.stepInEpoch = 0;
  running.emit({
    event: 'epoch',
    epoch: state.epoch,
    step: state.step,
    rate,
    losses: raw,
    projected,
    objective: total,
    weights,
    cosines,
    seconds,
    waited,
  });
  if (context.stopRequested() && state.epoch < config.train.epochs) await interrupt(running);
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

async function interrupt(running: RunningTrial): Promise<never> {
  const { state, emit, log } = running;
  await running.step.pull();
  save(running);
  emit({ event: 'interrupted', epoch: state.epoch, step: state.step });
  log.flush();
  throw new Interrupted();
}

/** Whether a checkpoint inside the epoch is wanted: long epochs must not lose hours. */
function isDue({ trial, saved }: RunningTrial): boolean {
  const { minutes } = trial.config.train.checkpoint;
  return minutes !== null && performance.now() - saved >= minutes * 60_000;
}

function atStep(error: unknown, epoch: number, step: number): unknown {
  if (!MtcpError.is(error, 'numeric')) return error;
  const where = `epoch ${epoch}, step ${step}${error.where ? `, ${error.where}` : ''}`;
  return new MtcpError('numeric', error.message, { where, hint: error.hint, cause: error });
}
