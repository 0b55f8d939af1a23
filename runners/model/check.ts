// What only building can show, found before anything runs: every component of every trial is made, every network is
// recorded once on shapes alone, and whatever does not fit is a fault at the place in the experiment file that names
// the part. Nothing is computed; trials that differ in nothing that matters here are looked at once.
import type * as tf from '../../registry/tf.js';
import { ParameterTable, Pass } from '../../modules/nn/scope.js';
import { resizeBilinear } from '../../modules/nn/resize.js';
import { catalog } from '../../registry/catalog.js';
import type { Kind } from '../../registry/component.js';
import { createTrialContainer, type ComponentFactory, type Slot } from '../../registry/container.js';
import type { Loss } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { nearestNames } from '../../registry/near.js';
import { Faults, throwAll, type Report, type TrialSpec } from '../config/index.js';
import { record } from '../engine/recording.js';
import { fitRows } from '../store/weights/rows.js';
import { shapesIn } from '../store/weights/start.js';
import type { Shapes } from '../store/weights/fit.js';
import { auxiliaryOf, measureTeachers } from './auxiliary.js';
import { BLOCK_SECTIONS, Network } from './network.js';
import { objective, type Criterion } from './objective.js';
import { partsOf } from './parts.js';
import { PartError, thrownIn } from './part-error.js';
import { stepInputs, type StepInputs } from './step-inputs.js';
import { tableOf } from './table.js';

/** A fault by its place in the trial; where that is written differs from row to row. */
interface Misfit {
  readonly path: readonly string[];
  readonly message: string;
  readonly note?: string;
  readonly hint?: string;
}

/** Throws all faults of all trials together. */
export async function checkTrials(
  trials: readonly TrialSpec[],
  observe: (done: number, total: number) => void = () => {},
): Promise<void> {
  throwAll(await findMisfits(trials, observe));
}

export async function findMisfits(
  trials: readonly TrialSpec[],
  observe: (done: number, total: number) => void = () => {},
): Promise<MtcpError[]> {
  const known = new Map<string, Misfit[]>();
  const recorded = new Set<string>();
  const keys = trials.map(keyOf);
  const total = new Set(keys).size;
  const faults = new Faults();
  for (const [i, trial] of trials.entries()) {
    let misfits = known.get(keys[i]);
    if (!misfits) {
      observe(known.size, total);
      known.set(keys[i], (misfits = await misfitsOf(trial, recorded)));
    }
    const report: Report = faults.reportIn({ row: trial.row, profile: null });
    for (const { path, ...fault } of misfits) report({ mark: trial.blame(path), ...fault });
  }
  return faults.errors(
    trials.map(({ row }) => ({ row, profile: null })),
    [],
  );
}

/** What a network and its objective depend on. */
function keyOf({ config, sources }: TrialSpec): string {
  const { data, augment, tasks, model, scheme, intermediate, auxiliary, optimizer, schedule, weights } =
    config;
  const own = [
    data,
    augment,
    tasks,
    model,
    scheme,
    intermediate,
    auxiliary,
    optimizer,
    schedule,
    weights.rows,
  ];
  return JSON.stringify([...own, Object.values(sources).map(keyOf)]);
}

/** The same but for the numbers that a sweep varies most, which change no shape. */
function shapeOf({ config, ...trial }: TrialSpec): string {
  const { scheme, optimizer, schedule } = config;
  const numberless = (slot: Slot): Slot =>
    JSON.parse(JSON.stringify(slot, (_, value: unknown) => (typeof value === 'number' ? 0 : value))) as Slot;
  const kept = {
    scheme: numberless(scheme),
    optimizer: numberless(optimizer),
    schedule: numberless(schedule),
  };
  return keyOf({ ...trial, config: { ...config, ...kept } } as TrialSpec);
}

/** @param recorded shapes of networks that are known to be good */
async function misfitsOf(trial: TrialSpec, recorded: Set<string>): Promise<Misfit[]> {
  const misfits: Misfit[] = [];
  const labelled = tasksOf(trial, misfits);
  if (misfits.length > 0) return misfits;
  const { config } = trial;
  const made = new Maker(createTrialContainer(labelled), misfits);
  const losses = new Map(
    labelled.map(({ name }) => [name, made.create('loss', ['tasks', name, 'loss'], config.tasks[name].loss)]),
  );
  const tasks = labelled.map((task) => ({
    ...task,
    channels: losses.get(task.name)?.channels?.(task) ?? task.channels,
  }));
  const maker = new Maker(createTrialContainer(tasks), misfits);
  for (const task of tasks) {
    const { head, metric } = config.tasks[task.name];
    maker.create('metric', ['tasks', task.name, 'metric'], metric);
    maker.create('head', ['tasks', task.name, 'head'], head);
    for (const [part, slot] of Object.entries(config.tasks[task.name]))
      checkKind(part as Kind, slot, task, misfits);
  }
  maker.create('backbone', ['model', 'backbone'], config.model.backbone);
  for (const section of BLOCK_SECTIONS) {
    const slot = config.model[section];
    if (slot) maker.create(section, ['model', section], slot);
  }
  const transform = maker.create('transform', ['augment'], config.augment);
  const scheme = maker.create('scheme', ['scheme'], config.scheme);
  for (const [name, { loss }] of Object.entries(config.auxiliary))
    maker.create('auxiliary', ['auxiliary', name, 'loss'], loss);
  for (const [path, { row, config: source }] of Object.entries(trial.sources))
    if (source.train.checkpoint.keep === 'none')
      misfits.push({
        path: path.split('.'),
        message: `row "${row}" keeps no weights`,
        hint: 'set its train.checkpoint.keep to last or best',
      });
  maker.create('optimizer', ['optimizer'], config.optimizer);
  maker.create('schedule', ['schedule'], config.schedule);
  const kind = shapeOf(trial);
  if (misfits.length > 0 || recorded.has(kind)) return misfits;

  const network = new Network(config.model, config.tasks, tasks, maker.components);
  const criterion: Criterion = {
    tasks,
    losses: Object.fromEntries(losses) as Record<string, Loss>,
    scheme: scheme!,
    intermediate: config.intermediate,
    auxiliary: auxiliaryOf(trial, maker.components, (source) => partsOf(source).network),
  };
  const table = new ParameterTable();
  const shape = { batch: config.train.batch, size: transform!.size };
  await measureTeachers(criterion.auxiliary, shape);
  await record((tracer) => {
    const pass = new Pass(table, tracer, true);
    const inputs = stepInputs(tracer, criterion, shape);
    collect(misfits, () => {
      const predictions = network.forward(pass.root, inputs.image);
      tryObjective(criterion, pass, predictions, inputs, misfits);
    });
    return {};
  });
  if (misfits.length === 0) await checkRows(trial, table, transform!.size, misfits);
  if (misfits.length === 0) recorded.add(kind);
  return misfits;
}

