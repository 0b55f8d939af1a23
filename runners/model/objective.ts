// From predictions and labels to the one number that training minimises (paper, Eq 7):
//
//   scheme(losses of the final predictions)
//     + weight * mean or sum over the intermediate predictions of (scheme or plain sum of their losses)
//     + what components add themselves (coherence loss, ...) and `auxiliary` lists, outside the weighting
import * as tf from '../../registry/tf.js';
import { resizeBilinear, resizeNearest } from '../../modules/nn/resize.js';
import type { Pass } from '../../modules/nn/scope.js';
import type { Loss, LossValue } from '../../registry/contracts/learning.js';
import type { Scheme, SchemeInputs } from '../../registry/contracts/scheme.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { IntermediateConfig } from '../config/trial.js';
import { auxiliaryPenalty, type AuxiliaryTerm } from './auxiliary.js';
import { requireScalar, requireTerms } from './returned.js';

export interface Criterion {
  tasks: readonly Task[];
  losses: Record<string, Loss>;
  scheme: Scheme;
  intermediate: IntermediateConfig;
  auxiliary?: readonly AuxiliaryTerm[];
}

export interface Objective {
  total: tf.Scalar;
  /** What each task contributes to the total; absent where the scheme's objective is no sum over tasks. */
  tasks?: Record<string, tf.Scalar>;
  /** What the scheme has no say in: unweighted intermediate losses, penalties. */
  rest?: tf.Scalar;
  final: Record<string, LossValue>;
  /** The final losses on the scheme's scale. */
  projected: Record<string, tf.Scalar>;
  /** Losses of the intermediate predictions: one record for each position in the order of predictions. */
  intermediate: Record<string, tf.Scalar>[];
}

/**
 * @param predictions raw, of the final heads
 * @param labels at the resolution at which losses are taken
 * @param inputs what the scheme sets from step to step
 */
export function objective(
  { tasks, losses, scheme, intermediate: rule, auxiliary = [] }: Criterion,
  pass: Pass,
  predictions: Record<string, tf.Tensor4D>,
  labels: Record<string, tf.Tensor>,
  inputs: SchemeInputs,
): Objective {
  // Names for what profiles and errors show: without them operators would go under the module before.
  const { source } = pass;
  const measure = (task: Task, prediction: tf.Tensor4D, loss = losses[task.name]): LossValue => {
    source.label(`losses.${task.name}`);
    const [, height, width] = labels[task.name].shape;
    return loss.forward(resizeBilinear(prediction, [height, width]), labels[task.name], task);
  };
  const byName = new Map(tasks.map((task) => [task.name, task]));
  // The scheme is asked once for the final predictions and once for each position of intermediate ones.
  const scope = pass.root.shared('scheme');

  const final = Object.fromEntries(tasks.map((task) => [task.name, measure(task, predictions[task.name])]));
  const project = (loss: tf.Scalar) => {
    const projected = scheme.project(loss);
    requireScalar('project of the scheme', projected);
    return projected;
  };
  const weigh = (values: Record<string, LossValue>) => {
    source.label('scheme');
    const terms = scheme.combine(
      scope,
      mapValues(values, ({ value, valid }) => ({ value: project(value), present: presence(valid) })),
      inputs,
    );
    requireTerms('combine of the scheme', terms);
    return terms;
  };
  const combined = [weigh(final)];
  const rest: tf.Scalar[] = [];

  const intermediate: Record<string, LossValue>[] = [];
  const seen = new Map<string, number>();
  for (const { task, prediction, loss } of pass.predictions) {
    const place = seen.get(task) ?? 0;
    seen.set(task, place + 1);
    (intermediate[place] ??= {})[task] = measure(byName.get(task)!, prediction, loss);
  }
  source.label('scheme');
  const share = rule.reduce === 'mean' ? rule.weight / intermediate.length : rule.weight;
  if (rule.scheme)
    for (const values of intermediate) {
      const place = weigh(values);
      combined.push(isScalar(place) ? place.mul(share) : mapValues(place, (term) => term.mul(share)));
    }
  else if (intermediate.length > 0)
    rest.push(
      tf.addN(intermediate.flatMap((values) => Object.values(values).map(({ value }) => value))).mul(share),
    );
  const size = sizeOf(Object.values(labels)[0]);
  const taskLoss = (task: string, prediction: tf.Tensor4D) => measure(byName.get(task)!, prediction).value;
  const label = (task: string, to: readonly [number, number]) => labelAt(labels[task], to);
  for (const term of auxiliary) {
    source.label('auxiliary');
    pass.penalties.push(auxiliaryPenalty(term, pass, { tasks, size, label, loss: taskLoss }));
  }
  for (const { value, weight } of pass.penalties) rest.push(value.mul(weight));

  // Gradients go under the modules whose values they are of.
  source.label('');
  const divided = combined.filter((part): part is Record<string, tf.Scalar> => !isScalar(part));
  const parts = combined.flatMap((part) => (isScalar(part) ? part : sum(Object.values(part))));
  return {
    total: sum([...parts, ...rest]),
    tasks:
      divided.length === combined.length
        ? Object.fromEntries(
            tasks.map(({ name }) => [name, sum(divided.flatMap((part) => part[name] ?? []))]),
          )
        : undefined,
    rest: rest.length > 0 ? sum(rest) : undefined,
    final,
    projected: mapValues(final, ({ value }) => project(value)),
    intermediate: intermediate.map((values) => mapValues(values, ({ value }) => value)),
  };
}

/** A batch of labels (see `labelSpec` in step-shape.ts) at another size, [batch, height, width, channels]. */
function labelAt(label: tf.Tensor, size: readonly [number, number]): tf.Tensor4D {
  const map = label.rank === 3 ? label.cast('float32').expandDims<tf.Tensor4D>(3) : (label as tf.Tensor4D);
  return resizeNearest(map, size, true);
}

const sizeOf = ({ shape: [, height, width] }: tf.Tensor): [number, number] => [height!, width!];

/** 1 where a loss counted any pixel, 0 where it did not. */
const presence = (valid: tf.Scalar): tf.Scalar => tf.minimum(valid, 1);

const isScalar = (part: Record<string, tf.Scalar> | tf.Scalar): part is tf.Scalar =>
  part instanceof tf.Tensor;

const sum = (terms: tf.Scalar[]): tf.Scalar => (terms.length === 1 ? terms[0] : tf.addN(terms));

function mapValues<A, B>(record: Record<string, A>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
