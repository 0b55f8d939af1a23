// Trains one epoch, from its beginning or from the step at which a trial was interrupted. Between two steps the trial
// may save a checkpoint or stop.
import { requireAgreement, tellStep } from './processes/lead.js';
import { save, trySave } from './save.js';
import { Interrupted } from './interrupted.js';
import { noteMemory, type RunningTrial } from './running-trial.js';
import { batchesOf, endEpoch, takeStep } from './take-step.js';

/** @throws Interrupted after a checkpoint, if the trial was asked to stop */
export async function trainEpoch(running: RunningTrial): Promise<void> {
  const { trial, context, loader, state, steps } = running;
  const { config } = trial;
  const { stepsPerEpoch } = loader;
  const { epoch } = state;
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const firstStep = state.stepInEpoch;
  let waited = 0;
  let rate = running.parts.optimizer.rate;
  let asked = elapsed();
  for await (const batch of batchesOf(running)) {
    waited += elapsed() - asked;
    tellStep(running);
    const taken = await takeStep(running, batch);
    const { result } = taken;
    ({ rate } = taken);
    noteMemory(running);
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
        await requireAgreement(running);
        trySave(running, elapsed());
      }
    }
    asked = elapsed();
  }
  // Whatever comes now reads the weights: a checkpoint, the best weights, a mean.
  await running.step.pull();
  await requireAgreement(running);
  const seconds = elapsed();
  const { raw, projected, total, weights, cosines } = endEpoch(running);
  steps.tryFlush();
  state.seconds += seconds;
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

async function interrupt(running: RunningTrial): Promise<never> {
  const { state, emit, log } = running;
  await running.step.pull();
  await requireAgreement(running);
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
