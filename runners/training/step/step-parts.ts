// What a training step is put together from: its arrays, laid out when the gradients have been recorded, and the end of
// the step, on the host or on a device that keeps the arrays.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { DeviceMemory } from '../../engine/device-memory.js';
import type { Engine } from '../../engine/engine.js';
import type { Value } from '../../engine/graph/ir.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { NAMES } from '../../model/step-inputs.js';
import type { StepShape } from '../../model/step-shape.js';
import type { Applier } from './applier.js';
import { Arena } from './arena.js';
import { compileUpdate } from './compile-update.js';
import { DeviceApplier } from './device-applier.js';
import { HostApplier } from './host-applier.js';
import type { TrainedParameters } from '../../model/groups.js';
import { GroupedLayout, Layout } from './layout.js';
import type { Traced } from './traced.js';
import { Weights } from './weights.js';

export interface StepOptions extends StepShape {
  /** Micro-batches, which pass through the network one after the other; divides `batch`. Default 1. */
  accumulate?: number;
  /** Largest norm of the whole gradient; null leaves it as it is. */
  clip: number | null;
}

export interface StepArrays {
  weights: Weights;
  gradients: Arena;
  /** Optimizer state, by slot. */
  slots: Record<string, Arena>;
  /** What the network observed of the buffers in the last micro-batch, where programs write it as one vector. */
  observed?: Arena;
  /** Losses and other single numbers, where programs write them as one vector. */
  scalars?: Arena;
}

export interface DeviceArrays extends StepArrays {
  layout: GroupedLayout;
  observed: Arena;
  scalars: Arena;
}

export interface StepParts {
  traced: Traced;
  arrays: StepArrays;
  memory?: DeviceMemory;
  /** @param observed the array of what the network observed of a buffer */
  applier(observed: (buffer: string) => HostTensor): Applier;
}

const trainedOf = ({ table, trained, layers }: Traced): TrainedParameters => ({
  shapes: new Map(trained.map((name) => [name, table.parameters.get(name)!.shape] as const)),
  names: [...table.parameters.keys()],
  layers,
});

/**
 * The arrays of a step on a device, as vectors.
 * @param traced filled by the recording of the gradients
 * @param outputs of that recording
 */
export function deviceArrays(
  traced: Traced,
  optimizer: Optimizer,
  outputs: ReadonlyMap<string, Pick<Value, 'shape' | 'dtype'>>,
): DeviceArrays {
  const { table } = traced;
  const layout = new GroupedLayout(trainedOf(traced), optimizer);
  const weights = new Weights(table, new Arena(layout));
  const apart = [NAMES.gradient(''), NAMES.observed(''), 'part/'];
  const numbers = [...outputs]
    .filter(([, { shape, dtype }]) => shape.length === 0 && dtype === 'float32')
    .filter(([name]) => !apart.some((prefix) => name.startsWith(prefix)));
  return {
    layout,
    weights,
    gradients: new Arena(layout),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, new Arena(layout)])),
    observed: new Arena(weights.averaged.layout),
    scalars: new Arena(new Layout(new Map(numbers.map(([name, { shape }]) => [name, shape])))),
  };
}

export async function hostParts(
  engine: Engine,
  traced: Traced,
  optimizer: Optimizer,
  { accumulate = 1, clip }: StepOptions,
  processes: number,
): Promise<StepParts> {
  const update = await compileUpdate(engine, optimizer, trainedOf(traced), clip !== null);
  const { parameter, gradient, slots } = update.vectors;
  const weights = new Weights(traced.table, parameter);
  const { momenta } = traced;
  return {
    traced,
    arrays: { weights, gradients: gradient, slots },
    applier: (observed) =>
      new HostApplier({ update, weights, microBatches: accumulate, processes, momenta, observed }),
  };
}

export async function deviceParts(
  engine: Engine,
  memory: DeviceMemory,
  traced: Traced,
  arrays: DeviceArrays,
  optimizer: Optimizer,
  { accumulate = 1, clip }: StepOptions,
  processes: number,
): Promise<StepParts> {
  const { layout, weights, slots, gradients, observed } = arrays;
  const applier = await DeviceApplier.compile(engine, memory, {
    optimizer,
    layout,
    vectors: { weights, slots, gradient: gradients, observed },
    microBatches: accumulate,
    processes,
    momenta: traced.momenta,
    clipped: clip !== null,
  });
  return { traced, arrays, memory, applier: () => applier };
}
