// From predictions and labels to the one number that training minimises (paper, Eq 7):
//
//   scheme(losses of the final predictions)
//     + weight * mean or sum over the intermediate predictions of (scheme or plain sum of their losses)
//     + what components add themselves (coherence loss, ...), outside the weighting
import * as tf from '@tensorflow/tfjs';
import { resizeBilinear } from '../../modules/nn/resize.js';
import type { Pass } from '../../modules/nn/scope.js';
import type { Loss, LossValue, Scheme } from '../../registry/contracts/learning.js';
import { labelChannels, type Task } from '../../registry/contracts/tasks.js';
import type { IntermediateConfig } from '../config/trial.js';

export interface Criterion {
  tasks: readonly Task[];
  losses: Record<string, Loss>;
  scheme: Scheme;
  intermediate: IntermediateConfig;
}

export interface Objective {
  total: tf.Scalar;
  final: Record<string, LossValue>;
  /** The final losses on the scheme's scale. */
  projected: Record<string, tf.Scalar>;
  /** Losses of the intermediate predictions: one record for each place in the order of predictions. */
  intermediate: Record<string, tf.Scalar>[];
}

/** Shape and type of a task's label in a batch. */
export function labelSpec(task: Task, batch: number, [height, width]: readonly [number, number]) {
  return task.kind === 'classes'
    ? ({ dtype: 'int32', shape: [batch, height, width] } as const)
    : ({ dtype: 'float32', shape: [batch, height, width, labelChannels(task.kind)] } as const);
}

/**
 * @param predictions raw, of the final heads
 * @param labels at the resolution at which losses are taken
 * @param weights of the tasks, as the scheme wants them
 */
export function objective(
  { tasks, losses, scheme, intermediate: rule }: Criterion,
  pass: Pass,
  predictions: Record<string, tf.Tensor4D>,
  labels: Record<string, tf.Tensor>,
  weights: Record<string, tf.Scalar>,
): Objective {
  const measure = (task: Task, prediction: tf.Tensor4D): LossValue => {
    const [, height, width] = labels[task.name].shape;
    return losses[task.name].forward(resizeBilinear(prediction, [height, width]), labels[task.name], task);
  };
  const byName = new Map(tasks.map((task) => [task.name, task]));
  // The scheme is asked once for the final and once for each place of intermediate predictions.
  const scope = pass.root.shared('scheme');

  const final = Object.fromEntries(tasks.map((task) => [task.name, measure(task, predictions[task.name])]));
  const projected = mapValues(final, ({ value }) => scheme.project(value));
  const terms = [scheme.combine(scope, projected, weights)];

  const intermediate: Record<string, tf.Scalar>[] = [];
  const seen = new Map<string, number>();
  for (const { task, prediction } of pass.predictions) {
    const place = seen.get(task) ?? 0;
    seen.set(task, place + 1);
    (intermediate[place] ??= {})[task] = measure(byName.get(task)!, prediction).value;
  }
  if (intermediate.length > 0) {
    const places = intermediate.map((values) =>
      rule.scheme
        ? scheme.combine(
            scope,
            mapValues(values, (loss) => scheme.project(loss)),
            weights,
          )
        : tf.addN(Object.values(values)),
    );
    const share = rule.reduce === 'mean' ? rule.weight / places.length : rule.weight;
    terms.push(tf.addN(places).mul(share));
  }
  for (const { value, weight } of pass.penalties) terms.push(value.mul(weight));
  return { total: terms.reduce((sum, term) => sum.add(term)), final, projected, intermediate };
}

function mapValues<A, B>(record: Record<string, A>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
