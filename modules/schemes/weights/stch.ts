// Smooth Tchebycheff scalarisation: a smooth maximum of the losses, each relative to what it was at the end of a
// warm-up (the nadir).
import * as tf from '../../../registry/tf.js';
import {
  component,
  defineOptions,
  type OptionsOf,
  type PerTask,
  type SchemeInputs,
  type Scope,
  type TaskLoss,
} from '../../../registry/index.js';
import { softmax } from '../machinery/adam.js';
import { countPresent, logSumExp } from '../machinery/log-losses.js';
import { WarmUpScheme } from '../machinery/warm-up.js';
import { mapTasks } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  mu: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1,
    description: 'Smoothing: towards 0 only the worst task counts.',
  },
  warmup: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: 'Epochs with the sum of log losses; the means of the last one are the nadir.',
  },
});

@component({
  kind: 'scheme',
  name: 'stch',
  summary: 'A smooth maximum of the losses relative to their nadir.',
  source: 'Lin et al. 2024 (STCH), Eq 11; warm-up as in LibMTL',
  options: schema,
  file: import.meta.url,
})
export class SmoothTchebycheff extends WarmUpScheme<OptionsOf<typeof schema>> {
  readonly needs = { alone: 'has one objective that is a smooth maximum over tasks' };

  protected get warmUp(): number {
    return this.options.warmup;
  }

  /** K mu log sum exp(log(L / z) / mu) once begun, sum log L before. */
  override combine(_scope: Scope, losses: PerTask<TaskLoss>, { scalars }: SchemeInputs): tf.Scalar {
    const { mu } = this.options;
    const relative = mapTasks(losses, ({ value }, task) =>
      value.sub<tf.Scalar>(scalars[`log_yardstick/${task}`]).div<tf.Scalar>(mu),
    );
    const maximum = logSumExp(relative, losses).mul<tf.Scalar>(mu).mul<tf.Scalar>(countPresent(losses));
    const sum = tf.addN(Object.values(losses).map(({ value, present }) => value.mul(present))) as tf.Scalar;
    return tf.where(scalars.begun.greater(0.5), maximum, sum);
  }

  effective(raw: PerTask<number>): PerTask<number> {
    const tasks = Object.keys(raw);
    const heights = tasks.map((task) => Math.log(raw[task] / this.yardstick(task)) / this.options.mu);
    const shares = this.begun ? softmax(heights, tasks.length) : tasks.map(() => 1);
    return Object.fromEntries(tasks.map((task, i) => [task, shares[i]]));
  }
}
