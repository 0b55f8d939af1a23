// Compiles everything that a training step runs: the programs of losses and gradients, teachers, what combines the
// gradients of single tasks, and the end of the step.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { MtcpError } from '../../../registry/errors.js';
import type { CompileOptions, Engine, Program, Tracer } from '../../engine/engine.js';
import { compileTeachers, type CompiledTeacher } from '../../model/auxiliary.js';
import { unsharedScheme } from '../../model/division.js';
import type { Network } from '../../model/network.js';
import type { Criterion } from '../../model/objective.js';
import { isBatchedBy } from '../../model/step-shape.js';
import { DeviceTaskGradients, partVectors } from './device-task-gradients.js';
import { packingOf } from './packing.js';
import {
  deviceArrays,
  deviceParts,
  hostParts,
  type DeviceArrays,
  type StepOptions,
  type StepParts,
} from './step-parts.js';
import type { TaskGradientCombiner } from './task-factors.js';
import { TaskGradientRun } from './task-gradients.js';
import { memoryOf, traceLosses, traceStages } from './trace-step.js';
import { newTrace } from './traced.js';

export interface CompiledStep {
  gradientProgram: Program;
  /** The second program of the gradients, where the scheme combines them half-way. */
  backboneProgram?: Program;
  /** Losses alone, for schemes that look again after the update. */
  lossProgram?: Program;
  /** Run before the gradients; what they see is an input there. */
  teachers: readonly CompiledTeacher[];
  parts: StepParts;
  taskGradients?: TaskGradientCombiner;
}

/**
 * @param processes that share the step
 * @throws MtcpError `engine` if the scheme asks for what the engine cannot do; `config` if processes cannot share it
 */
export async function compileParts(
  engine: Engine,
  network: Network,
  criterion: Criterion,
  optimizer: Optimizer,
  options: StepOptions,
  processes: number,
): Promise<CompiledStep> {
  const traced = newTrace(network.layers);
  const { memory } = engine;
  const { gradients, again } = criterion.scheme.needs ?? {};
  const onlyProducts = gradients?.onlyProducts ?? false;
  const fault = processes > 1 ? unsharedScheme(criterion.scheme) : undefined;
  if (fault) throw new MtcpError('config', fault.message, { hint: fault.hint });
  let arrays: DeviceArrays | undefined;
  const packing: CompileOptions['packing'] =
    memory &&
    ((outputs) => {
      arrays ??= deviceArrays(traced, optimizer, outputs);
      const { gradients, ...kept } = arrays;
      const { plan } = traced;
      if (!plan) return packingOf({ ...kept, gradient: gradients });
      return packingOf({ ...kept, others: onlyProducts ? partVectors(plan, gradients) : [] });
    });
  const microBatch = { ...options, batch: options.batch / (options.accumulate ?? 1) };
  const isBatched = isBatchedBy(microBatch.batch);
  const compileOptions = { ...memoryOf(network), packing, isBatched };
  const teachers = await compileTeachers(engine, criterion.auxiliary, microBatch);
  if (gradients?.ahead && memory)
    throw new MtcpError(
      'engine',
      'the scheme takes virtual steps, and this engine keeps weights on a device',
      {
        hint: 'use `engine: { type: onnx }`',
      },
    );
  const trace = (tracer: Tracer) => traceStages(tracer, network, criterion, microBatch, traced);
  const [gradientProgram, backboneProgram] =
    gradients?.shared === 'representation'
      ? await engine.compilePair('gradient', trace, compileOptions)
      : [await engine.compile('gradient', (tracer) => trace(tracer)[0], compileOptions)];
  const lossProgram = again
    ? await engine.compile('loss', (tracer) => traceLosses(tracer, network, criterion, microBatch, traced), {
        packing,
        isBatched,
      })
    : undefined;
  const parts =
    memory && arrays
      ? await deviceParts(engine, memory, traced, arrays, optimizer, options, processes)
      : await hostParts(engine, traced, optimizer, options, processes);
  const { plan } = traced;
  const combined = parts.arrays.gradients;
  const written = new Set(
    [gradientProgram, backboneProgram].flatMap((each) => [...(each?.outputs.keys() ?? [])]),
  );
  const taskGradients =
    plan &&
    (memory && onlyProducts
      ? await DeviceTaskGradients.compile(engine, plan, combined, written, isBatched)
      : new TaskGradientRun(gradients!, plan, combined));
  return { gradientProgram, backboneProgram, lossProgram, teachers, parts, taskGradients };
}
