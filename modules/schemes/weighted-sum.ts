// What most schemes share: the objective is the sum of projected losses times their weights. A scheme that adds
// nothing but its weights or its projection extends WeightedSum and overrides that.
import * as tf from '@tensorflow/tfjs';
import type { EpochMeans, Scheme } from '../../registry/contracts/learning.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';

export abstract class WeightedSum implements Scheme {
  constructor(protected readonly tasks: readonly Task[]) {}

  project(loss: tf.Scalar): tf.Scalar {
    return loss;
  }

  combine(
    _scope: Scope,
    projected: Record<string, tf.Scalar>,
    weights: Record<string, tf.Scalar>,
  ): tf.Scalar {
    const terms = Object.keys(projected).map((task) => projected[task].mul(weights[task]) as tf.Scalar);
    return tf.addN(terms);
  }

  weights(): Record<string, number> {
    return Object.fromEntries(this.tasks.map(({ name }) => [name, 1]));
  }

  epochEnd(_means: EpochMeans): void {}

  state(): unknown {
    return null;
  }

  restore(_state: unknown): void {}
}

/** log(1 + epsilon + L): on one scale whatever the unit of L, and never negative for L >= 0. */
export function logProjection(loss: tf.Scalar, epsilon: number): tf.Scalar {
  return loss.add<tf.Scalar>(1 + epsilon).log();
}
