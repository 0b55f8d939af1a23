// The inputs and outputs that training programs have in common, by name.
import * as tf from '../../registry/tf.js';
import type { Pass } from '../../modules/nn/scope.js';
import type { Scheme, SchemeInputs } from '../../registry/contracts/scheme.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { Tracer } from '../engine/engine.js';
import type { Criterion, Objective } from './objective.js';
import { labelSpec, type StepShape } from './step-shape.js';

export const NAMES = {
  image: 'image',
  label: (task: string) => `label/${task}`,
  weight: (task: string) => `weight/${task}`,
  scalar: (name: string) => `scheme/${name}`,
  gradient: (parameter: string) => `gradient/${parameter}`,
  observed: (buffer: string) => `observed/${buffer}`,
  raw: (task: string) => `raw/${task}`,
  projected: (task: string) => `projected/${task}`,
  term: (task: string) => `term/${task}`,
  valid: (task: string) => `valid/${task}`,
  /** Of the i-th intermediate prediction of a task; of what a component adds itself. */
  intermediate: (task: string, i: number) => `intermediate/${task}.${i}`,
  penalty: (name: string) => `penalty/${name}`,
};

/** What a step reads besides weights: a batch, and what the scheme sets. */
export interface StepInputs {
  image: tf.Tensor4D;
  labels: Record<string, tf.Tensor>;
  scheme: SchemeInputs;
}

export function stepInputs(tracer: Tracer, { tasks, scheme }: Criterion, step: StepShape): StepInputs {
  const { batch, size } = step;
  const scalar = (name: string) => tracer.input(name, 'float32', []) as tf.Scalar;
  return {
    image: tracer.input(NAMES.image, 'float32', [batch, ...size, 3]) as tf.Tensor4D,
    labels: perTask(tasks, (task) => {
      const { dtype, shape } = labelSpec(task, step);
      return tracer.input(NAMES.label(task.name), dtype, shape);
    }),
    scheme: {
      weights: perTask(tasks, ({ name }) => scalar(NAMES.weight(name))),
      scalars: Object.fromEntries(
        Object.keys(scheme.scalars?.() ?? {}).map((name) => [name, scalar(NAMES.scalar(name))]),
      ),
    },
  };
}

/** The numbers that the scheme sets, by input name. */
export function* schemeInputs(scheme: Scheme): Generator<[string, number]> {
  for (const [task, weight] of Object.entries(scheme.weights())) yield [NAMES.weight(task), weight];
  for (const [name, value] of Object.entries(scheme.scalars?.() ?? {})) yield [NAMES.scalar(name), value];
}

/** Losses as outputs, kept beyond the tidy they are made in. */
export function lossOutputs(
  tasks: readonly Task[],
  result: Objective,
  { penalties }: Pick<Pass, 'penalties'>,
): tf.NamedTensorMap {
  const outputs: tf.NamedTensorMap = { total: tf.keep(result.total) };
  for (const { name } of tasks) {
    outputs[NAMES.raw(name)] = tf.keep(result.final[name].value);
    outputs[NAMES.valid(name)] = tf.keep(result.final[name].valid);
    outputs[NAMES.projected(name)] = tf.keep(result.projected[name]);
  }
  result.intermediate.forEach((losses, i) => {
    for (const [task, loss] of Object.entries(losses)) outputs[NAMES.intermediate(task, i)] = tf.keep(loss);
  });
  for (const { name, value } of penalties) outputs[NAMES.penalty(name)] = tf.keep(value);
  return outputs;
}

/** New running statistics as outputs; their momenta are noted in `momenta`. */
export function observedOutputs({ averages }: Pass, momenta: Map<string, number>): tf.NamedTensorMap {
  const outputs: tf.NamedTensorMap = {};
  for (const [name, { observed, momentum }] of averages) {
    outputs[NAMES.observed(name)] = tf.keep(observed);
    momenta.set(name, momentum);
  }
  return outputs;
}

export function perTask<T>(tasks: readonly Task[], value: (task: Task) => T): Record<string, T> {
  return Object.fromEntries(tasks.map((task) => [task.name, value(task)]));
}
