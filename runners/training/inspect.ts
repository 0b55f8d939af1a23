// The size of a trial's network, found by recording one step on shapes: nothing is computed, and blocks that do not
// fit each other are found before training.
import { createTrialContainer } from '../../registry/container.js';
import type { TrialSpec } from '../config/index.js';
import { sizeOf } from '../engine/graph/ir.js';
import { addWork, workOf, type Work } from '../engine/graph/cost.js';
import { peakBytesOf } from '../engine/graph/lifetimes.js';
import { TARGETS, type Target } from '../engine/graph/target.js';
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
  /** What a step asks of a device: its graph for each micro-batch, and the update. */
  work: Work;
  /** Bytes that a process which trains it is expected to hold, at the most. */
  memory: number;
}

/** The operators of an update, which is one pass over memory. */
const UPDATE: Work = { operators: 1, operations: 0, numbers: 0 };

/** Node, TensorFlow.js and onnxruntime before there is a graph. */
const PROCESS = 150e6;
/** What onnxruntime keeps of a node besides its values. */
const NODE = 10e3;
/** Its allocator's gaps and what operators hold while they run, over the values' own bytes. */
const ALLOCATION = 1.22;

/** @param target what the graph is recorded for */
export async function inspect(trial: TrialSpec, target: Target = TARGETS.cpu): Promise<NetworkSize> {
  const { network, criterion, optimizer, tasks } = assembled(trial);
  const { batch, accumulate, clip } = trial.config.train;
  const { size } = createTrialContainer(tasks).create('transform', trial.config.augment);
  const trace = newTrace();
  await measureTeachers(criterion.auxiliary, { batch: batch / accumulate, size });
  const { graph, outputs } = await record(
    (tracer) => {
      const options = { batch: batch / accumulate, size, clip };
      const [first, second] = traceStages(tracer, network, criterion, options, trace);
      return { ...first, ...second };
    },
    { ...memoryOf(network), target },
  );
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
  const once = workOf(nodes);
  const step = Array.from({ length: accumulate }).reduce<Work>((sum) => addWork(sum, once), UPDATE);
  // Weights, gradients and state are read, and weights and state written.
  const work = { ...step, numbers: step.numbers + parameters * (3 + 2 * optimizer.slots.length) };
  return { parameters, sections, byName, nodes: nodes.length, work, memory };
}
