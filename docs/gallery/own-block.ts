// channel-gate: each task reads what the others have, through a gate for each channel. One file is all that mtcp needs.
import * as tf from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  tasks,
  type Block,
  type Features,
  type OptionsOf,
  type Scope,
  type Task,
} from 'mtcp/registry';
import { conv2d, relu } from 'mtcp/nn';

const schema = defineOptions({
  reduction: {
    type: 'integer',
    minimum: 1,
    default: 2,
    description: 'By how much the gate is narrower than the map.',
  },
});

@component({
  kind: 'interaction',
  name: 'channel-gate',
  summary: 'Adds the other tasks, each channel times a gate that the whole picture opens.',
  options: schema,
})
export class ChannelGate implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

  forward(scope: Scope, features: Features): Features {
    const finest = (task: string) => features.tasks[task][0];
    const changed = this.tasks.map(({ name }) => {
      const [{ data, stride }, ...coarser] = features.tasks[name];
      const others = this.tasks
        .filter((other) => other.name !== name)
        .map((other) => finest(other.name).data);
      if (others.length === 0) return [name, features.tasks[name]];
      const mixed = this.#mix(scope.at(name), data, tf.concat(others, 3));
      return [name, [{ data: mixed, stride }, ...coarser]];
    });
    return { ...features, tasks: Object.fromEntries(changed) };
  }

  #mix(scope: Scope, own: tf.Tensor4D, others: tf.Tensor4D): tf.Tensor4D {
    const channels = own.shape[3];
    const narrow = Math.max(1, Math.round(channels / this.options.reduction));
    const seen = tf.concat([own, others], 3).mean<tf.Tensor4D>([1, 2], true);
    const squeezed = relu(conv2d(scope.at('squeeze'), seen, narrow, { kernel: 1 }));
    const gate = conv2d(scope.at('gate'), squeezed, channels, { kernel: 1 }).sigmoid();
    return own.add(conv2d(scope.at('project'), others, channels, { kernel: 1 }).mul(gate));
  }
}
