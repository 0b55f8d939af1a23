// Variational information bottleneck (Alemi et al. 2017) after a backbone, as Bi-MTDP puts it there: every level
// becomes a sample of a normal distribution that is held close to the standard normal one.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { gaussian } from '../nn/noise.js';

const schema = defineOptions({
  weight: {
    type: 'number',
    minimum: 0,
    default: 1e-4,
    description: 'Of the divergence from the standard normal distribution, as an extra loss.',
  },
});

@component({
  kind: 'decoder',
  name: 'vib',
  summary: 'Variational information bottleneck on every shared level.',
  source: 'Shang et al. 2024 (Bi-MTDP), as described; Alemi et al. 2017',
  options: schema,
  file: import.meta.url,
})
export class Vib extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const shared = features.shared.map(({ data, stride }, i): FeatureMap => ({
      data: this.#bottleneck(scope.at(`levels.${i}`), data),
      stride,
    }));
    const pyramids = byTask(this.tasks, () => shared);
    return { ...features, shared, tasks: pyramids, stages: pyramids };
  }

  #bottleneck(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const channels = x.shape[3];
    const [mean, logVariance] = tf.split(conv2d(scope.at('conv'), x, 2 * channels, { kernel: 1 }), 2, 3) as [
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    if (!scope.training) return mean;
    // KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - log s^2 - 1) / 2
    const divergence = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).mean().div(2);
    scope.penalty('divergence', divergence as tf.Scalar, this.options.weight);
    return mean.add(
      logVariance
        .div(2)
        .exp()
        .mul(gaussian(scope, 'sample', [...x.shape])),
    );
  }
}
