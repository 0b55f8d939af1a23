// Trains and evaluates one trial, from wherever its folder says it is:
//
//   network -> programs -> weights (new, or of the last checkpoint)
//   each epoch: steps, scheme update, perhaps evaluation, checkpoint
//   at the end: evaluation, pictures, result
//
// What it does is appended to the folder's events; `observe` sees the same, plus progress inside an epoch.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetInfo } from '../../registry/contracts/data.js';
import type { TaskScore } from '../../registry/contracts/learning.js';
import { MtcpError } from '../../registry/errors.js';
import { randomStream } from '../../registry/random.js';
import { writeResolved, type Trial } from '../config/index.js';
import type { EvaluatedSplit, Loader } from '../data/loader.js';
import type { Engine } from '../engine/engine.js';
import { sizeOf } from '../engine/graph/ir.js';
import { EventLog, readEvents, type TrialEvent } from '../ledger/events.js';
import { StepLog } from '../ledger/steps.js';
import { writeWhole } from '../ledger/files.js';
import type { RunFolder, TrialResult } from '../ledger/run-folder.js';
import {
  bestIn,
  checkpointsIn,
  pruneCheckpoints,
  restoreLatest,
  type RunState,
  writeBest,
  writeCheckpoint,
} from './checkpoint.js';
import { Evaluation, type Predicted } from './evaluation.js';
import { LossMeans } from './loss-means.js';
import { loaderOf, partsOf, primaryOf, type TrialParts } from './parts.js';
import { writePredictions } from './pictures.js';
import { restoreScheme, schemeState } from './scheme-state.js';
import { judgedSplit } from './selection.js';
import { TrainingStep } from './step.js';
import { loadStart } from '../weights/start.js';

export type Observed =
  | TrialEvent
  | { event: 'phase'; what: string }
  | { event: 'step'; epoch: number; step: number; steps: number; objective: number; secondsPerStep: number };

export interface TrialContext {
  engine: Engine;
  /** This process has it, by a lease; see ledger.ts. */
  folder: RunFolder;
  /** Called before anything is written; throws if the folder is not this process's any more. */
  assertHeld?(): void;
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
  const log = new EventLog(context.folder.events);
  const emit = (event: TrialEvent) => {
    context.assertHeld?.();
    log.append(event);
    context.observe(event);
  };
  let run: TrialRun | undefined;
  try {
    run = new TrialRun(trial, context, log, emit);
    return await run.execute();
  } catch (error) {
    // Who lost the folder has no right to write into it.
    if (!(error instanceof Interrupted) && !MtcpError.is(error, 'busy'))
      emit({ event: 'failed', message: messageOf(error) });
    throw error;
  } finally {
    await run?.close();
  }
}

export const messageOf = (error: unknown): string =>
  MtcpError.is(error) ? error.format() : String((error as Error).stack ?? error);

