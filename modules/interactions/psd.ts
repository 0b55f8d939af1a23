// Pattern-structure diffusion (Zhou et al. 2020). Around each position a task has a local structure: how alike the
// neighbours are. Within a task features diffuse along it, again and again, so that reach grows; between tasks the
// structure at the same position is carried over as far as the two structures match.
//
// There is no released code and only the paper's abstract was at hand. The paper says: small local structures,
// recursive aggregation within a task, structures transferred between tasks by their match, both diffused together.
// Ours: a structure is a softmax over a k x k window of learnt projections; the match is a cosine, a softmax over the
// other tasks makes it a share; the result enters through a zero-initialised gain.
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
import { zeros } from '../nn/initializers.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { localAffinity, localGather } from '../nn/local-affinity.js';

const schema = defineOptions({
  kernel: { enum: [3, 5, 7], default: 3, description: 'Side of the window that makes a structure.' },
  channels: { type: 'integer', minimum: 1, default: 32, description: 'Width of the projections compared.' },
  orders: { type: 'integer', minimum: 1, default: 3, description: 'Recursions within a task.' },
});

@component({
  kind: 'interaction',
  name: 'psd',
  summary: "Diffuses features along local structures, a task's own and those of matching tasks.",
  source: 'Zhou et al. 2020, "Pattern-Structure Diffusion for Multi-Task Learning"',
  options: schema,
  file: import.meta.url,
})
export class PatternStructure extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const levels = byTask(this.tasks, (): FeatureMap[] => []);
    features.tasks[this.tasks[0].name].forEach(({ stride }, level) => {
      const maps = byTask(this.tasks, (name) => features.tasks[name][level].data);
      const diffused = this.#level(scope.at(`levels.${level}`), maps);
      for (const { name } of this.tasks) levels[name].push({ data: diffused[name], stride });
    });
    return { ...features, tasks: levels };
  }

  #level(scope: Scope, maps: Record<string, tf.Tensor4D>): Record<string, tf.Tensor4D> {
    const { kernel, channels, orders } = this.options;
    const structures = byTask(this.tasks, (name) => {
      const own = scope.at(name);
      const project = (part: string) => conv2d(own.at(part), maps[name], channels, { kernel: 1 });
      return localAffinity(project('query'), project('key'), kernel);
    });
    return byTask(this.tasks, (name) => {
      const own = scope.at(name);
      let intra = maps[name];
      for (let order = 0; order < orders; order++) intra = localGather(structures[name], intra);
      const inter = localGather(this.#transfer(structures, name), maps[name]);
      const both = tf.concat([intra, inter], 3) as tf.Tensor4D;
      const mixed = conv2d(own.at('mix'), both, maps[name].shape[3], { kernel: 1, bias: false });
      return maps[name].add(batchNorm(own.at('norm'), mixed).mul(own.param('gain', [1], zeros)));
    });
  }

  /** A task's structure and, as far as they match, the others'; rows sum to one. */
  #transfer(structures: Record<string, tf.Tensor4D>, target: string): tf.Tensor4D {
    const own = structures[target];
    const others = this.tasks.filter(({ name }) => name !== target).map(({ name }) => structures[name]);
    if (others.length === 0) return own;
    const length = (x: tf.Tensor) => x.square().sum(3, true).sqrt();
    const match = tf.concat(
      others.map((other) =>
        own
          .mul(other)
          .sum(3, true)
          .div(length(own).mul(length(other))),
      ),
      3,
    );
    const shares = tf.split(tf.softmax(match), others.length, 3);
    const sum = others.reduce<tf.Tensor>((total, other, j) => total.add(other.mul(shares[j])), own);
    return sum.div<tf.Tensor4D>(2);
  }
}