/** Whether what other rows trained has a place in this network. */
async function checkRows(
  trial: TrialSpec,
  table: ParameterTable,
  size: readonly [number, number],
  misfits: Misfit[],
): Promise<void> {
  const shapes = new Map<TrialSpec, Shapes>();
  for (const part of Object.keys(trial.config.weights.rows)) {
    const source = trial.sources[`weights.rows.${part}`];
    if (!shapes.has(source)) shapes.set(source, shapesIn(await tableOf(partsOf(source), size)));
  }
  collect(misfits, () =>
    PartError.wrap(['weights', 'rows'], 'rows do not fit', '', () =>
      fitRows(trial, (source) => shapes.get(source)!, shapesIn(table)),
    ),
  );
}

/** The data set's tasks that the trial names. */
function tasksOf({ config }: TrialSpec, misfits: Misfit[]): Task[] {
  const dataset = new Maker(createTrialContainer([]), misfits).create('dataset', ['data'], config.data);
  if (!dataset) return [];
  const known = new Map(dataset.tasks.map((task) => [task.name, task]));
  return Object.keys(config.tasks).flatMap((name) => {
    const task = known.get(name);
    if (task) return [task];
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

/** Makes components one by one and keeps what each has to complain about. */
class Maker {
  constructor(
    readonly components: ComponentFactory,
    readonly misfits: Misfit[],
  ) {}

  create<K extends Kind>(kind: K, path: readonly string[], slot: Slot) {
    try {
      return this.components.create(kind, slot);
    } catch (error) {
      this.misfits.push(misfit(path, `${kind} "${slot.type}" cannot be made`, error));
      return undefined;
    }
  }
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

/** Losses of the predictions, one by one, and then what the scheme makes of them. */
function tryObjective(
  criterion: Criterion,
  pass: Pass,
  predictions: Record<string, tf.Tensor4D>,
  { labels, scheme: inputs }: StepInputs,
  misfits: Misfit[],
): void {
  const before = misfits.length;
  const measure = (task: Task, prediction: tf.Tensor4D, path: readonly string[], own?: Loss) => {
    const { name } = task;
    const channels = own?.channels?.(task) ?? task.channels;
    if (prediction.rank !== 4 || prediction.shape[3] !== channels) {
      const shape = `[${prediction.shape.join(', ')}]`;
      const wanted = `[batch, height, width, ${channels}]`;
      misfits.push({ path, message: `the prediction of "${name}" has shape ${shape}; it must be ${wanted}` });
      return;
    }
    const what = `the loss of "${name}" cannot be taken of its prediction`;
    const [, height, width] = labels[name].shape;
    collect(misfits, () =>
      PartError.wrap(['tasks', name, 'loss'], what, '', () =>
        (own ?? criterion.losses[name]).forward(
          resizeBilinear(prediction, [height, width]),
          labels[name],
          task,
        ),
      ),
    );
  };
  for (const task of criterion.tasks) measure(task, predictions[task.name], ['tasks', task.name, 'head']);
  for (const { task: name, prediction, loss } of pass.predictions) {
    const task = criterion.tasks.find((each) => each.name === name);
    if (task) measure(task, prediction, ['model'], loss);
    else
      misfits.push({
        path: ['model'],
        message: `an intermediate prediction is for "${name}", which is no task`,
      });
  }
  if (misfits.length > before) return;
  collect(misfits, () =>
    PartError.wrap(['scheme'], 'the scheme cannot combine the losses', '', () =>
      objective(criterion, pass, predictions, labels, inputs),
    ),
  );
}

/** Runs `build`; what a part of the network complains about is kept. */
function collect(misfits: Misfit[], build: () => unknown): void {
  try {
    build();
  } catch (error) {
    const errors = error instanceof AggregateError ? error.errors : [error];
    for (const each of errors) {
      if (!(each instanceof PartError)) throw each;
      misfits.push({ path: each.path, message: each.message, note: each.frame, hint: each.hint });
    }
  }
}

function misfit(path: readonly string[], what: string, error: unknown): Misfit {
  if (!MtcpError.is(error))
    return { path, message: `${what}: ${(error as Error).message}`, note: thrownIn(error) };
  const option = error.option?.split('.') ?? [];
  return { path: [...path, ...option], message: error.message, hint: error.hint };
}
