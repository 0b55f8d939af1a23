// Improvable Gap Balancing, first variant: tasks whose loss is still large against what it was in the base epoch
// have the larger gap to close and get more weight, on the logarithms of the losses.
import * as tf from '../../../registry/tf.js';
import { detach } from '../../nn/ops/detach.js';
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
  base_epochs: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'Epochs with the sum of log losses; the means of the last one are the base losses.',
  },
});

@component({
  kind: 'scheme',
  name: 'igb',
  summary: 'Log losses weighted by K softmax(L / L_base).',
  source: 'Dai et al. 2023 (IGBv1), Eq 4 and 5',
  options: schema,
  file: import.meta.url,
})
export class ImprovableGapBalancing extends WarmUpScheme<OptionsOf<typeof schema>> {
  protected get warmUp(): number {
    return this.options.base_epochs;
  }

  override combine(_scope: Scope, losses: PerTask<TaskLoss>, { scalars }: SchemeInputs): PerTask<tf.Scalar> {
    const gaps = mapTasks(losses, ({ value }, task) =>
      value.sub<tf.Scalar>(scalars[`log_yardstick/${task}`]).exp(),
    );
    const total = logSumExp(gaps, losses);
    const count = countPresent(losses);
    return mapTasks(losses, ({ value, present }, task) => {
      // No gap is above the total, but where no task is there at all.
      const share = tf.minimum(gaps[task].sub(total), 0).exp().mul(count);
      const weight = tf.where(scalars.begun.greater(0.5), share, tf.onesLike(share));
      return value.mul<tf.Scalar>(detach(weight)).mul<tf.Scalar>(present);
    });
  }

  effective(raw: PerTask<number>): PerTask<number> {
    const tasks = Object.keys(raw);
    const gaps = tasks.map((task) => raw[task] / this.yardstick(task));
    const shares = this.begun ? softmax(gaps, tasks.length) : tasks.map(() => 1);
    return Object.fromEntries(tasks.map((task, i) => [task, shares[i]]));
  }
}
