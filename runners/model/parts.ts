// What a trial's configuration names, made: tasks, network, metrics, optimizer, schedule, loader.
import { availableParallelism } from 'node:os';
import { createTrialContainer, type ComponentFactory } from '../../registry/container.js';
import type { Metric, Optimizer, Schedule, Scheme } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import type { TrialSpec } from '../config/index.js';
import { createLoader, type Loader } from '../data/loader.js';
import { auxiliaryOf } from './auxiliary.js';
import { Network } from './network.js';
import type { Criterion } from './objective.js';
import { judgedSplit, judgeOf, type Judge } from './selection.js';

export interface TrialParts {
  tasks: readonly Task[];
  components: ComponentFactory;
  network: Network;
  criterion: Criterion;
  metrics: Record<string, Metric>;
  optimizer: Optimizer;
  schedule: Schedule;
  judge: Judge;
}

/** The data set's tasks that the trial names, in the trial's order. */
export function tasksOf(trial: TrialSpec): Task[] {
  const dataset = createTrialContainer([]).create('dataset', trial.config.data);
  const known = new Map(dataset.tasks.map((task) => [task.name, task]));
  return Object.keys(trial.config.tasks).map((name) => {
    const task = known.get(name);
    if (!task)
      throw new MtcpError('config', `data set "${trial.config.data.type}" has no labels for task "${name}"`, {
        where: trial.locate(['tasks', name]),
        hint: didYouMean(name, known.keys()),
      });
    return task;
  });
}

export function partsOf(trial: TrialSpec): TrialParts {
  const { config } = trial;
  const { batch, accumulate } = config.train;
  if (batch % accumulate !== 0)
    throw new MtcpError('config', `train.accumulate ${accumulate} does not divide train.batch ${batch}`, {
      where: trial.locate(['train', 'accumulate']),
      hint: `a batch of ${batch} goes in ${divisors(batch).join(', ')} pieces`,
    });
  const labelled = tasksOf(trial);
  const forLosses = createTrialContainer(labelled);
  const losses = labelled.map(
    (task) => [task, forLosses.create('loss', config.tasks[task.name].loss)] as const,
  );
  // A loss may want another number of channels than the task has by itself: two logits for a binary one.
  const tasks = losses.map(([task, loss]) => ({ ...task, channels: loss.channels?.(task) ?? task.channels }));
  const components = createTrialContainer(tasks);
  const metrics = tasks.map(
    ({ name }) => [name, components.create('metric', config.tasks[name].metric)] as const,
  );
  const byTask = Object.fromEntries(metrics);
  return {
    tasks,
    components,
    judge: judgeOf(trial, tasks, byTask),
    network: new Network(config.model, config.tasks, tasks, components, config.memory),
    criterion: {
      tasks,
      losses: Object.fromEntries(losses.map(([{ name }, loss]) => [name, loss])),
      scheme: schemeOf(trial, components),
      intermediate: config.intermediate,
      auxiliary: auxiliaryOf(trial, components, (source) => partsOf(source).network),
    },
    metrics: byTask,
    optimizer: components.create('optimizer', config.optimizer),
    schedule: components.create('schedule', config.schedule),
  };
}

const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);

function schemeOf({ config, locate }: TrialSpec, components: ComponentFactory): Scheme {
  const scheme = components.create('scheme', config.scheme);
  if (scheme.needsEvaluation && config.evaluate.every === null)
    throw new MtcpError(
      'config',
      `scheme "${config.scheme.type}" takes its weights from evaluations, and there are none before the end`,
      {
        where: locate(['scheme']),
        hint: 'set `evaluate: {every: 1}`',
      },
    );
  if ((scheme.gradients || scheme.looksAgain) && config.train.accumulate > 1)
    throw new MtcpError(
      'config',
      `scheme "${config.scheme.type}" looks at the gradients or losses of a whole batch; train.accumulate takes it apart`,
      { where: locate(['train', 'accumulate']), hint: 'set `train: {accumulate: 1}`' },
    );
  if (scheme.gradients?.shared === 'representation' && Object.keys(config.auxiliary).length > 0)
    throw new MtcpError(
      'config',
      `scheme "${config.scheme.type}" takes the step apart at the backbone's maps; auxiliary losses see all of it`,
      { where: locate(['auxiliary']), hint: 'set `scheme: {shared: backbone}`, or leave `auxiliary` out' },
    );
  return scheme;
}

/** @param scheme if it looks at scores, they must not be those that are reported */
export function loaderOf({ config, seed }: TrialSpec, tasks: readonly Task[], scheme?: Scheme): Loader {
  return createLoader({
    dataset: config.data,
    transform: config.augment,
    tasks,
    batch: config.train.batch,
    seed,
    heldOut: judgedSplit(config, scheme) === 'held-out' ? config.evaluate.selection.share : 0,
    workers: config.train.workers ?? undefined,
  });
}

/** Threads of the trial's engine. */
export const threadsOf = ({ config: { engine } }: TrialSpec): number =>
  ('threads' in engine ? engine.threads : null) ?? availableParallelism();
