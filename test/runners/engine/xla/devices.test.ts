// Several devices of XLA's CPU plugin beside one: the same losses, weights and statistics, whatever the model does with
// its batch.
import '../../../../modules/index.js';
import { createTrialContainer, type Slot } from '../../../../registry/container.js';
import type { Optimizer } from '../../../../registry/contracts/learning.js';
import { randomStream } from '../../../../registry/random.js';
import { RecordingEngine } from '../../../../runners/engine/recording.js';
import { createXlaRuntime } from '../../../../runners/engine/xla/runtime.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { expectClose, xlaPlugin } from '../../../support/oracle.js';
import { pending } from '../../../support/pending.js';
import { TOY_SIZE, toyBatch, toyTrial } from '../../../support/toy-network.js';

const BATCH = 4;
const TASKS = ['semseg', 'depth'];

describe('several devices', function () {
  this.timeout(600_000);

  before(function () {
    if (!xlaPlugin) pending(this, 'test/support/xla/install.sh installs the plugin');
  });

  const engines = new Map<number, RecordingEngine>();
  const engineOf = (devices: number): RecordingEngine => {
    let engine = engines.get(devices);
    if (!engine) {
      engine = new RecordingEngine({ runtime: createXlaRuntime(xlaPlugin, 'float32', devices) });
      engines.set(devices, engine);
    }
    return engine;
  };

  async function trained(devices: number, scheme?: Slot, accumulate?: number) {
    const toy = toyTrial(scheme, TASKS);
    const optimizer = createTrialContainer(toy.tasks).create('optimizer', {
      type: 'sgd',
      rate: 1e-2,
    }) as Optimizer;
    const options = { batch: BATCH, accumulate, size: TOY_SIZE, clip: 1 };
    const step = await TrainingStep.compile(
      engineOf(devices),
      toy.network,
      toy.criterion,
      optimizer,
      options,
    );
    step.weights.initialize(3);
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const info = { epoch: 0, step: i, random: randomStream('scheme', i) };
      const batch = toyBatch(toy.tasks, `batch ${i}`, BATCH);
      const { total, raw } = await step.gradientsOf(batch, (name) => randomStream(i, name), info);
      losses.push(total, ...Object.values(raw), (await step.apply(i + 1, 1e-2)) ?? 0);
    }
    await step.pull();
    const weights = new Map([...step.weights.entries()].map(([name, { data }]) => [name, data.slice()]));
    step.close();
    return { losses, weights };
  }

  for (const devices of [2, 4])
    it(`${devices} devices`, async () => {
      const [several, one] = [await trained(devices), await trained(1)];
      console.log(several.losses, one.losses);
      expectClose(several.losses, one.losses, 1e-6, 'losses');
      for (const [name, data] of one.weights) expectClose(several.weights.get(name)!, data, 1e-5, name);
    });
});
