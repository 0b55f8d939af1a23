// What is recorded for XLA: the model's operations, without what the CPU's interpreter makes of them.
import '../../../../modules/index.js';
import { join } from 'node:path';
import { expect } from 'chai';
import { TARGETS } from '../../../../runners/engine/graph/target.js';
import { unshaped } from '../../../../runners/engine/graph/views.js';
import { record } from '../../../../runners/engine/recording.js';
import { loadExperiment } from '../../../../runners/config/index.js';
import { assembled } from '../../../../runners/model/assemble.js';
import { memoryOf, traceStages } from '../../../../runners/training/step/trace-step.js';
import { newTrace } from '../../../../runners/training/step/traced.js';
import { ROOT } from '../../../support/rooms.js';

describe('a graph for XLA', function () {
  this.timeout(240_000);

  const operators = async (profile: string, target: keyof typeof TARGETS, ...overrides: string[]) => {
    const file = join(ROOT, 'experiments', 'table3.yaml');
    const [trial] = loadExperiment(file, { profile, rows: ['MT-CP'], overrides }).trials;
    const { network, criterion, transform } = assembled(trial);
    const shape = { batch: 2, size: transform.size };
    const { graph, outputs } = await record(
      (tracer) => traceStages(tracer, network, criterion, shape, newTrace())[0],
      { ...memoryOf(network), target: TARGETS[target] },
    );
    const nodes = graph.reachable([...unshaped(outputs).values()]);
    const count = (op: string) => nodes.filter((node) => node.op === op).length;
    return { all: nodes.length, scattered: count('ScatterND'), repeated: count('Tile'), shape };
  };

  it('has at most 15,000 operators at 480x640', async () => {
    const { all, scattered, repeated, shape } = await operators('full', 'xla');
    expect(shape.size).to.deep.equal([480, 640]);
    expect(all).to.be.within(10_000, 15_000);
    // One sum by index for each deformable attention, and nothing repeated for an operand that could be broadcast.
    expect(scattered).to.be.below(50);
    expect(repeated).to.be.below(20);
  });

  it('keeps the choices of the CPU for a trial that asks for recomputation', async () => {
    const [plain, thrifty] = [
      await operators('embedded', 'xla'),
      await operators('embedded', 'xla', 'memory.recompute=always'),
    ];
    expect(thrifty.all).to.be.above(plain.all);
  });
});
