// Loss scale projection alone ("log smoothing" in Table 4): the sum of log(1 + epsilon + L).
import type { Scalar } from '../../../registry/tf.js';
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { logProjection, WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  epsilon: {
    type: 'number',
    minimum: 0,
    default: 1e-6,
    description: 'Added to 1 + L before the logarithm.',
  },
});

@component({
  kind: 'scheme',
  name: 'log',
  summary: 'The sum of log(1 + epsilon + loss): all losses on one scale, no weights.',
  source: 'MT-CP section 3.5, Eq 3',
  options: schema,
  file: import.meta.url,
})
export class LogScheme extends WeightedSum<OptionsOf<typeof schema>> {
  override project(loss: Scalar): Scalar {
    return logProjection(loss, this.options.epsilon);
  }
}
