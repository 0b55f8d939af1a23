// Compared systems against their authors' code: small configurations on drawn weights, final and intermediate
// predictions, gradients, statistics. Each fixture says what composition of blocks it is.
import '../../modules/index.js';
import type * as tf from '../../registry/tf.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { Network } from '../../runners/model/network.js';
import type { ModelConfig } from '../../runners/config/trial.js';
import { expectFixture, readFixture } from '../support/systems.js';

const TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 5 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];

const SYSTEMS = [
  'stl-deeplab',
  'cross-stitch',
  'nddr',
  'mtan',
  'pad-net',
  'mti-net',
  'mt-cp',
  'mt-cp-pascal',
  'invpt',
  'demt',
  'mlore',
  'mlore-after',
  'mtformer',
  'sluice',
  'atrc',
  'taskprompter',
  'taskprompter-ctr',
  'mmoe',
  'cgc',
  'ple',
  'dselect-k',
  'ltb',
  'mtmamba',
  'mtmamba-plus',
  'ema-net',
];

describe("systems against their authors' code", () => {
  for (const name of SYSTEMS)
    it(name, () => {
      const {
        model,
        tasks,
        kinds,
        outputs: expected,
      } = readFixture(name) as unknown as {
        model: ModelConfig;
        tasks: Record<string, { head: Slot }>;
        kinds?: Record<string, Omit<Task, 'name'>>;
        outputs: Record<string, unknown>;
      };
      const known = kinds ? Object.entries(kinds).map(([task, kind]) => ({ name: task, ...kind })) : TASKS;
      const own = known.filter((task) => task.name in tasks);
      const network = new Network(model, tasks, own, createTrialContainer(own));
      return expectFixture(name, (scope, image, pass) => {
        const outputs: Record<string, tf.Tensor> = network.forward(scope, image);
        const counts: Record<string, number> = {};
        for (const { task, prediction } of pass.predictions) {
          counts[task] = (counts[task] ?? -1) + 1;
          outputs[`${task}.${counts[task]}`] = prediction;
        }
        for (const penalty of pass.penalties)
          if (`penalty.${penalty.name}` in expected) outputs[`penalty.${penalty.name}`] = penalty.value;
        return outputs;
      });
    });
});
