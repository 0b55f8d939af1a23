// Learning to branch (Guo et al. 2020): encoders side by side, and before each stage every one of them picks the map of
// one encoder to go on with. The pick is drawn from learnt scores (Gumbel softmax, straight through) at a temperature
// that falls as training goes on; at first, maps are added up instead. As a unit of `per_task`.
//
// As in LibMTL the encoder at the top of branch t is that of task t, and one draw serves the whole batch. LibMTL goes
// on drawing when it evaluates; here evaluation takes the most probable branch, which is the network that is found.
// LibMTL's temperature depends on the number of epochs; here the unit counts its training passes itself, in a buffer,
// so that a run which is continued goes on where it was.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { ones } from '../nn/initializers.js';
import { byTask } from '../nn/levels.js';
import { detach } from '../nn/ops/detach.js';

const schema = defineOptions({
  temperature: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 10,
    description:
      'Of the draws; it falls with the square root of the number of rounds. LibMTL: a twentieth of the epochs.',
  },
  round: {
    type: 'integer',
    minimum: 1,
    default: 100,
    description: 'Training passes (micro-batches) in a round. LibMTL: an epoch.',
  },
  warmup: {
    type: 'integer',
    minimum: 0,
    default: 200,
    description: 'Training passes in which maps are added up. LibMTL: a hundredth of the training.',
  },
});

@component({
  kind: 'interaction',
  name: 'ltb',
  summary: "Each task goes on with one task's map, drawn from learnt scores.",
  source: 'Guo et al. 2020 (learning to branch); median-research-group/LibMTL LibMTL/architecture/LTB.py',
  options: schema,
  file: import.meta.url,
})
export class LearningToBranch extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const count = this.tasks.length;
    const shares = tf.split(this.#branches(scope).reshape([count * count]), count * count);
    const pyramids = byTask(this.tasks, (target): Pyramid => {
      const t = this.tasks.findIndex(({ name }) => name === target);
      return features.tasks[target].map(({ stride }, level) => {
        const terms = this.tasks.map(({ name }, s) =>
          features.tasks[name][level].data.mul(shares[t * count + s]),
        );
        return { data: tf.addN(terms) as tf.Tensor4D, stride };
      });
    });
    return { ...features, tasks: pyramids };
  }

  /** How much of each task's map (column) each task (row) goes on with: [tasks, tasks]. */
  #branches(scope: Scope): tf.Tensor2D {
    const { temperature, round, warmup } = this.options;
    const count = this.tasks.length;
    const alpha = scope.param<tf.Rank.R2>('alpha', [count, count], ones);
    const passes = scope.buffer<tf.Rank.R1>('passes', [1], 0);
    let picked: tf.Tensor2D;
    if (scope.training) {
      passes.average(passes.value.add(1), 1);
      const falling = tf.rsqrt(passes.value.div(round).floor().add(1)).mul(temperature);
      const soft = tf.softmax(alpha.add(gumbel(scope, [count, count])).div(falling)) as tf.Tensor2D;
      picked = detach(mostOf(soft).sub(soft)).add(soft);
    } else picked = mostOf(alpha);
    const isEarly = tf.step(passes.value.sub(warmup).neg()) as tf.Tensor1D;
    return isEarly.add(picked.mul(isEarly.neg().add(1)));
  }
}

/** Draws whose largest, added to logits, is a draw from their softmax. */
function gumbel(scope: Scope, shape: number[]): tf.Tensor2D {
  // Uniform numbers strictly between 0 and 1.
  const u = scope
    .noise<tf.Rank.R2>('gumbel', shape)
    .mul(1 - 1e-6)
    .add(5e-7) as tf.Tensor2D;
  return u.log().neg().log().neg();
}

/** 1 at the largest number of each row, 0 elsewhere. */
function mostOf(x: tf.Tensor2D): tf.Tensor2D {
  return tf.oneHot(tf.argMax(x, 1), x.shape[1]).cast('float32') as tf.Tensor2D;
}
