// What most schemes share: the objective is the sum of projected losses times their weights. A scheme that adds
// only its weights or its projection extends WeightedSum, overrides that and needs no constructor.
import * as tf from '../../../registry/tf.js';
import {
  Configured,
  type PerTask,
  type Scheme,
  type SchemeInputs,
  type Scope,
  type TaskLoss,
} from '../../../registry/index.js';

export abstract class WeightedSum<O = unknown> extends Configured<O> implements Scheme {
  project(loss: tf.Scalar): tf.Scalar {
    return loss;
  }

  combine(
    _scope: Scope,
    losses: PerTask<TaskLoss>,
    { weights }: SchemeInputs,
  ): PerTask<tf.Scalar> | tf.Scalar {
    return mapTasks(losses, ({ value }, task) => value.mul<tf.Scalar>(weights[task]));
  }

  weights(): PerTask<number> {
    return this.perTask(() => 1);
  }

  state(): unknown {
    return null;
  }

  restore(_state: unknown): void {}

  protected perTask<T>(value: (task: string, index: number) => T): PerTask<T> {
    return Object.fromEntries(this.tasks.map(({ name }, i) => [name, value(name, i)]));
  }
}

export function mapTasks<A, B>(record: PerTask<A>, f: (value: A, task: string) => B): PerTask<B> {
  return Object.fromEntries(Object.entries(record).map(([task, value]) => [task, f(value, task)]));
}

/** log(1 + epsilon + L): on one scale whatever the unit of L, and never negative for L >= 0. */
export function logProjection(loss: tf.Scalar, epsilon: number): tf.Scalar {
  return loss.add<tf.Scalar>(1 + epsilon).log();
}
