// A network of a few hundred numbers with everything that a step may meet: a shared backbone with BatchNorm, task
// decoders that look at each other, a penalty, intermediate predictions, heads.
import * as tf from '../../registry/tf.js';
import '../../modules/index.js';
import { batchNorm, conv2d } from '../../modules/nn/layers.js';
import { createTrialContainer, type ComponentFactory, type Slot } from '../../registry/container.js';
import { NO_ADAPTATION } from '../../registry/contracts/adaptation.js';
import { DEFAULT_MEMORY } from '../../registry/contracts/memory.js';
import type { Backbone, Block, Head } from '../../registry/contracts/blocks.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import { randomStream } from '../../registry/random.js';
import type { TrainBatch } from '../../runners/data/batch.js';
import { Network } from '../../runners/model/network.js';
import type { Criterion } from '../../runners/model/objective.js';

export const TOY_SIZE = [6, 8] as const;
const BATCH = 2;
const CHANNELS = 4;

const TASKS: Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];
const LOSSES: Record<string, Slot> = {
  semseg: { type: 'cross_entropy' },
  depth: { type: 'l1_depth' },
  normals: { type: 'normals' },
};

const backbone: Backbone = {
  forward(scope, { data }) {
    const x = conv2d(scope.at('stem'), data, CHANNELS, { kernel: 3, padding: 1 });
    const map = tf.relu(batchNorm(scope.at('norm'), x));
    scope.penalty('flat', map.square().mean(), 0.05);
    return { shared: [{ data: map, stride: 1 }] };
  },
};

const blocks = (tasks: readonly Task[]): Record<string, Block> => ({
  decoder: {
    forward(scope, features) {
      const decoded = tasks.map(({ name }) => {
        const [{ data, stride }] = features.tasks[name];
        return [name, [{ data: tf.relu(conv2d(scope.at(name), data, CHANNELS, { kernel: 1 })), stride }]];
      });
      return { ...features, tasks: Object.fromEntries(decoded) };
    },
  },
  interaction: {
    forward(scope, features) {
      const maps = tasks.map(({ name }) => features.tasks[name][0].data);
      const everything = tf.concat(maps, 3) as tf.Tensor4D;
      const mixed = tasks.map((task, i) => {
        const x = maps[i].add(
          conv2d(scope.at(task.name), everything, CHANNELS, { kernel: 1 }),
        ) as tf.Tensor4D;
        scope.penalty(`small.${task.name}`, x.square().mean(), 0.1);
        scope.predict(task.name, conv2d(scope.at(`predict.${task.name}`), x, task.channels, { kernel: 1 }));
        return [task.name, [{ data: x, stride: 1 }]];
      });
      return { ...features, tasks: Object.fromEntries(mixed) };
    },
  },
});

const head: Head = {
  forward: (scope, [{ data }], task) => conv2d(scope, data, task.channels, { kernel: 1 }),
};

export interface Toy {
  tasks: readonly Task[];
  network: Network;
  criterion: Criterion;
  batch: TrainBatch;
}

/** @param names which of semseg, depth, normals */
export function toyTrial(
  scheme: Slot = { type: 'equal' },
  names = TASKS.map(({ name }) => name),
  adaptation = NO_ADAPTATION,
): Toy {
  const tasks = TASKS.filter(({ name }) => names.includes(name));
  const components = createTrialContainer(tasks);
  const parts: Record<string, unknown> = { backbone, head, ...blocks(tasks) };
  const factory = { create: (kind: string) => parts[kind] } as unknown as ComponentFactory;
  const slot = { type: 'toy' };
  const network = new Network(
    { backbone: slot, decoder: slot, fusion: null, interaction: slot, refinement: null },
    Object.fromEntries(tasks.map(({ name }) => [name, { head: slot }])),
    tasks,
    factory,
    DEFAULT_MEMORY,
    adaptation,
  );
  const criterion: Criterion = {
    tasks,
    losses: Object.fromEntries(tasks.map(({ name }) => [name, components.create('loss', LOSSES[name])])),
    scheme: components.create('scheme', scheme),
    intermediate: { reduce: 'mean', scheme: true, weight: 1 },
  };
  return { tasks, network, criterion, batch: toyBatch(tasks) };
}

export function toyBatch(tasks: readonly Task[], name = 'toy', count = BATCH): TrainBatch {
  const random = randomStream(name);
  const draw = (channels: number, number: () => number) =>
    Float32Array.from({ length: count * TOY_SIZE[0] * TOY_SIZE[1] * channels }, number);
  const image = draw(3, () => random.normal());
  const labels = tasks.map((task): [string, Float32Array | Int32Array] => {
    if (task.kind === 'classes') return [task.name, Int32Array.from(draw(1, () => random.integer(3)))];
    const number = task.kind === 'depth' ? () => 1 + random.uniform() : () => random.normal();
    return [task.name, draw(kindOf(task).labelChannels(task), number)];
  });
  return {
    ids: Array.from({ length: count }, (_, i) => String(i)),
    image,
    labels: Object.fromEntries(labels),
  };
}
