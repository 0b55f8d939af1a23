// Trains and evaluates one trial, from wherever its folder says it is:
//
//   network -> programs -> weights (new, or of the last checkpoint)
//   each epoch: steps, scheme update, perhaps evaluation, checkpoint
//   at the end: evaluation, pictures, result
//
// What it does is appended to the folder's events; `observe` sees the same, plus progress inside an epoch.
import { join } from 'node:path';
import type { DatasetInfo } from '../../registry/contracts/data.js';
import { MtcpError } from '../../registry/errors.js';
import { randomStream } from '../../registry/random.js';
import { writeResolved, type Trial } from '../config/index.js';
import type { Loader } from '../data/loader.js';
import type { Engine } from '../engine/engine.js';
import { sizeOf } from '../engine/graph/ir.js';
import { EventLog, type TrialEvent } from '../ledger/events.js';
import { writeWhole } from '../ledger/files.js';
import type { RunFolder, TrialResult } from '../ledger/run-folder.js';
import {
  latestCheckpoint,
  pruneCheckpoints,
  readCheckpoint,
  writeCheckpoint,
  type RunState,
} from './checkpoint.js';
import { Evaluation, type Predicted } from './evaluation.js';
import { LossMeans } from './loss-means.js';
import { loaderOf, partsOf, primaryOf, type TrialParts } from './parts.js';
import { writePredictions } from './pictures.js';
import { TrainingStep } from './step.js';

export type Observed =
  | TrialEvent
  | { event: 'phase'; what: string }
  | { event: 'step'; epoch: number; step: number; steps: number; objective: number; secondsPerStep: number };

export interface TrialContext {
  engine: Engine;
  folder: RunFolder;
  /** What the data set said when it was prepared. */
  data: DatasetInfo;
  observe(event: Observed): void;
  /** Asked between steps: true makes the trial save where it is and stop. */
  stopRequested(): boolean;
}

/** Thrown when the trial stopped because it was asked to; its checkpoint is whole. */
export class Interrupted extends Error {}

/** Images shown in predictions.png. */
const SHOWN = 4;

export async function runTrial(trial: Trial, context: TrialContext): Promise<TrialResult> {
  const release = context.folder.lock();
  const log = new EventLog(context.folder.events);
  const emit = (event: TrialEvent) => {
    log.append(event);
    context.observe(event);
  };
  let run: TrialRun | undefined;
  try {
    run = new TrialRun(trial, context, emit);
    return await run.execute();
  } catch (error) {
    if (!(error instanceof Interrupted)) reportFailure(error, emit);
    throw error;
  } finally {
    await run?.close();
    release();
  }
}

/** The failure itself must not be lost because it cannot be written down, as on a full disk. */
function reportFailure(error: unknown, emit: (event: TrialEvent) => void): void {
  const message = MtcpError.is(error) ? error.format() : String((error as Error).stack ?? error);
  try {
    emit({ event: 'failed', message });
  } catch {
    // The caller gets the error in any case.
  }
}

