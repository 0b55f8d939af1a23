// The state of a trial that is being trained: its parts, its programs and its progress. Training, evaluating, saving
// and finishing are functions of this state, each in its own file (epoch.ts, assess.ts, save.ts, finish.ts). trial.ts
// calls them in order.
import { MtcpError } from '../../registry/errors.js';
import { undealt, undivided } from '../model/division.js';
import type { DatasetInfo } from '../../registry/contracts/data.js';
import type { ClassCounts } from '../../registry/contracts/tasks.js';
import { threadsOf, type RunSettings, type TrialSpec } from '../config/index.js';
import type { Loader } from '../data/loader.js';
import type { Engine } from '../engine/engine.js';
import type { Team } from '../support/team/team.js';
import type { Stepping } from './take-step.js';
import { telling } from '../engine/telling.js';
import { sizeOf } from '../engine/graph/ir.js';
import { EventLog, type TrialEvent } from '../store/ledger/events.js';
import type { RunFolder } from '../store/ledger/run-folder.js';
import { StepLog } from '../store/ledger/steps.js';
import { WeightAverage } from './average.js';
import { Evaluation } from './evaluation.js';
import { LossMeans } from './loss-means.js';
import type { Processes } from './processes/processes.js';
import { loaderOf } from '../model/loader.js';
import { assembled, type Assembly } from '../model/assemble.js';
import { classWeightsOf, withCounts } from '../model/class-counts.js';
import { ALONE, type Exchange } from './step/exchange.js';
import { TrainingStep } from './step/step.js';
import type { Weights } from './step/weights.js';

export type Observed =
  | TrialEvent
  | { event: 'phase'; what: string }
  | { event: 'step'; epoch: number; step: number; steps: number; objective: number; secondsPerStep: number };

export interface TrialContext {
  engine: Engine;
  /** This process's share of the machine. */
  settings?: RunSettings;
  /** The trial's folder, which this process owns by a lease; see ledger.ts. */
  folder: RunFolder;
  /** Called before anything is written; throws if this process does not own the folder any more. */
  assertHeld?(): void;
  /** The folder of a finished trial that this one depends on. */
  sourceFolder(source: TrialSpec): RunFolder;
  /** What the data set returned when it was prepared. */
  data: DatasetInfo;
  /** How often the classes of tasks occur in the training split, for those that `tasksToCount` names. */
  counts?: Readonly<Record<string, ClassCounts>>;
  /** Those that share the trial's steps; by default this one trains alone. */
  processes?: Processes;
  observe(event: Observed): void;
  /** Called between steps: if it returns true, the trial saves a checkpoint and stops. */
  stopRequested(): boolean;
}

/** Written into the folder, and passed to observers. */
export type Emit = (event: TrialEvent) => void;

export interface RunningTrial extends Stepping {
  readonly context: TrialContext;
  readonly emit: Emit;
  readonly log: EventLog;
  readonly evaluation: Evaluation;
  /** Number of scalars in the parameters that receive a gradient. */
  readonly trained: number;
  /** The log of every step, for curves. */
  readonly steps: StepLog;
  /** The processes that share the trial, if there are several; this one is number 0. */
  readonly team?: Team;
  /** Time of the last checkpoint, or of the start of training. */
  saved: number;
  /** Largest memory use seen, in bytes. */
  memory: number;
}

/**
 * Assembles a trial and compiles its programs; weights are not set.
 * @param team that shares its steps
 */
export async function openTrial(
  trial: TrialSpec,
  context: TrialContext,
  log: EventLog,
  emit: Emit,
  team?: Team,
): Promise<RunningTrial> {
  const parts = withCounts(assembled(trial), context.counts ?? {});
  const { tasks, criterion } = parts;
  const loader = loaderOf(trial, {
    tasks,
    scheme: criterion.scheme,
    settings: context.settings,
    share: team,
  });
  const opened: { close(): unknown }[] = [loader];
  try {
    await loader.prepare(() => {});
    context.observe({ event: 'phase', what: 'recording the training step' });
    const engine = telling(context.engine, (what) => context.observe({ event: 'phase', what }));
    const step = await compileStep(trial, engine, parts, loader.size, team);
    opened.push(step);
    const evaluation = await compileEvaluation(trial, engine, parts, loader, step.weights, context.settings);
    opened.push(evaluation);
    const programs = {
      gradient: step.gradientProgram,
      update: step.update,
      evaluation: evaluation.program,
    };
    for (const [program, { stats }] of Object.entries(programs))
      emit({ event: 'compiled', program, ...stats });
    const { table, trained: arena } = step.weights;
    const count = (names: Iterable<string>) =>
      [...names].reduce((sum, name) => sum + sizeOf(table.parameters.get(name)!.shape), 0);
    const trained = count(arena.views.keys());
    const parameters = count(table.parameters.keys());
    emit({ event: 'model', parameters, trained, stepsPerEpoch: loader.stepsPerEpoch });
    for (const [task, weights] of Object.entries(classWeightsOf(parts)))
      emit({ event: 'class weights', task, weights });
    return {
      trial,
      context,
      emit,
      log,
      parts,
      loader,
      step,
      evaluation,
      ...(trial.config.train.ema !== null && {
        average: new WeightAverage(step.weights, trial.config.train.ema),
      }),
      trained,
      means: new LossMeans(),
      steps: new StepLog(context.folder.steps),
      team,
      state: {
        epoch: 0,
        stepInEpoch: 0,
        step: 0,
        scheme: null,
        losses: null,
        seconds: 0,
        best: null,
        last: null,
      },
      saved: performance.now(),
      memory: 0,
    };
  } catch (error) {
    for (const each of opened.reverse()) await each.close();
    throw error;
  }
}

/**
 * @param exchange with other processes that share the step
 * @throws MtcpError `config` if the batch cannot be divided among processes, or among the engine's devices
 */
export async function compileStep(
  { config: { train } }: TrialSpec,
  engine: Engine,
  { network, criterion, optimizer }: Assembly,
  size: readonly [number, number],
  exchange: Exchange = ALONE,
): Promise<TrainingStep> {
  const { batch, accumulate, clip } = train;
  const undealtFault = undealt(train, exchange.of);
  if (undealtFault) throw new MtcpError('config', undealtFault.message, { hint: undealtFault.hint });
  const fault = undivided(train, engine.devices);
  if (fault)
    throw new MtcpError('config', fault.message, {
      where: `engine.devices, which are ${engine.devices} here`,
      hint: fault.hint,
    });
  const options = { batch, accumulate, size, clip };
  return TrainingStep.compile(engine, network, criterion, optimizer, options, exchange);
}

export function compileEvaluation(
  { config }: TrialSpec,
  engine: Engine,
  { network, metrics }: Assembly,
  { size, fit }: Pick<Loader, 'size' | 'fit'>,
  weights: Weights,
  settings?: RunSettings,
): Promise<Evaluation> {
  const threads = threadsOf(config, settings);
  return Evaluation.compile(engine, network, metrics, config.evaluate, size, weights, fit, threads);
}

export async function closeTrial({ step, evaluation, loader }: RunningTrial): Promise<void> {
  step.close();
  await evaluation.close();
  await loader.close();
}

/** Updates the largest memory use; called after expensive computations. */
export function noteMemory(running: RunningTrial): void {
  running.memory = Math.max(running.memory, process.memoryUsage.rss());
}
