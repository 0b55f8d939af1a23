// Turns a trial's configuration into objects: tasks, network, objective, metrics, optimizer, schedule, input
// pipeline. Validation, plan, training, prediction, reports and workers all use this one function. A trial that
// assembles for one of them assembles for all, and all faults that building can show are found together.
//
// Nothing is recorded or computed here; check.ts continues by recording the network on shapes.
import { catalog } from '../../registry/catalog.js';
import type { Contracts, Kind } from '../../registry/entry.js';
import { createTrialContainer, type ComponentFactory, type Slot } from '../../registry/container.js';
import type { Transform } from '../../registry/contracts/data.js';
import type { Loss, Metric, Optimizer, Schedule } from '../../registry/contracts/learning.js';
import type { Scheme } from '../../registry/contracts/scheme.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { nearestNames } from '../../registry/support/near.js';
import { throwAll, type TrialSpec } from '../config/index.js';
import { adaptationOf } from './adaptation.js';
import { auxiliaryOf } from './auxiliary.js';
import { evenlyCounted } from './class-counts.js';
import { takesWholeBatches, undivided } from './division.js';
import { asErrors, collect, misfitOf, type Misfit } from './misfit.js';
import { BLOCK_SECTIONS, Network } from './network.js';
import type { Criterion } from './objective.js';
import { judgeOf, type Judge } from './selection.js';

/** Everything that a trial's configuration names, made. */
export interface Assembly {
  readonly spec: TrialSpec;
  /** In the order of the trial; with as many channels as their losses read. */
  readonly tasks: readonly Task[];
  readonly components: ComponentFactory;
  readonly transform: Transform;
  readonly network: Network;
  readonly criterion: Criterion;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Which of two evaluations is better. */
  readonly judge: Judge;
}

/** The parts of a trial, or everything that is wrong with them. */
export function assemble(spec: TrialSpec): Assembly | Misfit[] {
  const misfits: Misfit[] = [];
  const { config } = spec;
  const labelled = labelledTasks(spec, misfits);
  if (misfits.length > 0) return misfits;

  const forLosses = new Maker(createTrialContainer(labelled), misfits);
  const losses = new Map(
    labelled.map(({ name }) => [
      name,
      forLosses.make('loss', ['tasks', name, 'loss'], config.tasks[name].loss),
    ]),
  );
  // A loss may want another number of channels than the task has by itself: two logits for a binary one.
  const tasks = labelled.map((task): Task => {
    const channels = losses.get(task.name)?.channels?.(task) ?? task.channels;
    return channels === task.channels ? task : { ...task, channels, values: task.values ?? task.channels };
  });
  const maker = new Maker(createTrialContainer(tasks), misfits);
  const metrics = new Map<string, Metric | undefined>();
  for (const task of tasks) {
    const { head, metric } = config.tasks[task.name];
    metrics.set(task.name, maker.make('metric', ['tasks', task.name, 'metric'], metric));
    maker.make('head', ['tasks', task.name, 'head'], head);
    for (const [part, slot] of Object.entries(config.tasks[task.name]))
      checkKind(part as Kind, slot as Slot, task, misfits);
  }
  maker.make('backbone', ['model', 'backbone'], config.model.backbone);
  for (const section of BLOCK_SECTIONS) {
    const slot = config.model[section];
    if (slot) maker.make(section, ['model', section], slot);
  }
  const transform = maker.make('transform', ['augment'], config.augment);
  const scheme = maker.make('scheme', ['scheme'], config.scheme);
  const optimizer = maker.make('optimizer', ['optimizer'], config.optimizer);
  const schedule = maker.make('schedule', ['schedule'], config.schedule);
  for (const [name, { loss }] of Object.entries(config.auxiliary))
    maker.make('auxiliary', ['auxiliary', name, 'loss'], loss);
  checkSteps(spec, scheme, misfits);
  checkSources(spec, misfits);
  if (misfits.length > 0) return misfits;

  const auxiliary = collect(misfits, () => auxiliaryOf(spec, maker, (source) => assembled(source).network));
  const judge = collect(misfits, () => judgeOf(config, tasks, all(metrics)));
  if (misfits.length > 0) return misfits;
  return {
    spec,
    tasks,
    components: maker.components,
    transform: transform!,
    network: new Network(config.model, config.tasks, tasks, maker, config.memory, adaptationOf(config.train)),
    criterion: {
      tasks: tasks.map(evenlyCounted),
      losses: all<Loss>(losses),
      scheme: scheme!,
      intermediate: config.intermediate,
      auxiliary: auxiliary!,
    },
    metrics: all(metrics),
    optimizer: optimizer!,
    schedule: schedule!,
    judge: judge!,
  };
}