class TrialRun {
  readonly #parts: TrialParts;
  readonly #loader: Loader;
  readonly #means = new LossMeans();
  #step!: TrainingStep;
  #evaluation!: Evaluation;
  #state: RunState = {
    epoch: 0,
    stepInEpoch: 0,
    step: 0,
    scheme: null,
    losses: null,
    seconds: 0,
    best: null,
  };
  /** Numbers in the parameters that receive a gradient. */
  #trained = 0;

  constructor(
    readonly trial: Trial,
    readonly context: TrialContext,
    readonly emit: (event: TrialEvent) => void,
  ) {
    this.#parts = partsOf(trial);
    this.#loader = loaderOf(trial, this.#parts.tasks);
  }

  async execute(): Promise<TrialResult> {
    const { config, hash, row, seed } = this.trial;
    const { folder, data, observe } = this.context;
    writeWhole(join(folder.path, 'resolved.yaml'), writeResolved(this.trial));
    this.emit({ event: 'started', row, seed, hash, data: about(data) });
    await this.#loader.prepare(() => {});
    observe({ event: 'phase', what: 'recording the training step' });
    await this.#compile();
    this.#restore();

    while (this.#state.epoch < config.train.epochs) {
      await this.#trainEpoch();
      const { epoch } = this.#state;
      if (epoch === config.train.epochs) break;
      if (config.evaluate.every !== null && epoch % config.evaluate.every === 0) await this.#evaluate();
      if (epoch % config.train.checkpoint.every === 0) this.#checkpoint();
    }
    return this.#finish();
  }

  async #compile(): Promise<void> {
    const { engine } = this.context;
    const { train, evaluate } = this.trial.config;
    const { network, optimizer, metrics, criterion } = this.#parts;
    const { size } = this.#loader;
    this.#step = await TrainingStep.compile(engine, network, criterion, optimizer, {
      batch: train.batch,
      size,
      clip: train.clip,
    });
    this.#evaluation = await Evaluation.compile(engine, network, metrics, evaluate, size, this.#step.weights);
    const programs = {
      gradient: this.#step.gradientProgram,
      update: this.#step.updateProgram,
      evaluation: this.#evaluation.program,
    };
    for (const [program, { stats }] of Object.entries(programs))
      this.emit({ event: 'compiled', program, ...stats });

    const { table, trained } = this.#step.weights;
    const count = (names: Iterable<string>) =>
      [...names].reduce((sum, name) => sum + sizeOf(table.parameters.get(name)!.shape), 0);
    this.#trained = count(trained.views.keys());
    const parameters = count(table.parameters.keys());
    this.emit({
      event: 'model',
      parameters,
      trained: this.#trained,
      stepsPerEpoch: this.#loader.stepsPerEpoch,
    });
  }

  /** New weights, or those of the newest checkpoint. */
  #restore(): void {
    const { folder } = this.context;
    const checkpoint = latestCheckpoint(folder.checkpoints);
    if (!checkpoint) {
      this.#step.weights.initialize(this.trial.seed);
      return;
    }
    this.#state = readCheckpoint(checkpoint, this.#step);
    this.#parts.criterion.scheme.restore(this.#state.scheme);
    this.#means.restore(this.#state.losses);
    this.emit({ event: 'resumed', epoch: this.#state.epoch, step: this.#state.step });
  }

  async #trainEpoch(): Promise<void> {
    const { seed, config } = this.trial;
    const { optimizer, schedule, criterion } = this.#parts;
    const { stepsPerEpoch } = this.#loader;
    const state = this.#state;
    const { epoch } = state;
    const weights = { ...criterion.scheme.weights() };
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    const firstStep = state.stepInEpoch;
    let waited = 0;
    let rate = optimizer.rate;
    let asked = elapsed();
    for await (const batch of this.#loader.train(epoch, { from: firstStep })) {
      waited += elapsed() - asked;
      const result = await this.#step
        .gradientsOf(batch, (name) => randomStream(seed, 'noise', state.step, name))
        .catch((error: unknown) => {
          throw atStep(error, epoch + 1, state.stepInEpoch + 1);
        });
      rate =
        optimizer.rate *
        schedule.factor({ epoch, epochs: config.train.epochs, step: state.step, stepsPerEpoch });
      state.step++;
      state.stepInEpoch++;
      await this.#step.apply(state.step, rate);
      this.#means.add(result);
      this.context.observe({
        event: 'step',
        epoch: epoch + 1,
        step: state.stepInEpoch,
        steps: stepsPerEpoch,
        objective: result.total,
        secondsPerStep: elapsed() / (state.stepInEpoch - firstStep),
      });
      if (this.context.stopRequested() && state.stepInEpoch < stepsPerEpoch) {
        state.seconds += elapsed();
        this.#interrupt();
      }
      asked = elapsed();
    }
    const seconds = elapsed();
    const means = this.#means.take();
    criterion.scheme.epochEnd({ epoch, raw: means.raw, projected: means.projected });
    state.seconds += seconds;
    state.epoch++;
    state.stepInEpoch = 0;
    this.emit({
      event: 'epoch',
      epoch: state.epoch,
      step: state.step,
      rate,
      losses: means.raw,
      objective: means.total,
      weights,
      seconds,
      waited,
    });
    if (this.context.stopRequested() && state.epoch < config.train.epochs) this.#interrupt();
  }

  #interrupt(): never {
    this.#checkpoint();
    this.emit({ event: 'interrupted', epoch: this.#state.epoch, step: this.#state.step });
    throw new Interrupted();
  }

  #checkpoint(): void {
    const { folder } = this.context;
    const state = {
      ...this.#state,
      scheme: this.#parts.criterion.scheme.state(),
      losses: this.#means.state(),
    };
    const path = writeCheckpoint(folder.checkpoints, this.#step, state);
    this.emit({ event: 'checkpoint', epoch: state.epoch, step: state.step, path });
    // Until the trial is done the newest one is needed whatever is kept in the end.
    if (this.trial.config.train.checkpoint.keep !== 'all') pruneCheckpoints(folder.checkpoints, [path]);
  }

  /** @param each sees every image of the split with its predictions */
  async #evaluate(each?: (predicted: Predicted) => void): Promise<Record<string, number>> {
    const began = performance.now();
    const { epoch } = this.#state;
    this.context.observe({ event: 'phase', what: `evaluating epoch ${epoch}` });
    const { batch } = this.trial.config.evaluate;
    const metrics = await this.#evaluation.run(this.#loader.evaluate('val', batch), each);
    this.emit({ event: 'evaluated', epoch, metrics, seconds: (performance.now() - began) / 1000 });
    const score = this.#score(metrics);
    if (!this.#state.best || score > this.#state.best.score) this.#state.best = { epoch, score, metrics };
    return metrics;
  }

  /** What "best" means: the mean over tasks of the logarithm of the primary metric, errors counting negative. */
  #score(metrics: Record<string, number>): number {
    const gains = this.#parts.tasks.map(({ name }) => {
      const { name: metric, better } = primaryOf(this.#parts.metrics[name]);
      const value = Math.log(Math.max(metrics[`${name}.${metric}`], 1e-12));
      return better === 'higher' ? value : -value;
    });
    return gains.reduce((a, b) => a + b, 0) / gains.length;
  }

  async #finish(): Promise<TrialResult> {
    const { config, row, seed, hash } = this.trial;
    const { folder, data, engine, observe } = this.context;
    const shown: Predicted[] = [];
    const last = await this.#evaluate(({ sample, predictions }) => {
      // Predictions are views into the program's outputs; copies outlive the next batch.
      if (shown.length < SHOWN) shown.push({ sample, predictions: structuredClone(predictions) });
    });
    if (config.train.checkpoint.keep === 'none') pruneCheckpoints(folder.checkpoints, []);
    else this.#checkpoint();
    await writePredictions(join(folder.path, 'predictions.png'), shown, this.#parts.tasks).catch(
      (error: Error) => observe({ event: 'phase', what: `no pictures of predictions: ${error.message}` }),
    );
    const { best, epoch, step, seconds } = this.#state;
    const chosen = config.evaluate.select === 'best' && best ? best : { epoch, metrics: last };
    const result: TrialResult = {
      row,
      seed,
      hash,
      metrics: chosen.metrics,
      selected: { rule: config.evaluate.select, epoch: chosen.epoch },
      last,
      best: best && { epoch: best.epoch, metrics: best.metrics },
      parameters: this.#trained,
      epochs: epoch,
      steps: step,
      seconds,
      data: about(data),
      engine: engine.description,
    };
    folder.finish(result);
    this.emit({ event: 'finished', epoch, seconds });
    return result;
  }

  async close(): Promise<void> {
    this.#step?.close();
    this.#evaluation?.close();
    await this.#loader.close();
  }
}

const about = ({ caption, digest, notes }: DatasetInfo) => ({ caption, digest, notes });

function atStep(error: unknown, epoch: number, step: number): unknown {
  if (!MtcpError.is(error, 'numeric')) return error;
  const where = `epoch ${epoch}, step ${step}${error.where ? `, ${error.where}` : ''}`;
  return new MtcpError('numeric', error.message, { where, hint: error.hint, cause: error });
}
