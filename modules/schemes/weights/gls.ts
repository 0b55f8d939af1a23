// Geometric Loss Strategy: the geometric mean of the losses, which no rescaling of a single loss changes but by a
// factor.
import * as tf from '../../../registry/tf.js';
import { component, type PerTask, type Scope, type TaskLoss } from '../../../registry/index.js';
import { countPresent, logLoss } from '../machinery/log-losses.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

@component({
  kind: 'scheme',
  name: 'gls',
  summary: 'The geometric mean of the losses.',
  source: 'Chennupati et al. 2019, Eq 2',
  file: import.meta.url,
})
export class GeometricLoss extends WeightedSum {
  readonly needs = { alone: 'has one objective that is a product of losses' };

  override project(loss: tf.Scalar): tf.Scalar {
    return logLoss(loss);
  }

  override combine(_scope: Scope, losses: PerTask<TaskLoss>): tf.Scalar {
    const logs = Object.values(losses).map(({ value, present }) => value.mul(present));
    return tf.addN(logs).div<tf.Scalar>(countPresent(losses)).exp();
  }

  effective(raw: PerTask<number>): PerTask<number> {
    const logs = Object.values(raw).map(Math.log);
    const mean = Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
    return Object.fromEntries(Object.keys(raw).map((task) => [task, mean / logs.length]));
  }
}
