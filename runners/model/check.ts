// Finds, before anything runs, the faults that only building can show: every trial is assembled, its network is
// recorded once on shapes, and the weights that it starts from are compared with the network. Each fault is reported
// at the position in the experiment file that names the part. Nothing is computed. Trials that do not differ in what
// matters here are checked once.
import { requireAdaptation } from './adaptation.js';
import { isAbsolute } from 'node:path';
import * as tf from '../../registry/tf.js';
import { inputName, ParameterTable, Pass } from '../../modules/nn/scope.js';
import { resizeBilinear } from '../../modules/nn/resize.js';
import { catalog } from '../../registry/catalog.js';
import type { Slot } from '../../registry/container.js';
import type { Kind } from '../../registry/entry.js';
import type { Loss } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import {
  display,
  Faults,
  throwAll,
  type Experiment,
  type ReportFault,
  type TrialSpec,
} from '../config/index.js';
import type { WithoutGradient } from '../engine/backend.js';
import type { Tracer } from '../engine/engine.js';
import { sizeOf } from '../engine/graph/ir.js';
import { record } from '../engine/recording.js';
import type { Shapes } from '../store/weights/fit.js';
import { fitRows } from '../store/weights/rows.js';
import { checkStart, fitFile, shapesIn } from '../store/weights/start.js';
import { assemble, assembled, isAssembly, type Assembly } from './assemble.js';
import { measureTeachers } from './auxiliary.js';
import { dataMisfits } from './check-data.js';
import { groupParameters, type TrainedParameters } from './groups.js';
import { collect, type Misfit } from './misfit.js';
import { objective, type Criterion } from './objective.js';
import { PartError, thrownIn } from './part-error.js';
import { stepInputs, type StepInputs } from './step-inputs.js';
import { requireLoss, requireWeights } from './returned.js';
import type { StepShape } from './step-shape.js';
import { tableOf } from './table.js';

export type Observe = (done: number, total: number) => void;

/** @throws MtcpError, or MtcpErrors with all faults of all trials together */
export async function checkTrials(
  experiment: Pick<Experiment, 'provenance'>,
  trials: readonly TrialSpec[],
  observe?: Observe,
): Promise<void> {
  throwAll(await findMisfits(experiment, trials, observe));
}

/** All faults of these trials of an experiment. */
export async function findMisfits(
  { provenance }: Pick<Experiment, 'provenance'>,
  trials: readonly TrialSpec[],
  observe: Observe = () => {},
): Promise<MtcpError[]> {
  const known = new Map<string, Misfit[]>();
  const recorded = new Set<string>();
  const keys = trials.map(keyOf);
  const total = new Set(keys).size;
  const faults = new Faults({ byArgument: false });
  for (const [i, trial] of trials.entries()) {
    let misfits = known.get(keys[i]);
    if (!misfits) {
      observe(known.size, total);
      known.set(keys[i], (misfits = await misfitsIn(trial, recorded)));
    }
    const report: ReportFault = faults.reportIn({ row: trial.row, profile: null });
    for (const { path, note, ...fault } of misfits)
      report({ mark: provenance(trial).blame(path), note: withPlugin(note, trial, path), ...fault });
  }
  return faults.errors(
    trials.map(({ row }) => ({ row, profile: null })),
    [],
  );
}

/** Sections that are not called as the kind of their component. */
const KINDS_OF_SECTIONS: Readonly<Record<string, Kind>> = { data: 'dataset', augment: 'transform' };

/** The note of a misfit, with the plugin that the part at fault comes from unless a line of it is named already. */
function withPlugin(
  note: string | undefined,
  { config }: TrialSpec,
  path: readonly string[],
): string | undefined {
  if (note?.includes('thrown in')) return note;
  let slot: unknown = config;
  for (const key of path) slot = (slot as Record<string, unknown> | undefined)?.[key];
  const kind = path[0] === 'auxiliary' ? 'auxiliary' : (KINDS_OF_SECTIONS[path[0]] ?? (path.at(-1) as Kind));
  const { type } = (slot ?? {}) as Partial<Slot>;
  const plugin = catalog.list(kind).find(({ name }) => name === type)?.plugin;
  const lines = [note, plugin && `${kind} "${type}" comes from ${display(plugin)}`];
  return lines.filter(Boolean).join('\n') || undefined;
}

/** What the parts of a trial and their fit depend on. */
function keyOf({ config, sources }: TrialSpec): string {
  const { engine: _engine, memory: _memory, ...own } = config;
  return JSON.stringify([own, Object.values(sources).map(keyOf)]);
}