class TrialRun {
  readonly #parts: TrialParts;
  readonly #loader: Loader;
  readonly #means = new LossMeans();
  readonly #steps: StepLog;
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
    last: null,
  };
  /** When the last checkpoint was written, or training began. */
  #saved = performance.now();
  /** Numbers in the parameters that receive a gradient. */
  #trained = 0;
  /** Most memory seen, bytes. */
  #memory = 0;

  constructor(
    readonly trial: Trial,
    readonly context: TrialContext,
    readonly log: EventLog,
    readonly emit: (event: TrialEvent) => void,
  ) {
    this.#parts = partsOf(trial);
    this.#loader = loaderOf(trial, this.#parts.tasks, this.#parts.criterion.scheme);
    this.#steps = new StepLog(context.folder.steps);
  }

  async execute(): Promise<TrialResult> {
    const { config, hash, row, seed } = this.trial;
    const { folder, data, observe } = this.context;
    writeWhole(join(folder.path, 'resolved.yaml'), writeResolved(this.trial));
    const before = readEvents(folder.events);
    this.emit({ event: 'started', row, seed, hash, data: about(data) });
    await this.#loader.prepare(() => {});
    observe({ event: 'phase', what: 'recording the training step' });
    await this.#compile();
    this.#restore(before);

    while (this.#state.epoch < config.train.epochs) {
      await this.#trainEpoch();
      const { epoch } = this.#state;
      if (epoch === config.train.epochs) break;
      if (config.evaluate.every !== null && epoch % config.evaluate.every === 0) await this.#evaluate();
      if (epoch % config.train.checkpoint.every === 0) this.#tryCheckpoint();
    }
    return this.#finish();
  }

  async #compile(): Promise<void> {
    const { engine } = this.context;
    const { train, evaluate } = this.trial.config;
    const { network, optimizer, metrics, criterion } = this.#parts;
    const { size, fit } = this.#loader;
    this.#step = await TrainingStep.compile(engine, network, criterion, optimizer, {
      batch: train.batch,
      accumulate: train.accumulate,
      size,
      clip: train.clip,
    });
    this.#evaluation = await Evaluation.compile(
      engine,
      network,
      metrics,
      evaluate,
      size,
      this.#step.weights,
      fit,
    );
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
  #restore(before: readonly TrialEvent[]): void {
    const { folder } = this.context;
    const found = restoreLatest(folder.checkpoints, this.#step, (message) =>
      this.emit({ event: 'warning', message }),
    );
    if (found) {
      this.#state = found.state;
      restoreScheme(this.#parts.criterion, this.#state.scheme, found.path);
      this.#means.restore(this.#state.losses);
    } else this.#initialize();
    const { epoch, step } = this.#state;
    this.#steps.rewind(step);
    // A process may die between writing a checkpoint and saying so.
    if (found && !before.some((event) => event.event === 'checkpoint' && event.step === step))
      this.emit({ event: 'checkpoint', epoch, step, path: found.path });
    if (found || before.length > 0) this.emit({ event: 'resumed', epoch, step });
  }

  #initialize(): void {
    const { weights } = this.#step;
    weights.initialize(this.trial.seed);
    const started = loadStart(this.trial, weights.table, (name) => weights.array(name));
    if (started) this.emit({ event: 'pretrained', ...started });
  }

  async #trainEpoch(): Promise<void> {
    const { seed, config } = this.trial;
    const { optimizer, schedule, criterion } = this.#parts;
    const { stepsPerEpoch } = this.#loader;
    const state = this.#state;
    const { epoch } = state;
    const { scheme } = criterion;
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    const firstStep = state.stepInEpoch;
    let waited = 0;
    let rate = optimizer.rate;
    let asked = elapsed();
    for await (const batch of this.#loader.train(epoch, { from: firstStep })) {
      waited += elapsed() - asked;
      const info = { epoch, step: state.step, random: randomStream(seed, 'scheme', state.step) };
      scheme.stepBegin?.(info);
      const result = await this.#step
        .gradientsOf(batch, (name) => randomStream(seed, 'noise', state.step, name), info)
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
      this.#memory = Math.max(this.#memory, process.memoryUsage.rss());
      const again = scheme.looksAgain ? await this.#step.lossesAgain() : undefined;
      scheme.stepEnd?.({ ...info, rate, raw: result.raw, projected: result.projected, again });
      this.#steps.add({ epoch: epoch + 1, step: state.step, rate, ...result });
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
      if (this.#isDue() && state.stepInEpoch < stepsPerEpoch) this.#tryCheckpoint(elapsed());
      asked = elapsed();
    }
    const seconds = elapsed();
    const means = this.#means.take();
    scheme.epochEnd?.({ epoch, raw: means.raw, projected: means.projected });
    this.#steps.tryFlush();
    state.seconds += seconds;
    state.epoch++;
    state.stepInEpoch = 0;
    this.emit({
      event: 'epoch',
      epoch: state.epoch,
      step: state.step,
      rate,
      losses: means.raw,
      projected: means.projected,
      objective: means.total,
      weights: means.weights,
      cosines: means.cosines,
      seconds,
      waited,
    });
    if (this.context.stopRequested() && state.epoch < config.train.epochs) this.#interrupt();
  }

  #interrupt(): never {
    this.#checkpoint();
    this.emit({ event: 'interrupted', epoch: this.#state.epoch, step: this.#state.step });
    this.log.flush();
    throw new Interrupted();
  }

  /** Whether a checkpoint inside the epoch is wanted: long epochs must not lose hours. */
  #isDue(): boolean {
    const { minutes } = this.trial.config.train.checkpoint;
    return minutes !== null && performance.now() - this.#saved >= minutes * 60_000;
  }

  /**
   * A checkpoint that training can do without for now: the next one may find room on the disk again.
   * @param seconds of the epoch under way
   */
  #tryCheckpoint(seconds = 0): void {
    try {
      this.#checkpoint(seconds);
    } catch (error) {
      if (!MtcpError.is(error, 'io')) throw error;
      this.emit({
        event: 'warning',
        message: `no checkpoint after step ${this.#state.step}: ${error.where ?? ''} ${error.message}; training goes on`,
      });
    }
  }

  #checkpoint(seconds = 0): void {
    const { folder } = this.context;
    this.context.assertHeld?.();
    this.#saved = performance.now();
    this.#steps.flush();
    const state = {
      ...this.#state,
      seconds: this.#state.seconds + seconds,
      scheme: schemeState(this.#parts.criterion),
      losses: this.#means.state(),
    };
    const path = writeCheckpoint(folder.checkpoints, this.#step, state);
    this.emit({ event: 'checkpoint', epoch: state.epoch, step: state.step, path });
    // Until the trial is done the newest one is needed whatever is kept in the end, and the one before it in case
    // the newest turns out to be damaged.
    if (this.trial.config.train.checkpoint.keep !== 'all') this.#prune(2);
  }

  /** Removes all but the `count` newest checkpoints, and the best weights unless they are wanted. */
  #prune(count: number): void {
    const { checkpoints } = this.context.folder;
    const newest = checkpointsIn(checkpoints).slice(0, count);
    pruneCheckpoints(checkpoints, [...newest, ...(this.#keepsBest ? [bestIn(checkpoints)] : [])]);
  }

  /** Whether the weights of the best evaluation are kept, and so written when there is a better one. */
  get #keepsBest(): boolean {
    const { train, evaluate } = this.trial.config;
    const { keep } = train.checkpoint;
    return keep === 'best' || keep === 'all' || (keep === 'last' && evaluate.selection.rule === 'best');
  }

  /** @param each sees every image of the split with its predictions */
  async #evaluate(each?: (predicted: Predicted) => void): Promise<Record<string, number>> {
    const began = performance.now();
    const { epoch } = this.#state;
    this.context.observe({ event: 'phase', what: `evaluating epoch ${epoch}` });
    const metrics = await this.#predict('val', each);
    this.#memory = Math.max(this.#memory, process.memoryUsage.rss());
    this.emit({ event: 'evaluated', epoch, metrics, seconds: (performance.now() - began) / 1000 });
    const { scheme } = this.#parts.criterion;
    const split = judgedSplit(this.trial.config, scheme);
    const judged = split === 'val' ? metrics : await this.#predict(split);
    const score = this.#parts.judge(judged);
    if (split !== 'val') this.emit({ event: 'judged', epoch, split, score, metrics: judged });
    scheme.evaluated?.(this.#primaryScores(judged));
    this.#state.last = { epoch, metrics };
    if (!this.#state.best || score > this.#state.best.score) {
      this.#state.best = { epoch, score, metrics };
      if (this.#keepsBest) writeBest(this.context.folder.checkpoints, this.#step.weights, this.#state.best);
    }
    return metrics;
  }

  #predict(split: EvaluatedSplit, each?: (predicted: Predicted) => void): Promise<Record<string, number>> {
    return this.#evaluation.run(this.#loader.evaluate(split, this.trial.config.evaluate.batch), each);
  }

  #primaryScores(metrics: Record<string, number>): Record<string, TaskScore> {
    const scores = this.#parts.tasks.map(({ name }) => {
      const { name: metric, unit, better } = primaryOf(this.#parts.metrics[name]);
      return [name, { value: metrics[`${name}.${metric}`], unit, better }] as const;
    });
    return Object.fromEntries(scores);
  }

  async #finish(): Promise<TrialResult> {
    const { config, row, seed, hash } = this.trial;
    const { folder, data, engine } = this.context;
    const shown: Predicted[] = [];
    const show = ({ sample, predictions }: Predicted) => {
      // Predictions are views into the program's outputs; copies outlive the next batch.
      if (shown.length < SHOWN) shown.push({ sample, predictions: structuredClone(predictions) });
    };
    const pictures = join(folder.path, 'predictions.png');
    // A process that died after this checkpoint left only the rest to do.
    if (this.#state.last?.epoch !== this.#state.epoch) {
      await this.#evaluate(show);
      this.#checkpoint();
    } else if (!existsSync(pictures)) await this.#predict('val', show);
    await writePredictions(folder.path, shown, this.#parts.tasks).catch((error: Error) =>
      this.emit({ event: 'warning', message: `no pictures of predictions: ${error.message}` }),
    );
    const { best, epoch, step, seconds } = this.#state;
    const last = this.#state.last!.metrics;
    const { rule, split, metric } = config.evaluate.selection;
    const chosen = rule === 'best' && best ? best : { epoch, metrics: last };
    const result: TrialResult = {
      row,
      seed,
      hash,
      metrics: chosen.metrics,
      selected: { rule, split, metric, epoch: chosen.epoch },
      last,
      best: best && { epoch: best.epoch, metrics: best.metrics },
      parameters: this.#trained,
      epochs: epoch,
      steps: step,
      seconds,
      memory: this.#memory,
      flops: this.#evaluation.program.stats.flops / config.evaluate.batch,
      data: about(data),
      engine: engine.description,
    };
    this.emit({ event: 'finished', epoch, seconds });
    this.log.flush();
    // From here on the trial is done: everything else that says so has been written before.
    folder.finish(result);
    const { keep } = config.train.checkpoint;
    if (keep === 'none') pruneCheckpoints(folder.checkpoints, []);
    else if (keep !== 'all') this.#prune(1);
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
