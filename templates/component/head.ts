// my-block: from a task's features to its raw prediction. Here a 3x3 and a 1x1 convolution.
import type { Tensor4D } from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  type Head,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from 'mtcp/registry';
import { batchNorm, conv2d, relu } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  hidden: { type: 'integer', minimum: 1, default: 32, description: 'Channels between the convolutions.' },
});

@component({
  kind: 'head',
  name: 'my-block',
  summary: '3x3 convolution, batch norm, ReLU, 1x1 convolution.',
  options: schema,
})
export class MyBlock implements Head {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /**
   * @param pyramid the task's features, fine to coarse
   * @returns [batch, height, width, task.channels]: logits of classes, metres, vectors; at any resolution
   */
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const [{ data }] = pyramid;
    const hidden = conv2d(scope.at('conv1'), data, this.options.hidden, {
      kernel: 3,
      padding: 1,
      bias: false,
    });
    return conv2d(scope.at('conv2'), relu(batchNorm(scope.at('norm'), hidden)), task.channels, { kernel: 1 });
  }
}