/**
 * The parts of a trial that is known to be in order.
 * @throws MtcpError, or MtcpErrors with all of its faults, if it is not
 */
export function assembled(spec: TrialSpec): Assembly {
  const result = assemble(spec);
  if (!isAssembly(result)) throwAll(asErrors(spec, result));
  return result as Assembly;
}

/**
 * The data set's tasks that a trial names, in the trial's order, as the labels have them.
 * @throws MtcpError, or MtcpErrors, if there are none of that name
 */
export function tasksOf(spec: TrialSpec): Task[] {
  const misfits: Misfit[] = [];
  const tasks = labelledTasks(spec, misfits);
  throwAll(asErrors(spec, misfits));
  return tasks;
}

export const isAssembly = (result: Assembly | Misfit[]): result is Assembly => !Array.isArray(result);

const all = <T>(made: ReadonlyMap<string, T | undefined>) => Object.fromEntries(made) as Record<string, T>;

/** Makes components one by one, each slot once, and keeps what each has to complain about. */
class Maker implements ComponentFactory {
  readonly #made = new Map<Slot, unknown>();

  constructor(
    readonly components: ComponentFactory,
    readonly misfits: Misfit[],
  ) {}

  make<K extends Kind>(kind: K, path: readonly string[], slot: Slot): Contracts[K] | undefined {
    try {
      return this.create(kind, slot);
    } catch (error) {
      this.misfits.push(misfitOf(path, `${kind} "${slot.type}" cannot be made`, error));
      return undefined;
    }
  }

  create<K extends Kind>(kind: K, slot: Slot): Contracts[K] {
    let made = this.#made.get(slot) as Contracts[K] | undefined;
    if (made === undefined) this.#made.set(slot, (made = this.components.create(kind, slot)));
    return made;
  }
}

/** The data set's tasks that the trial names, in the trial's order. */
function labelledTasks({ config }: TrialSpec, misfits: Misfit[]): Task[] {
  const dataset = new Maker(createTrialContainer([]), misfits).make('dataset', ['data'], config.data);
  if (!dataset) return [];
  const known = new Map(dataset.tasks.map((task) => [task.name, task]));
  const kinds = catalog.list('task').map((kind) => kind.name);
  return Object.keys(config.tasks).flatMap((name) => {
    const task = known.get(name);
    if (task && kinds.includes(task.kind)) return [task];
    if (task) {
      misfits.push({
        path: ['data'],
        message: `data set "${config.data.type}" says that task "${name}" is of kind ${task.kind}, which mtcp does not know`,
        hint: `kinds of tasks: ${kinds.join(', ')}; a plugin may bring others`,
      });
      return [];
    }
    misfits.push({
      path: ['tasks', name],
      message: `data set "${config.data.type}" has no labels for task "${name}"`,
      hint: unknownHint(name, [...known.keys()]),
    });
    return [];
  });
}

function unknownHint(name: string, known: readonly string[]): string {
  const near = nearestNames(name, known).map((other) => `"${other}"`);
  const meant = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : '';
  return `${meant}it has ${known.join(', ')}`;
}

function checkKind(kind: Kind, slot: Slot, task: Task, misfits: Misfit[]): void {
  const { tasks: kinds } = catalog.get(kind, slot.type);
  if (kinds === undefined || kinds.includes(task.kind)) return;
  const fitting = catalog.list(kind).filter(({ tasks }) => tasks === undefined || tasks.includes(task.kind));
  const purpose = kinds.length > 0 ? kinds.join(' and ') : 'auxiliary predictions only';
  misfits.push({
    path: ['tasks', task.name, kind],
    message: `${kind} "${slot.type}" is for ${purpose}; task "${task.name}" is of kind ${task.kind}`,
    hint: `for ${task.kind}: ${fitting.map(({ name }) => name).join(', ')}`,
  });
}

