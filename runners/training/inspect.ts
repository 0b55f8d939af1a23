// The size of a trial's network, found by recording one step on shapes: nothing is computed, and blocks that do not
// fit each other are found before training.
import { createTrialContainer } from '../../registry/container.js';
import type { TrialSpec } from '../config/index.js';
import { sizeOf } from '../engine/graph/ir.js';
import { peakBytesOf } from '../engine/graph/lifetimes.js';
import { unshaped } from '../engine/graph/views.js';
import { record } from '../engine/recording.js';
import { measureTeachers } from '../model/auxiliary.js';
import { assembled } from '../model/assemble.js';
import { memoryOf, traceStages } from './step/trace-step.js';
import { newTrace } from './step/traced.js';

export interface NetworkSize {
  /** Numbers in parameters that receive a gradient. */
  parameters: number;
  /** The same for each section of the model. */
  sections: Record<string, number>;
  /** And for each of these parameters. */
  byName: ReadonlyMap<string, number>;
  /** Operators of the training graph. */
  nodes: number;
  /** Bytes that a process which trains it is expected to hold, at the most. */
  memory: number;
}

/** Node, TensorFlow.js and onnxruntime before there is a graph. */
const PROCESS = 150e6;
/** What onnxruntime keeps of a node besides its values. */
const NODE = 10e3;
/** Its allocator's gaps and what operators hold while they run, over the values' own bytes. */
const ALLOCATION = 1.22;

export async function inspect(trial: TrialSpec): Promise<NetworkSize> {
  const { network, criterion, optimizer, tasks } = assembled(trial);
  const { batch, accumulate, clip } = trial.config.train;
  const { size } = createTrialContainer(tasks).create('transform', trial.config.augment);
  const trace = newTrace();
  await measureTeachers(criterion.auxiliary, { batch: batch / accumulate, size });
  const { graph, outputs } = await record((tracer) => {
    const options = { batch: batch / accumulate, size, clip };
    const [first, second] = traceStages(tracer, network, criterion, options, trace);
    return { ...first, ...second };
  }, memoryOf(network));
  const sections: Record<string, number> = {};
  const byName = new Map<string, number>();
  let parameters = 0;
  for (const name of trace.trained) {
    const count = sizeOf(trace.table.parameters.get(name)!.shape);
    const section = name.split('.')[0];
    sections[section] = (sections[section] ?? 0) + count;
    byName.set(name, count);
    parameters += count;
  }
  const computed = [...unshaped(outputs).values()];
  const nodes = graph.reachable(computed);
  const all = [...trace.table.parameters.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  // Of what trains: a gradient, the optimizer's state and, with accumulation, a sum of gradients.
  const numbers = all + parameters * (1 + optimizer.slots.length + Number(accumulate > 1));
  const values = peakBytesOf(nodes, computed);
  const memory = PROCESS + nodes.length * NODE + numbers * 4 + values * ALLOCATION;
  return { parameters, sections, byName, nodes: nodes.length, memory };
}