/** The same but for the numbers that a sweep varies most, which change no shape. */
function shapeOf({ config, ...trial }: TrialSpec): string {
  const { scheme, optimizer, schedule, train } = config;
  const numberless = (slot: Slot): Slot =>
    JSON.parse(JSON.stringify(slot, (_, value: unknown) => (typeof value === 'number' ? 0 : value))) as Slot;
  const kept = {
    scheme: numberless(scheme),
    optimizer: numberless(optimizer),
    schedule: numberless(schedule),
    train: { ...train, epochs: 0 },
  };
  return keyOf({ ...trial, config: { ...config, ...kept } } as TrialSpec);
}

/** @param recorded shapes of networks that are known to be good */
async function misfitsIn(trial: TrialSpec, recorded: Set<string>): Promise<Misfit[]> {
  const assembly = assemble(trial);
  if (!isAssembly(assembly)) return assembly;
  const misfits: Misfit[] = [];
  at(misfits, ['weights', 'backbone'], () => checkStart(trial));
  const { scheme, tasks } = assembly.criterion;
  at(misfits, ['scheme'], () => requireWeights('weights of the scheme', scheme.weights(), tasks));
  misfits.push(...(await dataMisfits(assembly)));
  const kind = shapeOf(trial);
  if (misfits.length > 0 || recorded.has(kind)) return misfits;
  const table = await recordStep(assembly, misfits);
  if (misfits.length > 0) return misfits;
  at(misfits, ['train'], () =>
    requireAdaptation(trial.config.train, [...table.parameters.keys()], [...table.buffers.keys()]),
  );
  if (misfits.length > 0) return misfits;
  at(misfits, ['optimizer', 'groups'], () => groupParameters(trainedOf(assembly, table), assembly.optimizer));
  at(misfits, ['weights', 'backbone'], () => fitFile(trial, table));
  await checkRows(assembly, table, misfits);
  if (misfits.length === 0) recorded.add(kind);
  return misfits;
}

/** What groups of the optimizer are about. */
function trainedOf({ network }: Assembly, table: ParameterTable): TrainedParameters {
  const shapes = [...table.parameters].map(([name, { shape }]) => [name, shape] as const);
  return {
    shapes: new Map(shapes.filter(([name]) => !network.adaptation.isFrozen(name))),
    names: shapes.map(([name]) => name),
    layers: network.layers,
  };
}

/** Pixels in a micro-batch and numbers in a model beyond which a value is a slip: nothing could hold what they ask for. */
const MOST_PIXELS = 2 ** 27;
const MOST_PARAMETERS = 2 ** 31;

/** Whether the weights could be allocated. */
function checkParameters(table: ParameterTable, misfits: Misfit[]): void {
  const sizes = [...table.parameters].map(([name, { shape }]) => ({ name, shape, size: sizeOf(shape) }));
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  if (total <= MOST_PARAMETERS) return;
  const largest = sizes.reduce((a, b) => (b.size > a.size ? b : a));
  misfits.push({
    path: partAt(largest.name),
    message: `the model has ${total.toPrecision(3)} parameters; ${largest.name} alone is ${largest.shape.join('x')}`,
    hint: `at most ${MOST_PARAMETERS} are accepted`,
  });
}

/** One micro-batch of a training step, on shapes. */
async function recordStep(assembly: Assembly, misfits: Misfit[]): Promise<ParameterTable> {
  const { network, criterion, transform, spec } = assembly;
  const { batch, accumulate } = spec.config.train;
  const table = new ParameterTable();
  const shape = { batch: batch / accumulate, size: transform.size };
  const pixels = shape.batch * shape.size[0] * shape.size[1];
  if (pixels > MOST_PIXELS) {
    misfits.push({
      path: ['train', 'batch'],
      message: `a micro-batch of ${shape.batch} image${shape.batch === 1 ? '' : 's'} of ${shape.size.join('x')} has ${pixels} pixels`,
      hint: `at most ${MOST_PIXELS} are accepted: make train.batch or augment.size smaller, or train.accumulate larger`,
    });
    return table;
  }
  await measureTeachers(criterion.auxiliary, shape);
  const { withoutGradient } = await record((tracer) => {
    const pass = new Pass(table, tracer, true);
    const inputs = stepInputs(tracer, criterion, shape);
    collect(misfits, () => {
      const predictions = network.forward(pass.root, inputs.image);
      tryObjective(criterion, pass, predictions, inputs, misfits);
    });
    misfits.push(...degenerate(pass, shape));
    return {};
  });
  checkParameters(table, misfits);
  // A backward pass is only recorded where it may fail.
  if (misfits.length === 0 && withoutGradient.length > 0)
    await tryGradients(assembly, shape, withoutGradient, misfits);
  return table;
}