/** What a scheme said by itself before there was `needs`, and what it is called there. */
const FORMER_NEEDS: Readonly<Record<string, string>> = {
  gradients: 'gradients',
  looksAgain: 'again',
  needsEvaluation: 'evaluation',
  indivisible: 'alone',
};

/** Whether the batch can be divided as the trial says, and the scheme gets what it looks at. */
function checkSteps({ config }: TrialSpec, scheme: Scheme | undefined, misfits: Misfit[]): void {
  const { batch, accumulate } = config.train;
  if (batch % accumulate !== 0)
    misfits.push({
      path: ['train', 'accumulate'],
      message: `train.accumulate ${accumulate} does not divide train.batch ${batch}`,
      hint: `a batch of ${batch} can be divided into ${divisors(batch).join(', ')} micro-batches`,
    });
  const { engine } = config;
  // How many `all` are is known when the engine has started.
  if (engine.type === 'xla' && engine.devices !== 'all') {
    const fault = undivided(config.train, engine.devices);
    if (fault) misfits.push({ path: ['engine', 'devices'], ...fault });
  }
  if (!scheme) return;
  const outdated = Object.keys(FORMER_NEEDS).find((name) => name in scheme);
  if (outdated !== undefined)
    misfits.push({
      path: ['scheme'],
      message: `scheme "${config.scheme.type}" has "${outdated}", which nothing reads any more`,
      hint: `say it in \`needs: { ${FORMER_NEEDS[outdated]} }\``,
    });
  const needs = scheme.needs ?? {};
  const named = `scheme "${config.scheme.type}"`;
  const { every } = config.evaluate;
  if (needs.evaluation && (every === null || every >= config.train.epochs))
    misfits.push({
      path: ['scheme'],
      message: `${named} takes its weights from evaluations, and there are none before the end`,
      note: `evaluate.every is ${every}, train.epochs is ${config.train.epochs}`,
      hint:
        config.train.epochs > 1
          ? 'set `evaluate: {every: 1}`'
          : 'train at least two epochs, and set `evaluate: {every: 1}`',
    });
  const samples = needs.gradients?.samples ?? 1;
  if (accumulate < samples)
    misfits.push({
      path: ['train', 'accumulate'],
      message: `${named} compares gradients of ${samples} independent parts of a batch; train.accumulate is ${accumulate}`,
      hint: `set \`train: {accumulate: ${divisors(batch).find((n) => n >= samples) ?? samples}}\`${batch < samples ? ', and a larger batch' : ''}`,
    });
  if (needs.gradients?.ahead && accumulate >= samples && accumulate % samples !== 0)
    misfits.push({
      path: ['train', 'accumulate'],
      message: `${named} pairs micro-batches; train.accumulate is ${accumulate}`,
      hint: `set \`train: {accumulate: ${samples}}\``,
    });
  if (takesWholeBatches(scheme) && accumulate > 1)
    misfits.push({
      path: ['train', 'accumulate'],
      message: `${named} looks at the gradients or losses of a whole batch; train.accumulate divides it`,
      hint: 'set `train: {accumulate: 1}`',
    });
  const { patience, selection } = config.evaluate;
  if (patience !== null && (selection.rule !== 'best' || every === null))
    misfits.push({
      path: ['evaluate', 'patience'],
      message: 'evaluate.patience waits for a better score, and this trial looks for none',
      note: `evaluate.every is ${every}, evaluate.selection.rule is ${selection.rule}`,
      hint: 'set `evaluate: {every: 1, selection: {rule: best}}`',
    });
  if (needs.gradients?.shared === 'representation' && Object.keys(config.auxiliary).length > 0)
    misfits.push({
      path: ['auxiliary'],
      message: `${named} divides the step at the backbone's maps; auxiliary losses see all of it`,
      hint: 'set `scheme: {shared: backbone}`, or leave `auxiliary` out',
    });
}

/** Rows that this one depends on have to keep their weights. */
function checkSources({ sources }: TrialSpec, misfits: Misfit[]): void {
  for (const [path, { row, config }] of Object.entries(sources))
    if (config.train.checkpoint.keep === 'none')
      misfits.push({
        path: path.split('.'),
        message: `row "${row}" keeps no weights`,
        hint: 'set its train.checkpoint.keep to last or best',
      });
}

const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