/** Statistics that are taken over too few values, a fault for each part that takes some. */
function degenerate(pass: Pass, { batch, size }: StepShape): Misfit[] {
  const byPart = new Map<string, (typeof pass.degenerate)[number][]>();
  for (const one of pass.degenerate) {
    const key = [...partAt(one.path), one.what].join(' ');
    byPart.set(key, [...(byPart.get(key) ?? []), one]);
  }
  return [...byPart.values()].map(([{ path, what, hint }, ...others]) => ({
    path: partAt(path),
    message: `${path}${others.length > 0 ? `, and ${others.length} more` : ''}: ${what}`,
    note: `a micro-batch has ${batch} image${batch === 1 ? '' : 's'} of ${size.join('x')}`,
    hint,
  }));
}

/** Whether a gradient has to flow through an operation that has none. */
async function tryGradients(
  { network, criterion, spec }: Assembly,
  shape: StepShape,
  withoutGradient: readonly WithoutGradient[],
  misfits: Misfit[],
): Promise<void> {
  const table = new ParameterTable();
  const forward = (tracer: Tracer) => {
    const pass = new Pass(table, tracer, true);
    const { image, labels, scheme } = stepInputs(tracer, criterion, shape);
    return objective(criterion, pass, network.forward(pass.root, image), labels, scheme).total;
  };
  try {
    await record((tracer) => {
      tf.tidy(() => void forward(tracer));
      const parameters = [...table.parameters].map(([name, { shape }]) =>
        tracer.input(inputName.parameter(name), 'float32', shape),
      );
      tf.engine().gradients(() => forward(tracer), parameters, undefined, true);
      return {};
    });
  } catch (error) {
    const { message } = error as Error;
    const found = withoutGradient.find(({ kernel }) => message.endsWith(` ${kernel}.`));
    if (!found) throw error;
    const path = partAt(found.label);
    const slot = path.reduce<object | undefined>(
      (at, key) => (at as Record<string, object> | undefined)?.[key],
      spec.config,
    );
    const part = slot && 'type' in slot ? `${path.at(-1)} "${String(slot.type)}"` : path.join('.');
    misfits.push({
      path,
      message: `${part} uses ${found.operation}, which has no gradient; one would have to flow through it to the weights`,
      note: thrownIn(found.at),
      hint: 'compose it of operations that have one (docs/extending.md lists them), or give it one with tf.customGrad',
    });
  }
}

/** The part of a trial whose layer this is. */
function partAt(label: string): string[] {
  const [section, name] = label.split('.');
  if (section === 'heads') return ['tasks', name, 'head'];
  if (section === 'losses') return ['tasks', name, 'loss'];
  return section === 'scheme' || section === 'auxiliary' ? [section] : ['model', section];
}

/** Whether the weights that other rows trained fit this network. */
async function checkRows({ spec, transform }: Assembly, table: ParameterTable, misfits: Misfit[]) {
  const shapes = new Map<TrialSpec, Shapes>();
  for (const part of Object.keys(spec.config.weights.rows)) {
    const source = spec.sources[`weights.rows.${part}`];
    if (!shapes.has(source)) shapes.set(source, shapesIn(await tableOf(assembled(source), transform.size)));
  }
  at(misfits, ['weights', 'rows'], () => fitRows(spec, (source) => shapes.get(source)!, shapesIn(table)));
}

/** Keeps a fault that `look` finds as a misfit at `path`, or at the option below it that the fault names. */
function at(misfits: Misfit[], path: readonly string[], look: () => unknown): void {
  try {
    look();
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    const { where, frame: note, hint, option } = error;
    // A file that is damaged may be one of several that the value stands for.
    const message =
      where !== undefined && isAbsolute(where) ? `${display(where)}: ${error.message}` : error.message;
    misfits.push({ path: [...path, ...(option === undefined ? [] : [option])], message, note, hint });
  }
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
    pass.source.label(`losses.${name}`);
    collect(misfits, () =>
      PartError.wrap(
        ['tasks', name, 'loss'],
        what,
        '',
        () =>
          (own ?? criterion.losses[name]).forward(
            resizeBilinear(prediction, [height, width]),
            labels[name],
            task,
          ),
        (built) => requireLoss(`the loss of "${name}"`, built),
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
